//! Whose measurements a version is compared with. Where nothing can be measured, as on a target that was imported, what is recorded
//! judges a version as well, as long as it was not fitted on it.

use std::collections::HashSet;

use lglp_registry::{HardwareName, HardwareTarget, NewVersion, Registry};
use lglp_sdk::{Architecture, SearchSpace};
use serde::{Deserialize, Serialize};

use super::ValidateError;
use crate::host::PluginHost;
use crate::measure::{Setup, is_at_hand};
use crate::train::{DataError, FrozenRow, Split, frozen_rows, labels};

/// Whose measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// Of architectures that were never measured, which are measured now.
    #[default]
    Fresh,
    /// Recorded ones that are no part of the version's dataset, such as those that came since.
    Recorded,
    /// The test part of the version's dataset, which it was not fitted on.
    HeldOut,
}

impl Rows {
    /// What they are called before `measurements`.
    pub fn adjective(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Recorded => "recorded",
            Self::HeldOut => "held-out",
        }
    }
}

/// Whether this machine can measure a target: it is the target's, and has its runtime.
pub fn can_measure(host: &PluginHost, target: &HardwareTarget) -> bool {
    is_at_hand(target) && Setup::of_target(target).on(host).is_ok()
}

/// The recorded architectures of a space that `rows` asks for, in the order of their digests: none that the version, or the one in
/// production, was fitted on, and none whose measurements are excluded.
pub(super) fn recorded(
    rows: Rows,
    store: &dyn Registry,
    hardware: &HardwareName,
    space: &SearchSpace,
    candidate: &NewVersion,
    production: Option<&NewVersion>,
) -> Result<Vec<Architecture>, ValidateError> {
    let dataset = frozen_rows(store, &candidate.dataset)?;
    let texts = |rows: &[FrozenRow], of: &[usize]| -> HashSet<String> {
        let row = |at: &usize| rows.get(*at).map(|row| row.architecture.clone());
        of.iter().filter_map(row).collect()
    };
    let split = Split::of(candidate);
    let all: HashSet<String> = dataset.iter().map(|row| row.architecture.clone()).collect();
    let tested = split
        .as_ref()
        .map(|split| texts(&dataset, &split.test))
        .unwrap_or_default();
    let by_production = match production {
        Some(production) => {
            let rows = frozen_rows(store, &production.dataset)?;
            match Split::of(production) {
                Some(split) => texts(&rows, &[split.train, split.validation].concat()),
                None => rows.into_iter().map(|row| row.architecture).collect(),
            }
        }
        None => HashSet::new(),
    };
    let wanted = |text: &str| {
        let asked = match rows {
            Rows::HeldOut => tested.contains(text),
            Rows::Fresh | Rows::Recorded => !all.contains(text),
        };
        asked && !by_production.contains(text)
    };
    let measured = labels(store, hardware, space.name())?;
    let found = measured.iter().filter(|measurement| wanted(&measurement.architecture));
    found
        .map(|measurement| {
            let read = space.architecture_from_text(&measurement.architecture);
            read.map_err(|error| {
                ValidateError::Data(DataError::Misfit {
                    digest: measurement.digest.clone(),
                    problem: error.to_string(),
                })
            })
        })
        .collect()
}

//! Builds that a running host has not seen yet: checked, and opened in processes of their own.

use std::time::Duration;

use lglp_sdk::SearchSpace;
use serde_json::json;

use super::component::Opened;
use super::conformance::{Asked, Purpose, check_opened};
use super::found::{self, Found};
use super::{ComponentKind, PluginError, PluginHost};

/// For each check. Those that repeat calls take a part of it.
const LIMIT: Duration = Duration::from_secs(20);

/// A build that the host has not seen yet.
pub(super) struct Candidate {
    pub found: Found,
    /// What it is; or why it is not taken up.
    pub opened: Result<Opened, PluginError>,
    /// Components that could not be checked, and why.
    pub unchecked: Vec<(String, String)>,
}

impl PluginHost {
    /// Checks those that would run in processes of their own, one after the other, unless `spaces` is none, and opens what keeps to the
    /// contract. Encoders are tried on these spaces.
    pub(super) fn examine(
        &self,
        fresh: Vec<Found>,
        spaces: Option<&[SearchSpace]>,
    ) -> Result<Vec<Candidate>, PluginError> {
        let operators = self.file_of(ComponentKind::Encoder, "operators");
        let parameters = json!({});
        let asked = |spaces| Asked {
            program: &self.program,
            component: None,
            parameters: &parameters,
            spaces,
            operators: operators.as_deref(),
            limit: LIMIT,
            policy: &self.policy,
            purpose: Purpose::Admission,
        };
        let mut checked = Vec::with_capacity(fresh.len());
        for mut found in fresh {
            let unchecked = match spaces {
                Some(spaces) => found.check(&asked(spaces))?,
                None => Vec::new(),
            };
            checked.push((found, unchecked));
        }
        let (found, unchecked): (Vec<Found>, Vec<_>) = checked.into_iter().unzip();
        let opened = found::opened_apart(&found, &self.program);
        let candidates = found.into_iter().zip(unchecked).zip(opened);
        Ok(candidates
            .map(|((found, unchecked), apart)| Candidate {
                opened: match (apart, &found.file) {
                    (Some(apart), _) => apart,
                    (None, Ok(_)) => Err(PluginError::NotLoadable(
                        "it runs in lglp's process, which takes it up when it is started anew".into(),
                    )),
                    (None, Err(error)) => Err(error.clone()),
                },
                found,
                unchecked,
            })
            .collect())
    }
}

impl Found {
    /// Checks it, if it is to run in a process of its own; one that breaks the contract cannot be used. Components that could not be
    /// checked, and why.
    fn check(&mut self, asked: &Asked<'_>) -> Result<Vec<(String, String)>, PluginError> {
        let (Some(settings), Ok(file), true) = (&self.settings, &self.file, self.to_start().is_some()) else {
            return Ok(Vec::new());
        };
        tracing::info!("checking {}, which is new in the plugin folder", self.name);
        let report = check_opened(file, settings, asked, &mut |_, _| {})?;
        match report.mistake() {
            None => Ok(report.unchecked()),
            Some(mistake) => {
                self.file = Err(PluginError::Rejected(mistake));
                Ok(Vec::new())
            }
        }
    }
}

//! What other targets teach: fits of the same recipe to their measurements.

use std::cmp::Reverse;

use lglp_registry::{HardwareName, Quantity};

use super::OnboardError;
use crate::measure::Setup;
use crate::predictor::REGRESSOR;
use crate::train::{FEWEST_ROWS, Split, Training, TrainingData, train};

/// Targets that are learned from at most, those with the most measurements.
const MOST: usize = 3;

/// Measurements that are learned from at most: more do not change what carries over.
const ROWS: usize = 1_500;

/// Another target, and what a fit to its measurements is.
#[derive(Clone, Debug)]
pub struct Source {
    /// The target that teaches.
    pub hardware: HardwareName,
    /// Measurements that it was fitted to.
    pub rows: usize,
    /// The state of the recipe's regressor.
    pub state: Vec<u8>,
}

/// The targets that measured in the same space, as many inputs at a time: others did harm (what a device does at batch 64 says little of
/// batch 1), where they are `among` those that may teach. `progress` is told of each before it is fitted, which ends early where it is `stopped`.
pub(super) fn sources<E: From<OnboardError>>(
    training: &Training<'_>,
    batch: u32,
    among: Option<&[HardwareName]>,
    progress: &mut dyn FnMut(&Source) -> Result<(), E>,
    stopped: &dyn Fn() -> bool,
) -> Result<Vec<Source>, E> {
    // A fit carries over where the regressor alone makes it.
    if training.recipe.extractor.is_some() {
        return Ok(Vec::new());
    }
    let mut sources = Vec::new();
    for (hardware, data) in others(training, batch, among)? {
        let rows = data.labels.len().min(ROWS);
        let mut source = Source {
            hardware,
            rows,
            state: Vec::new(),
        };
        progress(&source)?;
        source.state = fitted(training, &data.part(&(0..rows).collect::<Vec<_>>()), stopped)?;
        sources.push(source);
    }
    Ok(sources)
}

/// The targets that are learned from, with their measurements.
fn others(
    training: &Training<'_>,
    batch: u32,
    among: Option<&[HardwareName]>,
) -> Result<Vec<(HardwareName, TrainingData)>, OnboardError> {
    let mut others = Vec::new();
    for target in training.store.hardware_targets()? {
        let may_teach = among.is_none_or(|among| among.contains(&target.name));
        if !may_teach || target.name == *training.hardware || Setup::of_target(&target).batch != batch {
            continue;
        }
        let data = TrainingData::measured(training.store, &target.name, training.space, Quantity::Latency)?;
        if data.labels.len() >= FEWEST_ROWS {
            others.push((target.name, data));
        }
    }
    others.sort_by_key(|(_, data)| Reverse(data.labels.len()));
    others.truncate(MOST);
    Ok(others)
}

/// The state of the recipe's regressor that a fit to all rows leaves.
fn fitted(training: &Training<'_>, data: &TrainingData, stopped: &dyn Fn() -> bool) -> Result<Vec<u8>, OnboardError> {
    let split = Split::whole(data.labels.len());
    let trained = train(training.fitting(&[]), data, split, &mut |_| !stopped())?;
    let mut state = trained.model.save()?;
    Ok(state.remove(REGRESSOR).unwrap_or_default())
}

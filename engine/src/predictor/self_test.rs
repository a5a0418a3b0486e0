//! The self-test of a freshly loaded version: it must predict what it predicted when it was trained, and soon.

use std::time::{Duration, Instant};

use lglp_registry::{Golden, Version};
use lglp_sdk::{Architecture, Sampler, SearchSpace};

use super::{FittedModel, ModelError, ModelState, ROWS_PER_UNIT, Recipe};
use crate::host::{PluginError, PluginHost, Tenant};
use crate::networks;
use crate::priority;

/// Architectures that the test predicts.
const ROWS: usize = 8;

/// How far a prediction may lie from the golden one, relatively. Processors differ in the last digits of a `f32`; another
/// plugin or state differs by more.
const TOLERANCE: f64 = 1e-3;

/// Time of a unit at most, beyond which others would wait too long for it.
const SLOWEST_UNIT: Duration = Duration::from_millis(1500);
/// How often a unit is tried that took longer: the first time pays for caches and thread pools, and a machine may be busy.
const TRIES: usize = 3;
/// What takes so many times as long is not tried again: a busy machine does not explain that.
const HOPELESS: u32 = 4;

fn sample(space: &SearchSpace, seed: u64, rows: usize) -> Vec<Architecture> {
    networks::some(space, Sampler::new(space, seed), rows)
}

/// The first of the golden predictions that is another now; what is no number is.
fn differing<'a>(golden: &'a [Golden], predicted: &[f64]) -> Option<(&'a Golden, f64)> {
    let mut both = golden.iter().zip(predicted.iter().copied());
    both.find(|(golden, value)| {
        let expected = golden.predicted.value();
        let is_near = (value - expected).abs() <= TOLERANCE * expected.abs();
        !is_near
    })
}

/// What a freshly fitted model predicts, to be recorded in its version.
///
/// # Errors
/// Those of its plugins; and where it predicts no numbers.
pub fn golden(model: &FittedModel, space: &SearchSpace) -> Result<Vec<Golden>, PluginError> {
    let rows = sample(space, 0, ROWS);
    let predicted = model.predict(rows.iter())?;
    if let Some((row, value)) = rows.iter().zip(&predicted).find(|(_, value)| !value.is_finite()) {
        let message = format!("it predicts {value} for {}", space.canonical_text(row));
        let component = "what was fitted".to_owned();
        return Err(PluginError::Failed { component, message });
    }
    let golden = rows.iter().zip(predicted).map(|(row, value)| Golden {
        architecture: space.canonical_text(row),
        predicted: model.quantity().amount(value),
    });
    Ok(golden.collect())
}

impl FittedModel {
    /// Whether the state that [`Self::save`] gave is loaded as a server loads it, and predicts the same then.
    ///
    /// # Errors
    /// Those of its plugins, and `UnsupportedState` where it predicts something else.
    pub fn reloaded(
        &self,
        recipe: &Recipe,
        host: &PluginHost,
        state: &ModelState,
        golden: &[Golden],
    ) -> Result<(), PluginError> {
        let tenant = Tenant::new("the model that was fitted".to_owned());
        let (space, rules) = (&self.space, self.rules.as_ref());
        let loaded = Self::load(recipe, host, space, self.plugins(), state, rules, &tenant)?;
        let rows = sample(space, 0, ROWS);
        let predicted = loaded.predict(rows.iter())?;
        let Some((golden, value)) = differing(golden, &predicted) else {
            return Ok(());
        };
        Err(PluginError::UnsupportedState {
            component: "what was fitted".to_owned(),
            message: format!(
                "loaded from the state that it was saved as, it predicts {value} for {}, and {} when it was fitted",
                golden.architecture,
                golden.predicted.value()
            ),
        })
    }
}

/// Tests a freshly loaded model; the time of a unit. It warms up caches and thread pools, too. Versions of before golden
/// predictions were recorded need only predict numbers. One below zero is no fault of loading: some recipes predict it of the
/// shortest architectures, and whether that is good enough is for the gate to say.
pub(super) fn self_test(model: &FittedModel, space: &SearchSpace, version: &Version) -> Result<Duration, ModelError> {
    let failed = |reason: String| ModelError::SelfTest {
        hardware: version.hardware.clone(),
        version: version.version,
        reason,
    };
    let golden = &version.content.golden;
    let rows = if golden.is_empty() {
        sample(space, 0, ROWS)
    } else {
        let read = |golden: &Golden| space.architecture_from_json(&golden.architecture.clone().into());
        let rows: Result<_, _> = golden.iter().map(read).collect();
        rows.map_err(|error| failed(format!("a golden architecture cannot be read: {}", error.message)))?
    };
    // One row alone takes another path through some plugins. It comes first, so that what is far too slow is seen soonest.
    let (alone, _) = timed(model, &rows[..1], version)?;
    let (predicted, _) = timed(model, &rows, version)?;
    let unit = model.quantity().unit();
    let tested = rows.iter().zip(&predicted).chain(rows.iter().zip(&alone));
    for (row, value) in tested {
        let architecture = || space.canonical_text(row);
        if !value.is_finite() {
            return Err(failed(format!("it predicts {value} {unit} for {}", architecture())));
        }
    }
    if let Some((golden, value)) = differing(golden, &predicted).or_else(|| differing(golden, &alone)) {
        let (architecture, expected) = (&golden.architecture, golden.predicted.value());
        let reason = format!("it predicts {value} {unit} for {architecture}, and predicted {expected} when trained");
        return Err(failed(reason));
    }
    // Others than whoever made the state could know.
    let (_, took) = timed(model, &sample(space, rand::random(), ROWS_PER_UNIT), version)?;
    Ok(took)
}

/// Predicts no more than a unit of rows, and the least time that it took of several tries where the first is too long.
fn timed(model: &FittedModel, rows: &[Architecture], version: &Version) -> Result<(Vec<f64>, Duration), ModelError> {
    let mut least = Duration::MAX;
    for _ in 0..TRIES {
        let began = Busy::now();
        // With spreads, as requests are answered.
        let estimates = model.estimate(rows.iter());
        least = least.min(began.elapsed());
        let estimates = estimates.map_err(|error| ModelError::of_version(version, error))?;
        if least <= SLOWEST_UNIT {
            let values = estimates.into_iter().map(|estimate| estimate.value);
            return Ok((values.collect(), least));
        }
        if least > HOPELESS * SLOWEST_UNIT {
            break;
        }
    }
    Err(ModelError::TooSlow {
        hardware: version.hardware.clone(),
        version: version.version,
        rows: rows.len(),
        took: least,
        limit: SLOWEST_UNIT,
    })
}

/// A moment, for time that does not count while the thread waits for a processor that others have. Linux since 6.12 counts a
/// part of what a thread of low priority sleeps as such waiting, so that of a plugin that sleeps less time is seen.
struct Busy {
    at: Instant,
    waited: Duration,
}

impl Busy {
    fn now() -> Self {
        let waited = priority::waited(priority::this_thread());
        let at = Instant::now();
        Self { at, waited }
    }

    fn elapsed(&self) -> Duration {
        let waited = priority::waited(priority::this_thread()).saturating_sub(self.waited);
        self.at.elapsed().saturating_sub(waited)
    }
}

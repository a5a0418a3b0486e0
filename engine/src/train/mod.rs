//! Training: a dataset is split, a recipe fitted, its accuracy measured on the test part.

mod choice;
mod data;
mod log;
mod metrics;
mod of_networks;
mod parallel;
mod split;
mod summary;
mod training;

pub use choice::{Fitted, Verdict, candidates, fit};
pub use data::{DataError, FrozenRow, TrainingData, frozen_rows, labels};
pub use log::TrainingLog;
pub use metrics::{IntervalMetrics, Metrics};
pub use parallel::{cores, each};
pub(crate) use split::FEWEST_ROWS;
pub use split::Split;
pub use summary::{Summary, summaries};
pub use training::{KeepError, Training};

use std::sync::Arc;

use lglp_registry::{FittedNetworks, Quantity};
use lglp_sdk::plugin::LeftOut;
use lglp_sdk::{Architecture, count};

use crate::host::PluginError;
use crate::networks;
use crate::predictor::{COVERAGE, Calibration, Estimate, FitEvent, FittedModel, Fitting, Labelled, TrainingRange};
use of_networks::KnownNetworks;

/// What training gives.
pub struct Trained {
    /// The fitted recipe.
    pub model: FittedModel,
    /// Accuracy on what `measured` holds.
    pub metrics: Metrics,
    /// What is measured of the test part, in its order. Where a split has none it is that of each fitted row, whose prediction is what
    /// all other rows tell of it.
    pub measured: Vec<f64>,
    /// What is predicted of the same.
    pub estimates: Vec<Estimate>,
    /// For prediction intervals.
    pub calibration: Calibration,
    /// What it learned from networks of no space, where the recipe learns from these and there are any.
    pub networks: Option<FittedNetworks>,
    /// The range of the training part.
    pub range: TrainingRange,
    /// The rows of each part.
    pub split: Split,
    /// How it went.
    pub log: TrainingLog,
}

impl Trained {
    /// Predictions of what `measured` holds, in its order.
    pub fn predicted(&self) -> Vec<f64> {
        self.estimates.iter().map(|estimate| estimate.value).collect()
    }

    /// The share of `measured` that intervals of a coverage hold; `None` where there are no intervals.
    pub fn held(&self, coverage: f64) -> Option<f64> {
        let reach = self.calibration.reach(coverage).ok()?;
        let mut held = 0;
        for (measured, estimate) in self.measured.iter().zip(&self.estimates) {
            let interval = reach.around(estimate.value, estimate.spread).ok()?;
            held += usize::from((interval.low..=interval.high).contains(measured));
        }
        Some(held as f64 / self.measured.len() as f64)
    }
}

/// Fits a recipe on the training part of a split. The same data, split, seed and plugins give the same metrics: of the test part, and
/// where there is none, of each row of the fit as all others tell it.
pub fn train(
    fitting: Fitting<'_>,
    data: &TrainingData,
    split: Split,
    progress: &mut dyn FnMut(FitEvent<'_>) -> bool,
) -> Result<Trained, TrainError> {
    let quantity = fitting.recipe.target.quantity();
    if data.quantity != quantity {
        let (recipe, given) = (fitting.recipe.name.clone(), data.quantity);
        return Err(TrainError::OtherQuantity {
            recipe,
            quantity,
            given,
        });
    }
    // From a few networks nothing is learned of operators.
    let learns = fitting.recipe.networks && data.networks.len() >= FEWEST_ROWS;
    if data.architectures.is_empty() && !learns {
        return Err(TrainError::ReadsArchitectures(fitting.recipe.name.clone()));
    }
    let fitted_on = TrainingData {
        networks: if learns { data.networks.clone() } else { Arc::default() },
        ..data.part(&split.train)
    };
    let (validation, test) = (data.part(&split.validation), data.part(&split.test));
    let mut log = TrainingLog::default();
    let mut report = |event: FitEvent<'_>| {
        log.report(&event);
        progress(event)
    };
    let model = FittedModel::fit(fitting, labelled(&fitted_on), labelled(&validation), &mut report)?;
    let networks = KnownNetworks::of(&fitted_on.networks, model.left_out_networks());
    let networks = match networks {
        None if learns => return Err(TrainError::NothingToTest(fitting.recipe.name.clone())),
        Some(networks) if data.architectures.is_empty() => return Ok(networks.trained(model, quantity, split, log)),
        networks => networks.map(KnownNetworks::into_fitted),
    };
    let left_out = model.left_out().map(|told| LeftOutRows {
        labels: [&fitted_on.labels[..], &validation.labels].concat(),
        told: told.to_vec(),
    });
    let calibration = match &left_out {
        Some(rows) => Calibration::of_left_out(&rows.labels, &rows.told),
        None => Calibration::of_validation(&validation.labels, &model.predict(validation.architectures.iter())?),
    };
    let (measured, estimates) = match left_out {
        Some(rows) if test.labels.is_empty() => (rows.labels, rows.told.iter().map(Estimate::left_out).collect()),
        _ if test.labels.is_empty() => return Err(TrainError::NothingToTest(fitting.recipe.name.clone())),
        _ => (test.labels, model.estimate(test.architectures.iter())?),
    };
    let predicted: Vec<f64> = estimates.iter().map(|estimate| estimate.value).collect();
    let reach = calibration.reach(COVERAGE);
    let interval = |estimate: &Estimate| reach.ok()?.around(estimate.value, estimate.spread).ok();
    let intervals: Vec<_> = estimates.iter().map(interval).collect();
    let tested = if split.test.is_empty() {
        [&fitted_on.architectures[..], &validation.architectures].concat()
    } else {
        test.architectures
    };
    let side = |architecture| fitting.space.input_side(architecture).unwrap_or(0);
    let resolutions: Vec<u32> = tested.iter().map(side).collect();
    let macs = |architectures: &[Architecture]| -> Vec<u64> {
        let macs = |architecture| networks::macs_if_any(fitting.space, architecture);
        architectures.iter().map(macs).collect()
    };
    let known: Vec<(u64, f64)> = macs(&fitted_on.architectures)
        .into_iter()
        .zip(fitted_on.labels.iter().copied())
        .collect();
    let metrics = Metrics {
        spearman_within: Metrics::spearman_within(&measured, &predicted, &resolutions),
        intervals: IntervalMetrics::of(&measured, &predicted, &intervals),
        ..Metrics::of(&measured, &predicted).beside_macs(&known, &macs(&tested), &measured)
    };
    let range = TrainingRange::of(fitting.space, &fitted_on.architectures, quantity, &fitted_on.labels);
    Ok(Trained {
        model,
        metrics,
        measured,
        estimates,
        calibration,
        networks,
        range: range.ok_or(TrainError::TooFewRows { rows: 0 })?,
        split,
        log,
    })
}

/// Rows of a fit as all others tell them: they tell more than the validation part, which such a regressor may have been fitted to.
struct LeftOutRows {
    labels: Vec<f64>,
    told: Vec<LeftOut>,
}

fn labelled(data: &TrainingData) -> Labelled<'_> {
    Labelled {
        architectures: &data.architectures,
        labels: &data.labels,
        networks: &data.networks,
    }
}

/// Why training did not come to an end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The dataset is too small to be split.
    #[error(
        "{} {} too few to train on; measure {FEWEST_ROWS} or more (`lglp measure`)",
        count(*rows, "measured architecture"),
        if *rows == 1 { "is" } else { "are" }
    )]
    TooFewRows {
        /// The number of measured architectures.
        rows: usize,
    },
    /// Latencies are compared where only they make sense: in reproductions and when measurements are cleaned.
    #[error("the recipe `{recipe}` predicts {quantity}, and is given {given}")]
    OtherQuantity {
        /// The recipe's name.
        recipe: String,
        /// What the recipe predicts.
        quantity: Quantity,
        /// What the data tell.
        given: Quantity,
    },
    /// There is no test part, and the regressor does not tell how it would do without each row.
    #[error(
        "the recipe `{0}` cannot tell its error from so few rows; take one whose regressor can, such as `additive`, or measure \
         {FEWEST_ROWS} or more and train"
    )]
    NothingToTest(String),
    /// Only networks of no space were measured, which the recipe does not learn from.
    #[error(
        "the recipe `{0}` finds nothing to learn from: there are no architectures, and it learns from no networks of no space, or there are fewer \
         than {FEWEST_ROWS}"
    )]
    ReadsArchitectures(String),
    /// All candidates among the recipes are for other spaces.
    #[error("no recipe that is a `candidate` is for the space `{0}`; name one by `--recipe`")]
    NoRecipe(String),
    /// A component is missing, refused its parameters or failed.
    #[error(transparent)]
    Plugin(#[from] PluginError),
}

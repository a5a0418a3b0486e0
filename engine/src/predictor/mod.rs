//! Predictors: recipes, and the models that fitting them gives.

mod components;
mod error;
mod fitting;
mod interval;
mod lookups;
mod model;
mod network;
mod range;
mod recipe;
mod residual;
mod self_test;
mod served;
mod target;

pub use components::PluginUse;
pub use error::ModelError;
pub use fitting::{FitEvent, Fitting, Labelled};
pub use interval::{COVERAGE, Calibration, Interval, NoInterval};
pub(crate) use model::REGRESSOR;
pub use model::{Contributions, Estimate, FittedModel, ModelState, RESIDUAL};
pub(crate) use network::known_operators;
pub use network::{PredictedNetwork, UnknownOperator};
pub use range::TrainingRange;
pub use recipe::{Candidate, ComponentSpec, Recipe, RecipeError};
pub use residual::{ResidualGate, ResidualSpec};
pub use self_test::golden;
pub use served::{Predicted, ServedModel, Versions};
pub use target::Target;

/// Rows of one unit of work: some milliseconds of it.
pub const ROWS_PER_UNIT: usize = 64;

/// Time of a unit of a usual model.
pub const USUAL_UNIT: std::time::Duration = std::time::Duration::from_millis(40);

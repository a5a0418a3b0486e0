//! Predictors: recipes, and the models that fitting them gives.

mod components;
mod interval;
mod lookups;
mod model;
mod range;
mod recipe;
mod residual;
mod target;

pub use components::PluginUse;
pub use interval::{COVERAGE, Calibration, Interval, NoInterval};
pub use model::{Contributions, Estimate, FitEvent, FittedModel, Fitting, Labelled, ModelState, REGRESSOR, RESIDUAL};
pub use range::TrainingRange;
pub use recipe::{Candidate, ComponentSpec, Recipe, RecipeError};
pub use residual::{ResidualGate, ResidualSpec};
pub use target::Target;

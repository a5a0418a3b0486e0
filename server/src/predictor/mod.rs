//! Predictors: recipes, and the models that fitting them gives.

mod interval;
mod model;
mod range;
mod recipe;
mod residual;
mod target;

pub use interval::{COVERAGE, Calibration, Interval, NoInterval};
pub use model::{
    Contributions, Estimate, FitEvent, FittedModel, Fitting, Labelled, ModelState, PluginUse, REGRESSOR, RESIDUAL,
};
pub use range::TrainingRange;
pub use recipe::{Candidate, ComponentSpec, Recipe, RecipeError};
pub use residual::{ResidualGate, ResidualSpec};
pub use target::Target;

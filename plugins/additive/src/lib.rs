//! The time of a network as the sum over its operators: each costs a physical amount (arithmetic, bytes, a launch) times a smooth
//! correction that the device and its runtime teach. All corrections are one linear model with Gaussian priors whose variances are
//! learned by marginal likelihood (`evidence`); errors are relative and heavy-tailed (`fit`). What is learned collapses into a table
//! of times by operator (`model`), so that a prediction is a sum of look-ups, and tells what each operator takes.

mod alignment;
mod baselines;
mod choose;
mod columns;
mod cost;
mod evidence;
mod fit;
mod kernel;
mod layers;
mod lbfgs;
mod memo;
mod model;
mod narrow;
mod nnls;
mod operator;
mod parts;
mod prices;
mod regressor;
mod rest;
mod size;
mod state;
mod transfer;

lglp_sdk::export_plugin! {
    summary: "The time of a network as the sum over its operators, and baselines",
    regressors: [regressor::Additive, baselines::Roofline, baselines::MacProportional],
}

//! Which measurements judge a version, as options.

use clap::ValueEnum;
use lglp_openapi::jobs::{SelectionMethod, ValidationJudges, ValidationRows};

/// What judges a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// Architectures of its space.
    Architectures,
    /// Networks of no space.
    Networks,
}

impl From<By> for ValidationJudges {
    fn from(by: By) -> Self {
        match by {
            By::Architectures => Self::Architectures,
            By::Networks => Self::Networks,
        }
    }
}

/// Whose measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rows {
    /// Of architectures that were never measured, which are measured now.
    Fresh,
    /// Recorded ones that are no part of the version's dataset, such as those that came since.
    Recorded,
    /// The test part of the version's dataset, which it was not fitted on.
    HeldOut,
}

impl From<Rows> for ValidationRows {
    fn from(rows: Rows) -> Self {
        match rows {
            Rows::Fresh => Self::Fresh,
            Rows::Recorded => Self::Recorded,
            Rows::HeldOut => Self::HeldOut,
        }
    }
}

/// How architectures are chosen from draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// Even draws over depth x resolution, as for training.
    Random,
    /// Even over the logarithm of the predicted latency: the rare long ones count as much as the many short ones.
    Stratified,
    /// Where the version and production disagree most.
    Disagreement,
}

impl From<Method> for SelectionMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Random => Self::Random,
            Method::Stratified => Self::Stratified,
            Method::Disagreement => Self::Disagreement,
        }
    }
}

//! The paper's experiments, run on a hardware target's measurements and reported beside the paper's figures.
//!
//! An experiment file (`catalog/experiments/*.toml`) names cells: one recipe, fitted on one split. Several tables may name the same
//! cell; it is fitted once. Results are kept one a line as they come, so that a run that was cut off goes on.

mod cells;
mod experiments;
mod figures;
mod markdown;
mod report;
mod results;
mod run;

pub use cells::{Cell, Cells};
pub use experiments::{Experiments, ExperimentsError};
pub use figures::figures;
pub use markdown::markdown;
pub use report::{Report, Subject, report};
pub use results::{CellResult, Results, ResultsError};
pub use run::{RunError, run};

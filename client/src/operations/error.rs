//! Why an operation failed.

use lglp_openapi::problem::Problem;

use crate::ClientError;
use crate::problem_text::problem_text;

/// Why an operation failed, wherever it was to be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// It was refused, or it failed: the problem that a server answers.
    #[error("{}", told(.0))]
    Problem(Box<Problem>),
    /// The registry refuses.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
    /// Nobody did it: the server did not answer, or this process lacks what it needs.
    #[error("{0:#}")]
    NotDone(anyhow::Error),
}

/// The problem; where it names several places, each on a line of its own.
fn told(problem: &Problem) -> String {
    let detail = problem_text(problem);
    let faults = problem
        .errors
        .iter()
        .map(|fault| format!("\n  {}: {}", fault.pointer, fault.detail));
    match problem.errors.len() {
        0 | 1 => detail,
        _ => format!("{detail}{}", faults.collect::<String>()),
    }
}

impl From<ClientError> for OperationError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Problem(problem) => Self::Problem(problem),
            lost @ ClientError::Transport { .. } => Self::NotDone(lost.into()),
        }
    }
}

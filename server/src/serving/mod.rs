//! Serving: loaded versions, and which of them answers.

mod error;
mod served;
mod table;

pub use error::ServingError;
pub use served::{Predicted, ServedModel};
pub use table::{ModelRef, Serving};

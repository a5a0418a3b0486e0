//! Serving: loaded versions, and which of them answers.

mod error;
mod served;
mod table;
mod usage;

pub use error::ServingError;
pub use served::{Predicted, ServedModel};
pub use table::{ModelRef, Serving};
pub use usage::{FLUSH_INTERVAL, Usage};

//! Serving: loaded versions, and which of them answers.
//!
//! Nothing here waits for a disk on the response path: the table is in memory, versions are loaded and freed by a crew
//! of one thread of low priority, and shadows predict on another.

mod answer;
mod counts;
mod error;
mod live;
mod loader;
mod refused;
mod router;
mod shadow;
mod table;
mod tenants;
mod usage;

pub use answer::{Answered, Route};
pub use counts::{Counts, ModelLabels, PluginLabels};
pub use error::ServingError;
pub(crate) use refused::REFUSED_FOR;
pub use router::{ModelRef, Serving};
pub use table::Branch;
pub(crate) use usage::FLUSH_INTERVAL;
pub use usage::Usage;

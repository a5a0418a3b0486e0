//! Measurements as files: lglp's own folders, and tables and graphs that someone else measured.

mod addition;
mod columns;
mod faults;
mod folder;
mod format;
mod graphs;
mod lines;
mod notation;
mod table;

pub use addition::{Addition, AdditionError, Intent, addition};
pub use columns::{ArchitectureColumns, Columns, ColumnsError, LatencyUnit};
pub use faults::{Fault, ImportError, Rows, rows_of};
pub use folder::{DatasetFolder, FolderError};
pub use format::Format;
pub use graphs::{GraphColumns, Role, read_graphs};
pub use notation::{Decimal, Delimiter, Notation};
pub use table::{Source, read};

/// The runtime of targets whose measurements come from elsewhere: nothing measures by it.
pub const IMPORTED: &str = "imported";

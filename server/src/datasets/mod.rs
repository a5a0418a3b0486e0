//! Measurements as files: lglp's own folders, and tables that someone else measured.

mod columns;
mod folder;
mod table;

pub use columns::{ArchitectureColumns, Columns, ColumnsError, LatencyUnit};
pub use folder::{DatasetFolder, FolderError};
pub use table::{Fault, ImportError, Source, read};

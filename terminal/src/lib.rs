//! How the programs of lglp meet people: tables, errors and times on a terminal, and the options that programs share.

mod facts;
mod grid;
mod host_options;
mod process;
mod server_options;
mod setup;
mod table;
mod tree;
mod when;
mod whole;

pub use facts::Facts;
pub use grid::Cell;
pub use host_options::{HostOptions, program};
pub use process::{exit, prepare};
pub use server_options::{ServerOptions, actor};
pub use setup::SetupArgs;
pub use table::{Table, print_json, short, table};
pub use tree::Tree;
pub use when::{given as time_given, when};
pub use whole::{Whole, whole};

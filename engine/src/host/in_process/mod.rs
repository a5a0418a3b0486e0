//! Components in this process: what is asked of them becomes a call across the C ABI.

mod arrays;
mod call;
mod encoder;
mod fitted;
mod library;
mod native;
mod rehearsal;
mod restart;
mod runtime;
mod tables;
mod trial;

pub use call::native_folder;
pub(super) use call::outcome;
pub(super) use library::Library;
pub(super) use rehearsal::{PATIENCE, rehearse};
pub(super) use restart::{guarded, require_not_left_out};
pub(super) use trial::child;

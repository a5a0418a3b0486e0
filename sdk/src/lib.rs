//! What a plugin author sees of lglp: search spaces and architectures, the plugin traits, the C ABI.

pub mod architecture;
mod count;
pub mod excerpt;
pub mod forms;
pub mod helper;
pub mod literal;
pub mod plain_json;
pub mod plugin;
mod printable;
pub mod program;
pub mod space;
pub mod strict;
pub mod trtexec;
pub mod utf8;

pub use architecture::Architecture;
pub use count::count;
pub use excerpt::Excerpt;
pub use forms::ArchitectureError;
pub use printable::Printable;
pub use space::{ChainSpace, Layer, Sampler, SearchSpace, SpaceError};

/// Its examples compile: they are what authors begin with.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

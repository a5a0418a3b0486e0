//! What a plugin author sees of lglp: search spaces and architectures, the plugin traits, the C ABI.

pub mod architecture;
pub mod excerpt;
pub mod forms;
pub mod plugin;
pub mod program;
pub mod space;
pub mod strict;

pub use architecture::Architecture;
pub use excerpt::Excerpt;
pub use forms::ArchitectureError;
pub use space::{Layer, Sampler, SearchSpace, SpaceError};

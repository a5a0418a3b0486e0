//! Plugins: the safe traits that authors implement, and the C ABI that carries them.
//!
//! An author implements [`Encoder`], [`OperatorEncoder`], [`FeatureExtractor`], [`Regressor`] or [`Runtime`] and names the types in one
//! [`export_plugin!`](crate::export_plugin). The host sees only [`abi`]: C types, batches of rows, opaque state.

pub mod abi;
mod boundary;
mod data;
mod error;
pub mod export;
pub mod operator;
mod traits;
pub mod work;

pub use data::{Design, Fit, Labelled, LeftOut, Networks, Operator, Progress, Rows, Sample, Shape, Sums, Tensor};
pub use error::PluginError;
pub use traits::{Encoder, FeatureExtractor, OperatorEncoder, Regressor, Runtime};

use std::path::PathBuf;

/// Where the host keeps native libraries (`LGLP_NATIVE`), for plugins that open theirs by path.
///
/// Libraries that a plugin is linked with need nothing: the host finds those in the same folder by itself.
pub fn native_folder() -> PathBuf {
    std::env::var_os("LGLP_NATIVE").map_or_else(|| PathBuf::from(".native/lib"), PathBuf::from)
}

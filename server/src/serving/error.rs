//! Why a prediction cannot be made.

use lglp_registry::{AliasName, HardwareName};

use crate::plugins::PluginError;
use crate::spaces::UnknownSpace;

/// An error of serving a prediction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServingError {
    /// Nothing was promoted on this hardware yet.
    #[error(
        "no model is in production on `{hardware}` yet; train one (`lglp train --hardware {hardware}`) and promote it \
         (`lglp promote --hardware {hardware} VERSION`)"
    )]
    NoProduction { hardware: HardwareName },
    /// Another alias that does not exist.
    #[error("`{hardware}` has no alias `{alias}`")]
    NoAlias { hardware: HardwareName, alias: AliasName },
    /// The version's record cannot be read as what this server writes.
    #[error("version {version} of `{hardware}`: {reason}")]
    Unreadable {
        hardware: HardwareName,
        version: u32,
        reason: String,
    },
    /// The space is defined otherwise than when the version was trained.
    #[error(
        "version {version} of `{hardware}` was trained when the space `{space}` was defined otherwise; give the new \
         definition another name, or train again"
    )]
    SpaceChanged {
        hardware: HardwareName,
        version: u32,
        space: String,
    },
    /// A freshly loaded model gave an impossible latency.
    #[error("version {version} of `{hardware}` fails its self-test: it predicts {latency_ms} ms for {architecture}")]
    SelfTest {
        hardware: HardwareName,
        version: u32,
        latency_ms: f64,
        architecture: String,
    },
    #[error(transparent)]
    Space(#[from] UnknownSpace),
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
    #[error(transparent)]
    Plugin(#[from] PluginError),
}

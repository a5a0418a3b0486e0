//! Why a version cannot be loaded, or does not predict. One failure may be the answer to many requests, so errors can be cloned.

use std::sync::Arc;
use std::time::Duration;

use lglp_registry::{HardwareName, Version};

use super::ROWS_PER_UNIT;
use crate::host::PluginError;
use crate::spaces::UnknownSpace;

/// An error of a version, or of what it is loaded from.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The version's record cannot be read as what this server writes.
    #[error("version {version} of `{hardware}`: {reason}")]
    Unreadable {
        /// The hardware target of the version.
        hardware: HardwareName,
        /// The version's number in its hardware target.
        version: u32,
        /// The field of the record, and what is wrong with it.
        reason: String,
    },
    /// The space is defined otherwise than when the version was trained.
    #[error(
        "version {version} of `{hardware}` was trained when the space `{space}` was defined otherwise; give the new \
         definition another name, or train again"
    )]
    SpaceChanged {
        /// The hardware target of the version.
        hardware: HardwareName,
        /// The version's number in its hardware target.
        version: u32,
        /// The name of the version's space.
        space: String,
    },
    /// Its plugins do not take what was stored of it.
    #[error("version {version} of `{hardware}` cannot be loaded: {reason}")]
    Unloadable {
        /// The hardware target of the version.
        hardware: HardwareName,
        /// The version's number in its hardware target.
        version: u32,
        /// The error of its plugin, in words.
        reason: String,
    },
    /// Others would wait too long for it.
    #[error(
        "version {version} of `{hardware}` is too slow to be served: it takes {:.1} s for {rows} architectures; allowed: {:.1} s \
         for {ROWS_PER_UNIT}",
        took.as_secs_f64(),
        limit.as_secs_f64()
    )]
    TooSlow {
        /// The hardware target of the version.
        hardware: HardwareName,
        /// The version's number in its hardware target.
        version: u32,
        /// The number of architectures that were predicted at once.
        rows: usize,
        /// The least time that it took in several tries.
        took: Duration,
        /// The longest time that is allowed.
        limit: Duration,
    },
    /// A freshly loaded model predicts otherwise than when it was trained, or no numbers at all.
    #[error("version {version} of `{hardware}` fails its self-test: {reason}")]
    SelfTest {
        /// The hardware target of the version.
        hardware: HardwareName,
        /// The version's number in its hardware target.
        version: u32,
        /// The prediction that is wrong, or the golden architecture that cannot be read.
        reason: String,
    },
    /// A prediction that is no number.
    #[error("version {version} of `{hardware}` predicts {value} {unit} for {architecture}")]
    Impossible {
        /// The hardware target of the version.
        hardware: HardwareName,
        /// The version's number in its hardware target.
        version: u32,
        /// The prediction or a part of it: NaN or infinite.
        value: f64,
        /// The unit of what the version predicts: `ms` or `J`.
        unit: &'static str,
        /// The canonical text of the architecture.
        architecture: String,
    },
    /// It predicts architectures of its space, and no other networks.
    #[error(
        "version {version} of `{hardware}`, of the recipe `{recipe}`, predicts architectures of its space alone; networks as ONNX are \
         predicted by recipes that sum over operators, such as `additive`"
    )]
    ReadsArchitectures {
        /// The hardware target of the version.
        hardware: HardwareName,
        /// The version's number in its hardware target.
        version: u32,
        /// The name of its recipe.
        recipe: String,
    },
    /// There is no search space of the name that the version has.
    #[error(transparent)]
    Space(#[from] UnknownSpace),
    /// The registry could not be read, or lacks what the version consists of.
    #[error(transparent)]
    Registry(Arc<lglp_registry::Error>),
    /// A plugin is missing, or a call into one failed.
    #[error(transparent)]
    Plugin(#[from] PluginError),
}

impl From<lglp_registry::Error> for ModelError {
    fn from(error: lglp_registry::Error) -> Self {
        Self::Registry(Arc::new(error))
    }
}

impl ModelError {
    /// An error of a plugin over what was stored of a version, which is the version's; others stay what they are.
    pub(super) fn of_version(version: &Version, error: PluginError) -> Self {
        use PluginError::{Failed, InvalidParameters, UnsupportedState};
        let reason = match &error {
            Failed { .. } | InvalidParameters { .. } | UnsupportedState { .. } => error.to_string(),
            _ => return error.into(),
        };
        Self::Unloadable {
            hardware: version.hardware.clone(),
            version: version.version,
            reason,
        }
    }

    /// Whether it is the version that is at fault, which is the same whenever it is loaded.
    pub fn is_the_versions(&self) -> bool {
        matches!(
            self,
            Self::Unreadable { .. }
                | Self::SpaceChanged { .. }
                | Self::Unloadable { .. }
                | Self::TooSlow { .. }
                | Self::SelfTest { .. }
                | Self::Impossible { .. }
        )
    }
}

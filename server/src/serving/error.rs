//! Why a prediction cannot be made. One failure may be the answer to many requests, so errors can be cloned.

use lglp_engine::predictor::ModelError;
use lglp_registry::{AliasName, HardwareName, PRODUCTION};

use super::table::Key;
use crate::compute::Lost;

/// An error of serving a prediction.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServingError {
    /// Nothing was promoted on this hardware yet.
    #[error(
        "no model is in production on `{hardware}` yet; train one (`lglp train --hardware {hardware}`) and promote it \
         (`lglp promote --hardware {hardware} VERSION`)"
    )]
    NoProduction {
        /// The target that was asked.
        hardware: HardwareName,
    },
    /// Another alias that does not exist.
    #[error("`{hardware}` has no alias `{alias}`")]
    NoAlias {
        /// The target that was asked.
        hardware: HardwareName,
        /// The alias that it does not have.
        alias: AliasName,
    },
    /// Too many other versions wait to be loaded.
    #[error("too many versions wait to be loaded; ask for version {version} of `{hardware}` again in a second")]
    TooManyLoads {
        /// The target that was asked.
        hardware: HardwareName,
        /// The version that was not loaded.
        version: u32,
    },
    /// The server ends, or the target was deleted or replaced meanwhile.
    #[error("loading version {version} of `{hardware}` was cut off; the log tells why")]
    CutOff {
        /// The target that was asked.
        hardware: HardwareName,
        /// The version that was not loaded.
        version: u32,
    },
    /// Nothing came out of the work on it.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The version's own, or of what it is loaded from.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl From<lglp_registry::Error> for ServingError {
    fn from(error: lglp_registry::Error) -> Self {
        Self::Model(error.into())
    }
}

impl ServingError {
    /// Whether somebody named a version that does not exist.
    pub(super) fn is_no_such_version(&self) -> bool {
        use lglp_registry::Error::NotFound;
        let Self::Model(ModelError::Registry(error)) = self else {
            return false;
        };
        matches!(
            **error,
            NotFound {
                what: "version" | "hardware target",
                ..
            }
        )
    }

    pub(super) fn no_alias(hardware: &HardwareName, alias: &AliasName) -> Self {
        let hardware = hardware.clone();
        if alias.as_str() == PRODUCTION {
            return Self::NoProduction { hardware };
        }
        let alias = alias.clone();
        Self::NoAlias { hardware, alias }
    }

    pub(super) fn cut_off((hardware, version): &Key) -> Self {
        Self::CutOff {
            hardware: hardware.clone(),
            version: *version,
        }
    }
}

//! Which space is meant where nobody says: the one that a hardware target was measured in.

use std::sync::Arc;

use lglp_registry::{Error, HardwareName, Store};
use lglp_sdk::SearchSpace;

use super::{Spaces, UnknownSpace};

/// Why it is not clear which space is meant.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpaceError {
    #[error(transparent)]
    Unknown(#[from] UnknownSpace),
    #[error("`{hardware}` was measured in several spaces; name one by `space`: {}", spaces.join(", "))]
    Several {
        hardware: HardwareName,
        spaces: Vec<String>,
    },
    #[error("`{hardware}` has no measurements yet; measure or import some (lglp measure, lglp dataset import)")]
    NotMeasured { hardware: HardwareName },
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
}

/// The space of a target that nothing says one of.
const USUAL: &str = "mobilenetv3";

impl Spaces {
    /// As [`Self::of_target`], where the target may be new, or not measured yet.
    ///
    /// # Errors
    /// [`SpaceError`], but not for what is not measured.
    pub fn of_new_target(
        &self,
        store: &dyn Store,
        hardware: &HardwareName,
        asked: Option<&str>,
    ) -> Result<&Arc<SearchSpace>, SpaceError> {
        match self.of_target(store, hardware, asked) {
            Err(SpaceError::NotMeasured { .. } | SpaceError::Registry(Error::NotFound { .. })) => Ok(self.get(USUAL)?),
            found => found,
        }
    }

    /// The space that is asked for, or the one that the target was measured in.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn of_target(
        &self,
        store: &dyn Store,
        hardware: &HardwareName,
        asked: Option<&str>,
    ) -> Result<&Arc<SearchSpace>, SpaceError> {
        if let Some(asked) = asked {
            return Ok(self.get(asked)?);
        }
        let measured = store.measured_spaces(hardware)?;
        let spaces: Vec<String> = measured.into_iter().map(|measured| measured.space).collect();
        let hardware = hardware.clone();
        match &spaces[..] {
            [] => Err(SpaceError::NotMeasured { hardware }),
            [only] => Ok(self.get(only)?),
            _ => Err(SpaceError::Several { hardware, spaces }),
        }
    }
}

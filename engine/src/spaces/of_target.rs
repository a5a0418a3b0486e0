//! Which space is meant where nobody says: the one that a hardware target was measured in.

use std::sync::Arc;

use lglp_registry::{Error, HardwareName, ONNX, Registry};
use lglp_sdk::SearchSpace;

use super::{Spaces, UnknownSpace};

/// Why it is not clear which space is meant.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpaceError {
    /// There is no space of the name that was asked for, or that the target was measured in.
    #[error(transparent)]
    Unknown(#[from] UnknownSpace),
    /// None was asked for, and the target leaves the choice.
    #[error("`{hardware}` was measured in several spaces; name one by `space`: {}", spaces.join(", "))]
    Several {
        /// The target.
        hardware: HardwareName,
        /// The names of the spaces that it was measured in.
        spaces: Vec<String>,
    },
    /// None was asked for, and the target tells none.
    #[error("`{hardware}` has no measurements yet; measure or import some (lglp measure, lglp dataset import)")]
    NotMeasured {
        /// The target.
        hardware: HardwareName,
    },
    /// The registry did not tell what the target was measured in: there is no such target, for one.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
}

/// The space of a target that nothing says one of.
const USUAL: &str = "mobilenetv3";

impl Spaces {
    /// The space whose reference network a new target is calibrated by that is measured in a space: that one, if it has networks.
    ///
    /// # Errors
    /// Where that is none, and the usual space is not there either.
    pub fn calibrating<'a>(&'a self, space: &'a SearchSpace) -> Result<&'a SearchSpace, UnknownSpace> {
        match space.has_networks() {
            true => Ok(space),
            false => self.get(USUAL).map(AsRef::as_ref),
        }
    }

    /// As [`Self::of_target`], where the target may be new, or not measured yet.
    ///
    /// # Errors
    /// [`SpaceError`], but not for what is not measured.
    pub fn of_new_target(
        &self,
        store: &dyn Registry,
        hardware: &HardwareName,
        asked: Option<&str>,
    ) -> Result<&Arc<SearchSpace>, SpaceError> {
        match self.of_target(store, hardware, asked) {
            Err(SpaceError::NotMeasured { .. } | SpaceError::Registry(Error::NotFound { .. })) => Ok(self.get(USUAL)?),
            found => found,
        }
    }

    /// A space whose reference network calibrates a target that networks of no space are measured on: the first that it was measured in and that
    /// has networks, or the usual one.
    ///
    /// # Errors
    /// Those of the registry; `Unknown` where the usual space is not there.
    pub fn of_networks(&self, store: &dyn Registry, hardware: &HardwareName) -> Result<&Arc<SearchSpace>, SpaceError> {
        let measured = match store.measured_spaces(hardware) {
            Err(Error::NotFound { .. }) => Vec::new(),
            measured => measured?,
        };
        let known = measured.iter().filter_map(|measured| self.get(&measured.space).ok());
        let mut with_networks = known.filter(|space| space.has_networks());
        match with_networks.next() {
            Some(space) => Ok(space),
            None => Ok(self.get(USUAL)?),
        }
    }

    /// The space that is asked for, or the one that the target was measured in.
    ///
    /// # Errors
    /// [`SpaceError`].
    pub fn of_target(
        &self,
        store: &dyn Registry,
        hardware: &HardwareName,
        asked: Option<&str>,
    ) -> Result<&Arc<SearchSpace>, SpaceError> {
        if let Some(asked) = asked {
            return Ok(self.get(asked)?);
        }
        let measured = store.measured_spaces(hardware)?;
        let all: Vec<String> = measured.into_iter().map(|measured| measured.space).collect();
        let spaces: Vec<String> = all.iter().filter(|space| *space != ONNX).cloned().collect();
        let hardware = hardware.clone();
        match &spaces[..] {
            // What its networks teach of operators serves any space.
            [] if !all.is_empty() => Ok(self.get(USUAL)?),
            [] => Err(SpaceError::NotMeasured { hardware }),
            [only] => Ok(self.get(only)?),
            _ => Err(SpaceError::Several { hardware, spaces }),
        }
    }
}

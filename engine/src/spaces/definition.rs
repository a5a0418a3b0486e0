//! Which definition of a space measurements belong to: once its file is edited, the same texts name other networks, whose labels
//! must not be mixed.

use lglp_registry::{Digest, HardwareName, Measurement, ONNX, Registry};
use lglp_sdk::SearchSpace;

use super::Spaces;

/// The definition of a space, as far as measurements depend on it.
pub fn definition(space: &SearchSpace) -> Digest {
    let digest = format!("sha256:{}", space.networks_digest());
    digest.parse().expect("a SHA-256 in hexadecimal digits")
}

/// A measurement that is of no network that the space's texts name.
#[derive(Debug)]
pub struct Misfit {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong with it, for people.
    pub problem: String,
}

impl Spaces {
    /// Takes a measurement in that comes from elsewhere: its space must be known, its architecture be written as the space writes it,
    /// and the definition that it tells be the one here. One that tells none is taken for one of the definition here.
    pub fn admit(&self, measurement: &mut Measurement) -> Result<(), Misfit> {
        let misfit = |field, problem: String| Misfit { field, problem };
        // A network of no space says itself what it computes.
        if measurement.space == ONNX {
            return Ok(());
        }
        let space = self.get(&measurement.space);
        let space = space.map_err(|unknown| misfit("space", unknown.to_string()))?;
        let architecture = space.architecture_from_text(&measurement.architecture);
        let architecture = architecture.map_err(|error| misfit("architecture", error.to_string()))?;
        let canonical = space.canonical_text(&architecture);
        if canonical != measurement.architecture {
            return Err(misfit("architecture", format!("its canonical text is {canonical}")));
        }
        let here = definition(space);
        let told = measurement.space_definition.get_or_insert_with(|| here.clone());
        if *told == here {
            return Ok(());
        }
        let name = space.name();
        Err(misfit(
            "space_definition",
            format!("`{name}` is defined otherwise here ({here}): the same texts name other networks"),
        ))
    }
}

/// Why measurements cannot be used, or added to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// The same texts name other networks than when the target was measured.
    #[error(
        "`{hardware}` was measured when the space `{space}` was defined otherwise ({then}; it is {now}): the same texts name other \
         networks. Restore its file, or give the new definition a name of its own"
    )]
    Changed {
        /// The target with the measurements.
        hardware: HardwareName,
        /// The name of the space.
        space: String,
        /// The digest of the definition that the measurements belong to.
        then: Digest,
        /// The digest of the definition that the space has here.
        now: Digest,
    },
    /// The registry did not tell what the target was measured in.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
}

/// Makes sure that the measurements of a target are of the networks that a space's texts name today.
///
/// # Errors
/// [`DefinitionError::Changed`]; those of the registry, but for a target that there is none of.
pub(crate) fn require_same(
    store: &dyn Registry,
    hardware: &HardwareName,
    space: &SearchSpace,
) -> Result<(), DefinitionError> {
    let measured = match store.measured_spaces(hardware) {
        Err(lglp_registry::Error::NotFound { .. }) => return Ok(()),
        measured => measured?,
    };
    let now = definition(space);
    let then = measured.into_iter().find(|measured| measured.space == space.name());
    match then.and_then(|measured| measured.definition) {
        Some(then) if then != now => Err(DefinitionError::Changed {
            hardware: hardware.clone(),
            space: space.name().to_owned(),
            then,
            now,
        }),
        _ => Ok(()),
    }
}

//! Architectures that are given where one of a certain space is meant, or of none that is named.

use lglp_sdk::{Architecture, ArchitectureError, SearchSpace, strict};
use serde_json::Value;

use super::Spaces;

impl Spaces {
    /// Reads an architecture of a space from the text of JSON.
    ///
    /// # Errors
    /// As [`Self::architecture`], and where it is no JSON.
    pub fn architecture_from_slice(&self, space: &SearchSpace, text: &[u8]) -> Result<Architecture, ArchitectureError> {
        if let Some(read) = space.architecture_from_plain_json(text) {
            return Ok(read);
        }
        let value = strict::from_slice(text).map_err(|error| ArchitectureError {
            pointer: String::new(),
            message: format!("not readable as JSON: {error}"),
        })?;
        self.architecture(space, &value)
    }

    /// Reads an architecture of a space.
    ///
    /// # Errors
    /// What is wrong with it. Where its lists are as long as those of another space, that is what is wrong, and no single value.
    pub fn architecture(&self, space: &SearchSpace, value: &Value) -> Result<Architecture, ArchitectureError> {
        let error = match space.architecture_from_json(value) {
            Ok(architecture) => return Ok(architecture),
            Err(error) if space.has_shape_of(value) => return Err(error),
            Err(error) => error,
        };
        let Some(other) = self.of_shape(value) else {
            return Err(error);
        };
        Err(ArchitectureError {
            pointer: String::new(),
            message: format!(
                "an architecture of the space `{}` ({}), where one of `{}` ({}) is expected; ask a target or version of that space, \
                 or write it for this one",
                other.name(),
                other.shape(),
                space.name(),
                space.shape()
            ),
        })
    }

    /// A space whose architectures are as long as this.
    pub fn of_shape(&self, value: &Value) -> Option<&SearchSpace> {
        self.iter().find(|space| space.has_shape_of(value)).map(AsRef::as_ref)
    }
}

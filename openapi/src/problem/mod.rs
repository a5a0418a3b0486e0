//! Errors as RFC 9457 `application/problem+json`.

pub mod responses;
mod slug;

pub use slug::Slug;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Media type of every error.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem, to branch on.
    #[serde(rename = "type")]
    #[schema(schema_with = slug::types)]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What went wrong here and how to mend it.
    pub detail: String,
    /// Places in the request body that are at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// Which request it was: the id that the answer's `X-Request-Id` and lines of the server's log have, after `urn:uuid:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "urn:uuid:0b1b1f4e-6f0c-4a26-9d0c-0d6a2c1d7f11")]
    pub instance: Option<String>,
}

impl Problem {
    /// The id of the request, where the server told it.
    pub fn request_id(&self) -> Option<&str> {
        self.instance.as_deref()?.strip_prefix("urn:uuid:")
    }

    /// Its kind, where this program knows it.
    pub fn slug(&self) -> Option<Slug> {
        Slug::of(&self.kind)
    }
}

/// One place at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// RFC 6901 pointer into the request body.
    #[schema(example = "/architectures/3/blocks/2/layers/0/kernel")]
    pub pointer: String,
    /// What is wrong there, in words.
    #[schema(example = "kernel is 4; allowed: 3, 5, 7")]
    pub detail: String,
}

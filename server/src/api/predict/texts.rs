//! The architectures of a body as texts.

use std::ops::Range;
use std::sync::OnceLock;

use actix_web::web::Bytes;
use lglp_sdk::strict;
use serde::de::IgnoredAny;

use super::super::body::malformed;
use super::super::problem::ApiError;

/// Texts within a body, which waits with them.
pub(super) struct Texts {
    body: Bytes,
    /// Where each begins and ends.
    places: Vec<Range<usize>>,
    /// That the body is JSON, or why not, once somebody has looked.
    is_json: OnceLock<Result<(), serde_json::Error>>,
}

impl Texts {
    pub(super) fn of(body: &Bytes, texts: &[&str], is_json: bool) -> Self {
        let place = |text: &&str| {
            let text = text.as_bytes().as_ptr_range();
            let begin = text.start.addr() - body.as_ptr().addr();
            begin..begin + (text.end.addr() - text.start.addr())
        };
        Self {
            body: body.clone(),
            places: texts.iter().map(place).collect(),
            is_json: if is_json {
                OnceLock::from(Ok(()))
            } else {
                OnceLock::new()
            },
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn text(&self, at: usize) -> &[u8] {
        &self.body[self.places[at].clone()]
    }

    /// Once a text is not read: that the body is JSON as a whole. Where all texts are, it is.
    ///
    /// # Errors
    /// Where it is not.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        let body = strict::without_mark(&self.body);
        let looked = || serde_json::from_slice::<IgnoredAny>(body).map(drop);
        let is_json = self.is_json.get_or_init(looked);
        is_json.as_ref().map_err(|error| malformed(body, error)).copied()
    }
}

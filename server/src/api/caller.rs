//! Who makes a request.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::problem::ApiError;

/// Who makes a request, for the audit log and for whatever depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub name: String,
}

impl Default for Caller {
    /// Somebody on this machine, as long as there are no tokens.
    fn default() -> Self {
        Self { name: "api".into() }
    }
}

impl Caller {
    /// Who acts, where a body may say so too: as long as there are no tokens, it is believed.
    pub fn actor(&self, said: String) -> String {
        if said.is_empty() { self.name.clone() } else { said }
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(request.extensions().get::<Self>().cloned().unwrap_or_default()))
    }
}

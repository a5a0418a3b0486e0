//! Who makes a request.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderValue;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use lglp_registry::{HardwareName, Role, Token, Worker};

use super::problem::ApiError;

/// Who makes a request, for the audit log and for whatever depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub name: String,
    pub role: Role,
    /// The hardware targets that the caller is confined to; none confine to nothing.
    pub hardware: Vec<HardwareName>,
    /// Whether a token says so.
    authenticated: bool,
}

impl Caller {
    /// Whoever holds a token.
    pub fn of(token: Token) -> Self {
        Self {
            name: token.name,
            role: token.role,
            hardware: token.hardware,
            authenticated: true,
        }
    }

    /// Somebody on this machine, as long as there are no tokens: who can reach a loopback address may do everything. Who says
    /// a name is believed.
    pub(crate) fn somebody_here(named: Option<&HeaderValue>) -> Self {
        let named = named
            .and_then(|name| name.to_str().ok())
            .filter(|name| !name.is_empty());
        Self {
            name: named.unwrap_or("api").into(),
            role: Role::Admin,
            hardware: Vec::new(),
            authenticated: false,
        }
    }

    /// Whoever makes a call that needs no token.
    pub fn nobody() -> Self {
        Self {
            role: Role::Viewer,
            ..Self::somebody_here(None)
        }
    }

    /// Whether a worker's process is the caller's: its token registered it. Without tokens everybody on this machine is trusted.
    pub(crate) fn speaks_for(&self, worker: &Worker) -> bool {
        !self.authenticated || worker.speaker() == self.name
    }

    /// Who is written down as the author of a change: the holder of the token, whatever the body of the request says; without
    /// tokens whom the body names, if anybody.
    pub(crate) fn acting_as(&self, named: String) -> String {
        if self.authenticated || named.is_empty() {
            self.name.clone()
        } else {
            named
        }
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| ApiError::internal("the request was not looked at by the access rules")))
    }
}

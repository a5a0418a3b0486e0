//! Who may do what: it stands before every route.
//!
//! The OpenAPI document says what each call needs (`rules.rs`), the registry which tokens there are (`tokens.rs`), bad ones
//! are counted (`lockout.rs`), and whoever is not admitted is told why (`refusal.rs`). Handlers get a [`Caller`] with the
//! role and the hardware that they may ask for more.
//!
//! Tokens are asked for where the server can be reached from other machines, and everywhere once the first token was created.
//! Revoking the last one does not open the server again.

mod lockout;
mod origin;
mod refusal;
mod rejected;
mod rules;
mod tokens;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, ResponseError, web};
use lglp_openapi::ACTOR_HEADER;
use lglp_registry::{HardwareName, Role, Store};
use utoipa::openapi::OpenApi;

use self::lockout::{LockOut, Verdict};
use self::rules::{Found, Need, Reach, Rules};
use self::tokens::Tokens;
use super::State;
use super::caller::Caller;
use super::metrics::Metrics;
use super::problem::ApiError;
use super::unrouted::no_such_route;
use crate::secret::Bearer;

/// What decides on requests.
pub struct Access {
    rules: Rules,
    /// The tokens that there are, revoked ones among them.
    pub tokens: Tokens,
    lock_out: LockOut,
    /// Whether other machines can reach the server.
    exposed: bool,
}

impl Access {
    /// Access by the rules of a document. `exposed` says whether other machines can reach the server.
    ///
    /// # Errors
    /// Those of the registry.
    pub fn new(document: &OpenApi, store: &dyn Store, exposed: bool) -> lglp_registry::Result<Self> {
        Ok(Self {
            rules: Rules::of(document),
            tokens: Tokens::load(store)?,
            lock_out: LockOut::default(),
            exposed,
        })
    }

    /// Whether calls need tokens.
    pub(crate) fn asks_for_tokens(&self) -> bool {
        self.exposed || !self.tokens.is_empty()
    }

    /// Who makes a call, if they may.
    fn admit(&self, request: &ServiceRequest, metrics: &Metrics) -> Result<Caller, ApiError> {
        let method = request.method().as_str();
        // What the router matches, not what was sent: `/v1/%61udit` is `/v1/audit` to it.
        let path = request.match_info().as_str();
        let found = self.rules.find(method, path);
        if let Some(Found {
            need: Need::Nothing, ..
        }) = found
        {
            return Ok(Caller::nobody());
        }
        // Elsewhere nobody learns without a token what there is; here everybody may know.
        if found.is_none() && self.rules.is_open(path) {
            return Err(no_such_route(method, path));
        }
        let caller = if self.asks_for_tokens() {
            self.authenticate(request, metrics)?
        } else {
            origin::check(request.headers())?;
            Caller::somebody_here(request.headers().get(ACTOR_HEADER))
        };
        // Nobody learns without a token what there is.
        let Found { need, reach } = found.ok_or_else(|| no_such_route(method, path))?;
        match need {
            Need::Nothing => {}
            Need::Role(role) => caller.require(role)?,
            Need::Rule => return Err(refusal::no_rule()),
        }
        match reach {
            Reach::Hardware(name) => match name.parse() {
                Ok(name) => caller.may_use(&name)?,
                // No name at all: that it is unknown is told to whoever may use everything.
                Err(_) => caller.may_use_all()?,
            },
            Reach::Shared => {}
            Reach::Server => caller.may_use_all()?,
        }
        Ok(caller)
    }

    fn authenticate(&self, request: &ServiceRequest, metrics: &Metrics) -> Result<Caller, ApiError> {
        let header = request.headers().get(AUTHORIZATION).ok_or_else(refusal::missing)?;
        let token = bearer(header)
            .map_err(|why| refusal::malformed(&why))
            .and_then(|bearer| self.tokens.recognise(&bearer).map_err(refusal::rejected));
        token.map(Caller::of).map_err(|error| {
            metrics.bad_tokens.inc();
            let address = request
                .peer_addr()
                .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |a| a.ip());
            match self.lock_out.bad_token(address, Instant::now()) {
                Verdict::Tolerated => error,
                Verdict::LockedOut { wait, begins } => {
                    if begins {
                        metrics.lock_outs.inc();
                        tracing::warn!(%address, "too many bad tokens; further ones from there are answered 429");
                    }
                    refusal::locked_out(wait)
                }
            }
        })
    }
}

/// The token in an `Authorization` header. The error does not repeat what was sent.
fn bearer(header: &HeaderValue) -> Result<Bearer, String> {
    let text = header.to_str().map_err(|_| "it is not ASCII".to_owned())?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            token.trim().parse().map_err(|malformed| format!("{malformed}"))
        }
        _ => Err("the scheme is not Bearer".into()),
    }
}

/// The middleware: admits a request with its [`Caller`], or answers in the place of the route.
pub(super) async fn guard(
    state: web::Data<State>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match state.access.admit(&request, &state.metrics) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(problem) => Ok(request.into_response(problem.error_response()).map_into_right_body()),
    }
}

impl Caller {
    /// Succeeds where the caller's role is this one or may do more.
    ///
    /// # Errors
    /// 403, naming both roles.
    pub fn require(&self, needed: Role) -> Result<(), ApiError> {
        if self.role >= needed {
            Ok(())
        } else {
            Err(refusal::role(&self.name, self.role, needed))
        }
    }

    /// Succeeds where the hardware target is in the caller's scope.
    ///
    /// # Errors
    /// 403, naming the scope.
    pub(crate) fn may_use(&self, hardware: &HardwareName) -> Result<(), ApiError> {
        if self.sees(hardware) {
            Ok(())
        } else {
            Err(refusal::scope(&self.name, &self.hardware, &format!("`{hardware}`")))
        }
    }

    /// Whether lists show the hardware target to the caller.
    pub fn sees(&self, hardware: &HardwareName) -> bool {
        self.hardware.is_empty() || self.hardware.contains(hardware)
    }

    fn may_use_all(&self) -> Result<(), ApiError> {
        if self.hardware.is_empty() {
            Ok(())
        } else {
            let reached = "about the server as a whole";
            Err(refusal::scope(&self.name, &self.hardware, reached))
        }
    }
}

//! Every error of the API, and the problem document that it becomes.

mod failures;
mod registry;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use lglp_openapi::problem::{Fault, MEDIA_TYPE, Problem, Slug};
use lglp_sdk::excerpt::{MESSAGE, shortened};

use super::request_id;

/// Faulty places that one answer lists at most.
pub(super) const FAULTS_LISTED: usize = 20;

/// What a handler fails with. Whatever it was made from, nothing in it is longer than [`MESSAGE`]: what was sent is not sent
/// back.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    slug: Slug,
    title: &'static str,
    detail: String,
    errors: Vec<Fault>,
    /// Headers that go with it.
    headers: Vec<(HeaderName, String)>,
}

impl ApiError {
    pub fn new(status: StatusCode, slug: Slug, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            slug,
            title,
            detail: shortened(detail.into(), MESSAGE),
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// The body is not what the call takes; each fault names its place.
    pub(crate) fn invalid_request(mut errors: Vec<Fault>) -> Self {
        let found = errors.len();
        errors.truncate(FAULTS_LISTED);
        let errors: Vec<Fault> = errors.into_iter().map(shortened_fault).collect();
        let detail = match errors.as_slice() {
            [one] if one.pointer.is_empty() => one.detail.clone(),
            [one] => format!("{}: {}", one.pointer, one.detail),
            _ => format!("{found} places are at fault; see `errors`"),
        };
        let title = "The request is not valid";
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, Slug::InvalidRequest, title, detail);
        problem.errors = errors;
        problem
    }

    /// The memory for bodies is taken.
    pub fn overloaded() -> Self {
        let detail = "too much is being received and parsed already; try again in a second";
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            Slug::Overloaded,
            "Too many requests",
            detail,
        )
        .with_header(RETRY_AFTER, "1")
    }

    /// Too many requests of a kind wait.
    pub fn too_many(detail: &str) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            Slug::Overloaded,
            "Too many requests",
            detail,
        )
        .with_header(RETRY_AFTER, "5")
    }

    /// The server could do it, but not now.
    pub fn busy(detail: impl Into<String>) -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Slug::Busy,
            "The server is busy",
            detail,
        );
        problem.headers.push((RETRY_AFTER, "5".into()));
        problem
    }

    /// The body does not come along.
    pub(crate) fn too_slow(detail: impl Into<String>) -> Self {
        let title = "The body comes too slowly";
        Self::new(StatusCode::REQUEST_TIMEOUT, Slug::BodyTooSlow, title, detail)
    }

    /// The same, of one place.
    fn at(mut self, pointer: String, detail: String) -> Self {
        self.errors = vec![shortened_fault(Fault { pointer, detail })];
        self
    }

    pub(crate) fn precondition_required(detail: impl Into<String>) -> Self {
        let title = "If-Match is required";
        Self::new(
            StatusCode::PRECONDITION_REQUIRED,
            Slug::PreconditionRequired,
            title,
            detail,
        )
    }

    /// The same, with a header.
    pub fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Whether a plugin did not come back.
    pub(crate) fn is_overdue(&self) -> bool {
        self.status == StatusCode::GATEWAY_TIMEOUT
    }

    /// The faulty places of a body; the error itself where it is another one.
    pub(crate) fn into_faults(self) -> Result<Vec<Fault>, Self> {
        if self.errors.is_empty() {
            Err(self)
        } else {
            Ok(self.errors)
        }
    }

    /// The document.
    pub fn problem(&self) -> Problem {
        Problem {
            kind: self.slug.urn(),
            title: self.title.into(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            errors: self.errors.clone(),
            instance: request_id::current(),
        }
    }

    /// A fault of this server; details go to its log.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            Slug::Internal,
            "The server failed",
            detail,
        )
    }
}

/// Messages of serde, of plugins and of other machines are here for the first time.
fn shortened_fault(Fault { pointer, detail }: Fault) -> Fault {
    Fault {
        pointer: shortened(pointer, POINTER),
        detail: shortened(detail, MESSAGE),
    }
}

/// Characters of a pointer at most.
const POINTER: usize = 300;

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        // A server that stops says so to everybody who waits: that is no news.
        if self.status.is_server_error() && self.slug != Slug::Stopping {
            tracing::error!(problem = self.slug.as_str(), "{}", self.detail);
        }
        let mut response = HttpResponse::build(self.status);
        response.content_type(MEDIA_TYPE);
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.as_str()));
        }
        response.json(self.problem())
    }
}

//! Every error of the API, and the problem document that it becomes.

use std::io;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ALLOW, CONTENT_TYPE, ETAG, HeaderName, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use lglp_openapi::problem::{Fault, MEDIA_TYPE, Problem};
use lglp_registry::{Error as RegistryError, Verdict};
use lglp_sdk::Excerpt;
use lglp_sdk::excerpt::{MESSAGE, shortened};

use super::document;
use crate::bundles::BundleError;
use crate::compute::{Full, Lost};
use crate::jobs::JobError;
use crate::lineage::DiffError;
use crate::plugins::PluginError;
use crate::serving::{REFUSED_FOR, ServingError};
use crate::spaces::UnknownSpace;
use crate::train::DataError;

/// Faulty places that one answer lists at most.
pub const FAULTS_LISTED: usize = 20;

/// What a handler fails with. Whatever it was made from, nothing in it is longer than [`MESSAGE`]: what was sent is not sent
/// back.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<Fault>,
    /// Headers that go with it.
    headers: Vec<(HeaderName, String)>,
}

impl ApiError {
    pub fn new(status: StatusCode, slug: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
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
    pub fn invalid_request(mut errors: Vec<Fault>) -> Self {
        let found = errors.len();
        errors.truncate(FAULTS_LISTED);
        let errors: Vec<Fault> = errors.into_iter().map(shortened_fault).collect();
        let detail = match errors.as_slice() {
            [one] if one.pointer.is_empty() => one.detail.clone(),
            [one] => format!("{}: {}", one.pointer, one.detail),
            _ => format!("{found} places are at fault; see `errors`"),
        };
        let title = "The request is not valid";
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-request", title, detail);
        problem.errors = errors;
        problem
    }

    /// The memory for bodies is taken.
    pub fn overloaded() -> Self {
        let detail = "too much is being received and parsed already; try again in a second";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "overloaded", "Too many requests", detail)
            .with_header(RETRY_AFTER, "1")
    }

    /// Too many requests of a kind wait.
    pub fn too_many(detail: &str) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "overloaded", "Too many requests", detail)
            .with_header(RETRY_AFTER, "5")
    }

    /// The server could do it, but not now.
    pub fn busy(detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "The server is busy", detail);
        problem.headers.push((RETRY_AFTER, "5".into()));
        problem
    }

    /// The body does not come along.
    pub fn too_slow(detail: impl Into<String>) -> Self {
        let title = "The body comes too slowly";
        Self::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", title, detail)
    }

    /// Each rule that failed, with its figures.
    fn gate_refused(verdict: &Verdict, detail: String) -> Self {
        let title = "The gate refuses the version";
        let mut problem = Self::new(StatusCode::CONFLICT, "gate-refused", title, detail);
        let failed = verdict.rules.iter().filter(|rule| !rule.passed);
        problem.errors = failed
            .map(|rule| Fault {
                pointer: format!("/gate/{}", rule.rule),
                detail: rule.detail.clone(),
            })
            .collect();
        problem
    }

    pub fn precondition_required(detail: impl Into<String>) -> Self {
        let title = "If-Match is required";
        Self::new(
            StatusCode::PRECONDITION_REQUIRED,
            "precondition-required",
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
    pub fn is_overdue(&self) -> bool {
        self.status == StatusCode::GATEWAY_TIMEOUT
    }

    /// The faulty places of a body; the error itself where it is another one.
    pub fn into_faults(self) -> Result<Vec<Fault>, Self> {
        if self.errors.is_empty() {
            Err(self)
        } else {
            Ok(self.errors)
        }
    }

    /// The document.
    pub fn problem(&self) -> Problem {
        Problem {
            kind: format!("urn:lglp:problem:{}", self.slug),
            title: self.title.into(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            errors: self.errors.clone(),
        }
    }

    /// A fault of this server; details go to its log.
    /// Nothing was written, and will be once there is space.
    fn disk_full(detail: String) -> Self {
        let title = "The disk is full";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "disk-full", title, detail).with_header(RETRY_AFTER, "30")
    }

    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
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
        if self.status.is_server_error() && self.slug != "stopping" {
            tracing::error!(problem = self.slug, "{}", self.detail);
        }
        let mut response = HttpResponse::build(self.status);
        response.content_type(MEDIA_TYPE);
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.as_str()));
        }
        response.json(self.problem())
    }
}

impl From<RegistryError> for ApiError {
    fn from(error: RegistryError) -> Self {
        Self::from(&error)
    }
}

impl From<&RegistryError> for ApiError {
    fn from(error: &RegistryError) -> Self {
        let detail = error.to_string();
        match error {
            RegistryError::Invalid { field, reason } => {
                let pointer = format!("/{}", field.replace('.', "/"));
                Self::invalid_request(vec![Fault {
                    pointer,
                    detail: reason.clone(),
                }])
            }
            RegistryError::NotFound { what, .. } => {
                let (slug, title) = match *what {
                    "hardware target" => ("unknown-hardware", "Unknown hardware"),
                    "version" => ("unknown-version", "Unknown version"),
                    _ => ("not-found", "Not found"),
                };
                Self::new(StatusCode::NOT_FOUND, slug, title, detail)
            }
            RegistryError::MissingBlob { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "missing-blob",
                "A blob is missing",
                detail,
            ),
            RegistryError::Conflict { .. } => Self::new(
                StatusCode::CONFLICT,
                "conflict",
                "Something else is recorded there",
                detail,
            ),
            RegistryError::StaleGeneration { current, .. } => {
                let title = "It has moved meanwhile";
                let mut problem = Self::new(StatusCode::PRECONDITION_FAILED, "stale-generation", title, detail);
                problem.headers.push((ETAG, format!("\"{current}\"")));
                problem
            }
            RegistryError::GateRefused { verdict, .. } => Self::gate_refused(verdict, detail),
            RegistryError::NoPrevious { .. } => Self::new(
                StatusCode::CONFLICT,
                "nothing-to-roll-back-to",
                "There is no earlier version",
                detail,
            ),
            RegistryError::QuotaReached { .. } => Self::new(
                StatusCode::FORBIDDEN,
                "quota-reached",
                "The caller has created all that it may",
                detail,
            ),
            RegistryError::QueueFull { .. } | RegistryError::ShareTaken { .. } => {
                let title = "Too many jobs are waiting";
                let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "queue-full", title, detail);
                problem.headers.push((RETRY_AFTER, "30".into()));
                problem
            }
            RegistryError::JobEnded { .. } => Self::new(StatusCode::CONFLICT, "job-ended", "The job has ended", detail),
            RegistryError::StaleInstance { .. } => Self::new(
                StatusCode::CONFLICT,
                "stale-instance",
                "Another process is this worker now",
                detail,
            ),
            RegistryError::StaleLease { .. } => {
                Self::new(StatusCode::CONFLICT, "stale-lease", "The lease is over", detail)
            }
            RegistryError::WritesStopped { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "writes-stopped",
                "The registry takes no more writes",
                detail,
            ),
            RegistryError::DiskFull { .. } => Self::disk_full(detail),
            RegistryError::Io { source, .. } if is_full(source) => Self::disk_full(detail),
            RegistryError::Busy { .. } => {
                let title = "Too many are writing";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "writers-busy", title, detail).with_header(RETRY_AFTER, "1")
            }
            RegistryError::AuditBroken { .. } | RegistryError::RecordDiffers { .. } => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "audit-broken",
                "The audit log does not hold",
                detail,
            ),
            _ => Self::internal(detail),
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull)
}

impl From<UnknownSpace> for ApiError {
    fn from(error: UnknownSpace) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown-space",
            "Unknown search space",
            error.to_string(),
        )
    }
}

impl From<PluginError> for ApiError {
    fn from(error: PluginError) -> Self {
        let detail = error.to_string();
        let failed = |slug, title| Self::new(StatusCode::INTERNAL_SERVER_ERROR, slug, title, detail.clone());
        match error {
            PluginError::Panicked { .. } => failed("plugin-panicked", "A plugin panicked"),
            PluginError::Quarantined { .. } => {
                let title = "A plugin is in quarantine";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "plugin-quarantined", title, detail)
                    .with_header(RETRY_AFTER, "30")
            }
            PluginError::TenantQuarantined { .. } => {
                let title = "The version is in quarantine";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "version-quarantined", title, detail)
                    .with_header(RETRY_AFTER, "30")
            }
            PluginError::NoSuchComponent { .. } | PluginError::Unavailable { .. } => {
                let title = "A plugin is not available";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "plugin-unavailable", title, detail)
            }
            _ => failed("plugin-failed", "A plugin failed"),
        }
    }
}

impl From<Full> for ApiError {
    fn from(full: Full) -> Self {
        let title = "Too many requests";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "overloaded", title, full.to_string()).with_header(RETRY_AFTER, "1")
    }
}

impl From<Lost> for ApiError {
    fn from(lost: Lost) -> Self {
        let detail = lost.to_string();
        match lost {
            Lost::Overdue { .. } => {
                let title = "A plugin does not answer";
                Self::new(StatusCode::GATEWAY_TIMEOUT, "plugin-overdue", title, detail)
            }
            Lost::Stopping | Lost::Unwanted => {
                let title = "The server is stopping";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", title, detail).with_header(RETRY_AFTER, "5")
            }
            _ => Self::internal(detail),
        }
    }
}

impl From<ServingError> for ApiError {
    fn from(error: ServingError) -> Self {
        let detail = error.to_string();
        match error {
            ServingError::NoProduction { .. } => Self::new(
                StatusCode::NOT_FOUND,
                "no-production-model",
                "No model is in production",
                detail,
            ),
            ServingError::NoAlias { .. } => Self::new(StatusCode::NOT_FOUND, "unknown-alias", "Unknown alias", detail),
            ServingError::TooManyLoads { .. } => Self {
                detail,
                ..Self::overloaded()
            },
            ServingError::Lost(lost) => lost.into(),
            ServingError::Space(error) => error.into(),
            ServingError::Registry(error) => Self::from(&*error),
            ServingError::Plugin(error) => error.into(),
            error if error.is_the_versions() => {
                let title = "The version cannot be used";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "version-unusable", title, detail)
                    .with_header(RETRY_AFTER, REFUSED_FOR.as_secs().to_string())
            }
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "model-unusable",
                "The model cannot be used",
                detail,
            ),
        }
    }
}

impl From<JobError> for ApiError {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Registry(error) => error.into(),
            JobError::Space(error) => error.into(),
            error => Self::internal(error.to_string()),
        }
    }
}

impl From<BundleError> for ApiError {
    fn from(error: BundleError) -> Self {
        let detail = error.to_string();
        let here = |slug, title| Self::new(StatusCode::CONFLICT, slug, title, detail.clone());
        let bundle = |slug, title| Self::new(StatusCode::UNPROCESSABLE_ENTITY, slug, title, detail.clone());
        match error {
            BundleError::OtherMachine { .. } => here("other-machine", "The hardware target is another machine here"),
            BundleError::NoSpace { .. } | BundleError::OtherSpace { .. } => {
                here("other-space", "The search space is another one here")
            }
            BundleError::MissingPlugins { .. } | BundleError::OtherPlugins { .. } => {
                here("other-plugins", "The plugins are others here")
            }
            BundleError::Unusable(ServingError::Lost(lost)) => lost.into(),
            BundleError::Unusable(ServingError::Plugin(
                error @ (PluginError::Quarantined { .. } | PluginError::TenantQuarantined { .. }),
            )) => error.into(),
            BundleError::Unusable(_) => bundle("model-unusable", "The model cannot be used"),
            BundleError::Registry(error) => error.into(),
            _ => bundle("invalid-bundle", "The bundle cannot be read"),
        }
    }
}

impl From<DiffError> for ApiError {
    fn from(error: DiffError) -> Self {
        let detail = error.to_string();
        match error {
            DiffError::Count { .. } => Self::invalid_request(vec![Fault {
                pointer: "/count".into(),
                detail,
            }]),
            DiffError::Data(DataError::Registry(error)) | DiffError::Registry(error) => error.into(),
            DiffError::Lost(lost) => lost.into(),
            DiffError::Data(_) => Self::internal(detail),
        }
    }
}

/// Requests that no route takes.
pub async fn no_route(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let (method, path) = (request.method(), request.path());
    let allowed = document::methods(path);
    if *method == Method::OPTIONS && !allowed.is_empty() {
        let allow = (ALLOW, allowed.join(", "));
        return Ok(HttpResponse::NoContent().insert_header(allow).finish());
    }
    Err(no_such_route(method.as_str(), path))
}

/// The middleware that makes a problem of a failure which has none, since the framework or the pages answered in our place.
pub async fn explain(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let answer = next.call(request).await?;
    let status = answer.status();
    let is_plain = answer
        .headers()
        .get(CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !is_plain || !(status.is_client_error() || status.is_server_error()) {
        return Ok(answer.map_into_left_body());
    }
    let request = answer.request().clone();
    let problem = match status {
        StatusCode::NOT_FOUND => nothing_at(request.path()),
        _ => {
            let title = status.canonical_reason().unwrap_or("The request failed");
            ApiError::new(
                status,
                "refused",
                title,
                "the request cannot be read; see /docs for what this server takes",
            )
        }
    };
    Ok(ServiceResponse::new(
        request,
        problem.error_response().map_into_right_body(),
    ))
}

/// Nothing is there, or something that has other methods.
pub fn no_such_route(method: &str, path: &str) -> ApiError {
    let allowed = document::methods(path);
    if allowed.is_empty() {
        return nothing_at(path);
    }
    let allowed = allowed.join(", ");
    let detail = format!("{} takes {allowed}, not {}", Excerpt::of(path), Excerpt::of(method));
    let title = "The method is not allowed";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", title, detail).with_header(ALLOW, allowed)
}

fn nothing_at(path: &str) -> ApiError {
    let detail = format!("there is nothing at {}; /docs lists every call", Excerpt::of(path));
    ApiError::new(StatusCode::NOT_FOUND, "no-such-path", "No such path", detail)
}

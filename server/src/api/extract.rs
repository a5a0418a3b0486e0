//! Doing blocking work, and failing to read a path; each failure is a problem document. Bodies are read in `body.rs`, paths and
//! queries in `words.rs`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use lglp_openapi::problem::Slug;
use lglp_registry::HardwareName;
use lglp_sdk::Excerpt;

pub use super::body::BODY_LIMIT;
pub(super) use super::body::{Body, Bytes};
use super::problem::ApiError;

/// Runs blocking work (the registry, plugins) off the threads that answer requests. A panic there fails one request.
pub(super) async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    // So that what is logged there is known to be this request's.
    let span = tracing::Span::current();
    match web::block(move || span.in_scope(work)).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(ApiError::internal(
            "the work on this request was cut off; the log tells why",
        )),
    }
}

/// A path whose parameters are not what they stand for.
pub(super) fn path_error(error: impl std::fmt::Display, request: &HttpRequest) -> actix_web::Error {
    let detail = format!("{}: {}", Excerpt::of(request.path()), Excerpt::of(error));
    ApiError::new(StatusCode::NOT_FOUND, Slug::NoSuchPath, "No such path", detail).into()
}

/// A hardware name from a path.
pub(super) fn hardware_name(name: &str) -> Result<HardwareName, ApiError> {
    name.parse().map_err(|error: lglp_registry::Error| {
        ApiError::new(
            StatusCode::NOT_FOUND,
            Slug::UnknownHardware,
            "Unknown hardware",
            error.to_string(),
        )
    })
}

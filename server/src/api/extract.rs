//! What handlers take out of a request, by one name: bodies (`body.rs`), names in paths; paths and queries are read in `words.rs`.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use lglp_openapi::problem::Slug;
use lglp_registry::HardwareName;
use lglp_sdk::Excerpt;

pub(super) use super::blocking::blocking;
pub use super::body::BODY_LIMIT;
pub(super) use super::body::{Body, Bytes};
use super::problem::ApiError;

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

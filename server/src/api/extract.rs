//! Reading paths, headers and bodies, each failure a problem document.

use actix_web::error::{JsonPayloadError, PathError, PayloadError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use lglp_openapi::problem::Fault;

use super::problem::ApiError;

/// Bytes of a JSON body at most.
pub const BODY_LIMIT: usize = 64 << 20;

/// Runs blocking work (the registry, plugins) off the threads that answer requests. A panic there fails one request.
pub async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    match web::block(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(ApiError::internal(
            "the work on this request was cut off; the log tells why",
        )),
    }
}

pub fn json_config() -> web::JsonConfig {
    web::JsonConfig::default()
        .limit(BODY_LIMIT)
        .content_type_required(false)
        .error_handler(|error, _| json_error(&error).into())
}

pub fn payload_config() -> web::PayloadConfig {
    web::PayloadConfig::new(BODY_LIMIT)
}

pub fn path_error(error: PathError, request: &HttpRequest) -> actix_web::Error {
    let detail = format!("{}: {error}", request.path());
    ApiError::new(StatusCode::NOT_FOUND, "no-such-path", "No such path", detail).into()
}

pub fn query_error(error: QueryPayloadError, _: &HttpRequest) -> actix_web::Error {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "invalid-query",
        "The query is not valid",
        error.to_string(),
    )
    .into()
}

fn json_error(error: &JsonPayloadError) -> ApiError {
    match error {
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => too_large(),
        JsonPayloadError::Payload(PayloadError::Overflow) => too_large(),
        JsonPayloadError::Deserialize(e) if e.is_data() => {
            let detail = e.to_string();
            ApiError::invalid_request(vec![Fault {
                pointer: String::new(),
                detail,
            }])
        }
        JsonPayloadError::Deserialize(e) => malformed(e),
        other => ApiError::new(
            StatusCode::BAD_REQUEST,
            "unreadable-body",
            "The body cannot be read",
            other.to_string(),
        ),
    }
}

fn malformed(error: &serde_json::Error) -> ApiError {
    let detail = format!("the body is not JSON: {error}");
    ApiError::new(StatusCode::BAD_REQUEST, "malformed-json", "Malformed JSON", detail)
}

fn too_large() -> ApiError {
    let detail = format!(
        "the body is larger than {} MiB; send fewer architectures per request",
        BODY_LIMIT >> 20
    );
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body-too-large",
        "The body is too large",
        detail,
    )
}

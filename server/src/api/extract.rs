//! Reading paths, headers and bodies, each failure a problem document.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::{PathError, PayloadError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, web};
use lglp_openapi::problem::Fault;
use lglp_sdk::Excerpt;
use lglp_sdk::excerpt::MESSAGE;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::connections::TooSlow;
use super::problem::ApiError;
use crate::strict::Strict;

/// Bytes of a body at most.
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

/// A JSON body. Its content type is not asked for: `curl -d` sends another one.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = Bytes::from_request(request, payload);
        Box::pin(async move { parse(&bytes.await?.0).map(Self) })
    }
}

/// A body as it comes.
pub struct Bytes(pub web::Bytes);

impl FromRequest for Bytes {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move { bytes.await.map(Self).map_err(|error| unreadable(&error)) })
    }
}

pub fn path_error(error: PathError, request: &HttpRequest) -> actix_web::Error {
    let detail = format!("{}: {}", Excerpt::of(request.path()), Excerpt::of(error));
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

fn unreadable(error: &actix_web::Error) -> ApiError {
    match error.as_error() {
        Some(PayloadError::Overflow) => too_large(),
        Some(error) if TooSlow::caused(error) => ApiError::too_slow(TooSlow.to_string()),
        _ => ApiError::new(
            StatusCode::BAD_REQUEST,
            "unreadable-body",
            "The body cannot be read",
            error.to_string(),
        ),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let error = match T::deserialize(Strict(&mut json)).and_then(|value| json.end().map(|()| value)) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if !error.is_data() {
        let detail = format!("the body is not JSON: {error}");
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "malformed-json",
            "Malformed JSON",
            detail,
        ));
    }
    // Once more, slower, to learn the place.
    let located = serde_path_to_error::deserialize::<_, T>(Strict(&mut serde_json::Deserializer::from_slice(bytes)));
    let place = located.err().map(|e| pointer(e.path())).unwrap_or_default();
    Err(ApiError::invalid_request(vec![Fault {
        pointer: place,
        detail: Excerpt::within(error, MESSAGE).to_string(),
    }]))
}

/// RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => {
            let key = Excerpt::of(key).to_string();
            format!("/{}", key.replace('~', "~0").replace('/', "~1"))
        }
        Segment::Enum { variant } => format!("/{variant}"),
        Segment::Unknown => String::new(),
    };
    path.iter().map(segment).collect()
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

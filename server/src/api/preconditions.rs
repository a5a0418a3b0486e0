//! Changing only what one has seen, and only once: generations as `ETag` and `If-Match`, and `Idempotency-Key`.

use actix_web::http::header::{ETAG, IF_MATCH};
use actix_web::{HttpRequest, HttpResponse};
use lglp_openapi::problem::Fault;
use lglp_sdk::Excerpt;
use serde::Serialize;

use super::problem::ApiError;
use crate::idempotency::OWN;

/// The generation in `If-Match`; `how` tells a caller who left it out what to send.
pub fn if_match(request: &HttpRequest, how: &str) -> Result<u64, ApiError> {
    let header = request
        .headers()
        .get(IF_MATCH)
        .ok_or_else(|| ApiError::precondition_required(how))?;
    let text = header.to_str().unwrap_or_default().trim().trim_matches('"');
    text.parse().map_err(|_| {
        ApiError::precondition_required(format!(
            "If-Match is {}; {how}",
            Excerpt::of(format_args!("{header:?}"))
        ))
    })
}

/// The key under which a repetition gets the first answer.
pub fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, ApiError> {
    let Some(key) = request.headers().get("Idempotency-Key") else {
        return Ok(None);
    };
    let key = String::from_utf8_lossy(key.as_bytes()).into_owned();
    if key.starts_with(OWN) {
        return Err(ApiError::invalid_request(vec![Fault {
            pointer: "/idempotency_key".into(),
            detail: format!("keys that begin with {OWN} are the server's own; choose another one"),
        }]));
    }
    Ok(Some(key))
}

/// An answer with its generation as `ETag`.
pub fn tagged(generation: u64, body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((ETAG, format!("\"{generation}\"")))
        .json(body)
}

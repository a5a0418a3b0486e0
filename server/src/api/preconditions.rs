//! Changing only what one has seen, and only once: generations as `ETag` and `If-Match`, and `Idempotency-Key`.

use actix_web::http::header::{ETAG, IF_MATCH};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::problem::ApiError;

/// The generation in `If-Match`; `how` tells a caller who left it out what to send.
pub fn if_match(request: &HttpRequest, how: &str) -> Result<u64, ApiError> {
    let header = request
        .headers()
        .get(IF_MATCH)
        .ok_or_else(|| ApiError::precondition_required(how))?;
    let text = header.to_str().unwrap_or_default().trim().trim_matches('"');
    text.parse()
        .map_err(|_| ApiError::precondition_required(format!("If-Match is {header:?}; {how}")))
}

/// The key under which a repetition gets the first answer.
pub fn idempotency_key(request: &HttpRequest) -> Option<String> {
    let key = request.headers().get("Idempotency-Key")?;
    Some(String::from_utf8_lossy(key.as_bytes()).into_owned())
}

/// An answer with its generation as `ETag`.
pub fn tagged(generation: u64, body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((ETAG, format!("\"{generation}\"")))
        .json(body)
}

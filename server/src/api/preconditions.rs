//! Changing only what one has seen, and only once: generations as `ETag` and `If-Match`, and `Idempotency-Key`.

use actix_web::HttpRequest;
use actix_web::http::header::IF_MATCH;
use lglp_openapi::problem::Fault;
use lglp_registry::Expected;
use lglp_sdk::Excerpt;

use super::problem::ApiError;
use crate::idempotency::OWN;

/// What `If-Match` holds: `*`, or the generations of its tags, of which any may be there. A tag may have become a weak one on its
/// way, where the answer was compressed. `how` tells a caller who left it out what to send.
pub(super) fn if_match(request: &HttpRequest, how: &str) -> Result<Expected, ApiError> {
    let mut lines = request.headers().get_all(IF_MATCH).peekable();
    if lines.peek().is_none() {
        return Err(ApiError::precondition_required(how));
    }
    // Lines of one header are one list, and a list may have empty places (RFC 9110, 5.3 and 5.6.1).
    let text: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    let text = text.join(",");
    let tags = || text.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    match tags().map(generation).collect::<Option<Vec<u64>>>() {
        Some(seen) if !seen.is_empty() => Ok(seen.into()),
        None if tags().eq(["*"]) => Ok(Expected::Existing),
        _ => Err(ApiError::precondition_required(format!(
            "If-Match is {}; {how}",
            Excerpt::of(format_args!("{text:?}"))
        ))),
    }
}

/// The generation of a tag, `"3"`.
fn generation(tag: &str) -> Option<u64> {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let bare = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    bare.unwrap_or(tag).parse().ok()
}

/// The key under which a repetition gets the first answer.
pub(super) fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, ApiError> {
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

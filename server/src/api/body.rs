//! Reading bodies. A call says how large its body may be, as it is sent and after decompression; what arrives is taken out of
//! one budget of memory (`budget.rs`), and so is what parsing makes of it, before it is parsed. Whatever takes more than a
//! moment happens off the threads that answer requests.

use std::io::Read;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use flate2::bufread::GzDecoder;
use futures_util::StreamExt;
use lglp_openapi::problem::{Fault, Slug};
use lglp_sdk::excerpt::MESSAGE;
use lglp_sdk::strict::Strict;
use lglp_sdk::{Excerpt, literal, strict, utf8};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::State;
use super::blocking::blocking;
use super::budget::{Budget, Charge, Refused};
use super::connections::TooSlow;
use super::problem::ApiError;

/// Bytes of a document at most, unless the call says otherwise.
pub(super) const DOCUMENT: usize = 256 << 10;

/// Bytes of what describes a version: its split names each row.
pub(super) const VERSION: usize = 4 << 20;

/// Bytes of exclusions at most: some thousands, each with its reason.
pub(super) const EXCLUSIONS: usize = 4 << 20;

/// Bytes of measurements at most; each has some kilobytes of samples.
pub(super) const MEASUREMENTS: usize = 16 << 20;

/// Bytes of blobs, bundles and datasets at most.
pub const BODY_LIMIT: usize = 64 << 20;

/// Bytes that are parsed at once, in less time than it takes to hand them to another thread.
const AT_ONCE: usize = 16 << 10;

/// Bytes that are decompressed between two looks at the limit.
const STEP: usize = 64 << 10;

/// Members of a gzip at most: each takes time, and may be empty.
const MEMBERS: usize = 4096;

/// A JSON body of up to so many bytes. Its content type is not asked for: `curl -d` sends another one.
pub(super) struct Body<T, const LIMIT: usize = DOCUMENT>(pub T);

impl<T: DeserializeOwned + Send + 'static, const LIMIT: usize> FromRequest for Body<T, LIMIT> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let (bytes, charge) = read(&request, payload, LIMIT).await?;
            let (value, charge) = if bytes.len() <= AT_ONCE {
                admit(&bytes, charge)?
            } else {
                blocking(move || admit(&bytes, charge)).await?
            };
            keep(&request, charge);
            Ok(Self(value))
        })
    }
}

/// A body of up to so many bytes, as it is after decompression.
pub(super) struct Bytes<const LIMIT: usize = BODY_LIMIT>(pub web::Bytes);

impl<const LIMIT: usize> FromRequest for Bytes<LIMIT> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let (bytes, charge) = read(&request, payload, LIMIT).await?;
            keep(&request, charge);
            Ok(Self(bytes))
        })
    }
}

/// Takes more memory for a request whose body was read: for what it is copied into.
///
/// # Errors
/// Where there is none.
pub(super) fn charge(request: &HttpRequest, bytes: usize) -> Result<(), ApiError> {
    match request.extensions_mut().get_mut::<Charge>() {
        Some(charge) => charge.grow(bytes).map_err(refused),
        None => Ok(()),
    }
}

/// Gives the memory back with the request.
fn keep(request: &HttpRequest, charge: Charge) {
    request.extensions_mut().insert(charge);
}

/// Parses a body once there is memory for what it becomes.
fn admit<T: DeserializeOwned>(bytes: &[u8], mut charge: Charge) -> Result<(T, Charge), ApiError> {
    charge.grow(tree(bytes)).map_err(refused)?;
    Ok((parse(bytes)?, charge))
}

/// Why there is no memory for what a body becomes.
pub(super) fn refused(refused: Refused) -> ApiError {
    match refused {
        Refused::Busy => ApiError::overloaded(),
        Refused::TooMuch => too_large("it is more than this server takes at once; send less in one request".into()),
    }
}

/// Bytes of the tree of values that JSON text may become, about: an object has room for several fields from the start.
pub(super) fn tree(text: &[u8]) -> usize {
    let (mut bytes, mut in_string, mut escaped) = (0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' if !in_string => bytes += 700,
            b',' if !in_string => bytes += 128,
            b'[' if !in_string => bytes += 64,
            _ => {}
        }
    }
    bytes
}

async fn read(request: &HttpRequest, payload: Payload, limit: usize) -> Result<(web::Bytes, Charge), ApiError> {
    let state = request.app_data::<web::Data<State>>();
    let memory = &state.expect("handlers share it").memory;
    let packed = is_packed(request)?;
    let (bytes, charge) = receive(request, payload, limit, memory).await?;
    if !packed {
        return Ok((bytes, charge));
    }
    blocking(move || unpack(&bytes, limit, charge)).await
}

/// Whether the body is compressed.
fn is_packed(request: &HttpRequest) -> Result<bool, ApiError> {
    let Some(encoding) = request.headers().get(CONTENT_ENCODING) else {
        return Ok(false);
    };
    match encoding
        .to_str()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
        .as_str()
    {
        "identity" => Ok(false),
        "gzip" | "x-gzip" => Ok(true),
        _ => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Slug::UnsupportedEncoding,
            "The body's encoding is not supported",
            "the body may be compressed by gzip, or not at all; Content-Encoding names something else",
        )
        .with_header(ACCEPT_ENCODING, "gzip")),
    }
}

/// Receives a body as it is sent.
async fn receive(
    request: &HttpRequest,
    mut payload: Payload,
    limit: usize,
    memory: &Budget,
) -> Result<(web::Bytes, Charge), ApiError> {
    let told = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|n| n.to_str().ok()?.parse::<usize>().ok());
    // Before a byte is read; what is sent in chunks is counted below.
    if told.is_some_and(|told| told > limit) {
        return Err(larger_than(limit));
    }
    let mut charge = memory.charge(request);
    charge.may_grow(told.unwrap_or(0)).map_err(|_| ApiError::overloaded())?;
    let mut bytes = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| match error {
            slow if TooSlow::caused(&slow) => ApiError::too_slow(TooSlow.to_string()),
            error => unreadable(&error),
        })?;
        if bytes.len() + chunk.len() > limit {
            return Err(larger_than(limit));
        }
        charge.grow(chunk.len()).map_err(|_| ApiError::overloaded())?;
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes.freeze(), charge))
}

/// Decompresses a body, as long as it keeps within the limit and the memory.
fn unpack(packed: &[u8], limit: usize, mut charge: Charge) -> Result<(web::Bytes, Charge), ApiError> {
    let (mut bytes, mut step) = (Vec::new(), vec![0; STEP]);
    let mut rest = packed;
    for _ in 0..MEMBERS {
        let mut member = GzDecoder::new(rest);
        loop {
            let count = member.read(&mut step).map_err(|error| unreadable(&error))?;
            if count == 0 {
                break;
            }
            if bytes.len() + count > limit {
                return Err(larger_than(limit));
            }
            charge.grow(count).map_err(|_| ApiError::overloaded())?;
            bytes.extend_from_slice(&step[..count]);
        }
        rest = member.into_inner();
        if rest.is_empty() {
            return Ok((bytes.into(), charge));
        }
    }
    Err(unreadable(&format!("its gzip has more than {MEMBERS} members")))
}

fn unreadable(error: &dyn std::fmt::Display) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        Slug::UnreadableBody,
        "The body cannot be read",
        error.to_string(),
    )
}

/// Reads JSON; a fault names its place, and a field that nobody knows is one. No body at all is an object without fields.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let bytes = strict::without_mark(bytes);
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    parse_at("", bytes)
}

/// Reads JSON that a body names, once there is memory for what it becomes; it stands at `pointer` of that body. The memory is given
/// back when it is read.
pub(super) fn parse_named<T: DeserializeOwned>(pointer: &str, bytes: &[u8], mut charge: Charge) -> Result<T, ApiError> {
    charge.grow(tree(bytes)).map_err(refused)?;
    parse_at(pointer, bytes)
}

fn parse_at<T: DeserializeOwned>(prefix: &str, bytes: &[u8]) -> Result<T, ApiError> {
    let error = match strict::closed_from_slice(bytes) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if !error.is_data() {
        return Err(malformed(bytes, &error));
    }
    // Once more, slower, to learn the place.
    let located =
        serde_path_to_error::deserialize::<_, T>(Strict::closed(&mut serde_json::Deserializer::from_slice(bytes)));
    let place = located.err().map(|e| pointer(e.path())).unwrap_or_default();
    Err(ApiError::invalid_request(vec![Fault {
        pointer: format!("{prefix}{place}"),
        detail: Excerpt::within(error, MESSAGE).to_string(),
    }]))
}

/// What is no JSON.
pub(super) fn malformed(body: &[u8], error: &serde_json::Error) -> ApiError {
    let detail = match utf8::is_utf16(body) {
        true => "the body is UTF-16; JSON is sent as UTF-8".to_owned(),
        false => format!("the body is not JSON: {}", literal::fault(body, error)),
    };
    ApiError::new(StatusCode::BAD_REQUEST, Slug::MalformedJson, "Malformed JSON", detail)
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

fn larger_than(limit: usize) -> ApiError {
    let limit = match limit {
        small if small < 1 << 20 => format!("{} KiB", small >> 10),
        large => format!("{} MiB", large >> 20),
    };
    too_large(format!(
        "the body is larger than the {limit} that this call takes; send less in one request"
    ))
}

pub(super) fn too_large(detail: String) -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        Slug::BodyTooLarge,
        "The body is too large",
        detail,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forest_is_told_from_text_about_one() {
        let forest = format!("[{}{{}}]", "{\"a\":1},".repeat(1000));
        let text = serde_json::to_string(&forest).expect("a string has a JSON form");
        assert!(tree(forest.as_bytes()) > 700_000);
        assert_eq!(tree(text.as_bytes()), 0);
    }
}

//! Answers go by gzip where the client takes that (RFC 9110, 12.5.3), and where it saves something.

use actix_http::encoding::Encoder;
use actix_web::HttpMessage as _;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ResponseHead, ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    AcceptEncoding, CONTENT_ENCODING, CONTENT_TYPE, ContentEncoding, ETAG, Encoding, HeaderValue, VARY,
};
use actix_web::middleware::Next;

/// Bytes of an answer from which it is compressed: a smaller one is one packet either way.
const LEAST: u64 = 1400;

/// Compresses an answer as it goes. What it holds in memory is counted below, before it is compressed.
pub(super) async fn compress(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let accepted = request.get_header::<AcceptEncoding>();
    let answer = next.call(request).await?;
    Ok(answer.map_body(|head, body| {
        if !gains(head, body.size()) {
            return Encoder::response(ContentEncoding::Identity, head, body);
        }
        // Whoever accepts neither gets it as it is, too, which is better than nothing.
        let known = [Encoding::identity(), Encoding::gzip()];
        if accepted.and_then(|accepted| accepted.negotiate(known.iter())) != Some(Encoding::gzip()) {
            let by_encoding = HeaderValue::from_static("accept-encoding");
            head.headers.append(VARY, by_encoding);
            return Encoder::response(ContentEncoding::Identity, head, body);
        }
        weaken_tag(head);
        Encoder::response(ContentEncoding::Gzip, head, body)
    }))
}

/// Whether compressing makes an answer smaller: text that is long enough, or has no length yet. A stream of events is no such text,
/// since each has to arrive when it happens, and blobs and bundles are as their digests say.
fn gains(head: &ResponseHead, size: BodySize) -> bool {
    let is_long = match size {
        BodySize::None => false,
        BodySize::Sized(bytes) => bytes >= LEAST,
        BodySize::Stream => true,
    };
    let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    let is_text = match kind.split_once('/') {
        Some(("text", "event-stream")) => false,
        Some(("text", _)) => true,
        Some((_, subtype)) => {
            let format = subtype.rsplit('+').next().unwrap_or(subtype);
            ["json", "xml", "javascript", "openmetrics-text"].contains(&format)
        }
        None => false,
    };
    is_long && is_text && !head.headers.contains_key(CONTENT_ENCODING)
}

/// A strong tag stands for bytes, which are others now.
fn weaken_tag(head: &mut ResponseHead) {
    let weak = |tag: &HeaderValue| HeaderValue::from_str(&format!("W/{}", tag.to_str().ok()?)).ok();
    let strong = head.headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""));
    if let Some(weak) = strong.and_then(weak) {
        head.headers.insert(ETAG, weak);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;

    use super::*;

    #[test]
    fn long_texts_gain() {
        for (kind, size, expected) in [
            ("application/json", BodySize::Sized(LEAST), true),
            ("application/json", BodySize::Sized(LEAST - 1), false),
            ("application/json", BodySize::Stream, true),
            ("application/problem+json", BodySize::Sized(LEAST), true),
            ("text/plain; version=0.0.4", BodySize::Sized(LEAST), true),
            ("image/svg+xml", BodySize::Sized(LEAST), true),
            ("text/event-stream", BodySize::Stream, false),
            ("application/x-tar", BodySize::Sized(LEAST), false),
            ("application/octet-stream", BodySize::Stream, false),
            ("", BodySize::Sized(LEAST), false),
        ] {
            let mut head = ResponseHead::new(StatusCode::OK);
            head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            assert_eq!(gains(&head, size), expected, "{kind}");
        }
    }

    #[test]
    fn a_tag_becomes_weak_once() {
        let mut head = ResponseHead::new(StatusCode::OK);
        head.headers.insert(ETAG, HeaderValue::from_static("\"3\""));
        for _ in 0..2 {
            weaken_tag(&mut head);
            assert_eq!(head.headers.get(ETAG), Some(&HeaderValue::from_static("W/\"3\"")));
        }
    }
}

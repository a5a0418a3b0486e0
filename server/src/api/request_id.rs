//! The id of a request: lines of the log that it brings about have it, the header `X-Request-Id` of its answer, and the problem that it
//! is refused with. It is drawn here, since what a client sends may be anything, and the same twice. A load that several requests wait
//! for is none of theirs alone, and its lines have no id.

use actix_web::HttpMessage as _;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use lglp_sdk::Excerpt;
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder};

use super::method_label::method_label;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    /// The id of the request that is being answered.
    static CURRENT: RequestId;
}

/// What lines of the log say of the request that brings them about: no more than finds it again, and nothing of any length.
pub(super) struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = request.extensions().get::<RequestId>().map(ToString::to_string);
        let (method, path) = (method_label(request.method()), Excerpt::of(request.path()));
        // Of the highest level, so that whatever is logged has it.
        tracing::error_span!("request", id, method, %path)
    }

    fn on_request_end<B: MessageBody>(_: Span, _: &Result<ServiceResponse<B>, actix_web::Error>) {}
}

/// The middleware that tells the id in the answer.
pub(super) async fn tell(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let id = request.extensions().get::<RequestId>().copied();
    let Some(id) = id else { return next.call(request).await };
    let mut answer = CURRENT.scope(id, next.call(request)).await?;
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        answer.headers_mut().insert(HEADER, value);
    }
    Ok(answer)
}

/// The id of the request that is being answered, as a URI.
pub(super) fn current() -> Option<String> {
    CURRENT.try_with(|id| format!("urn:uuid:{id}")).ok()
}

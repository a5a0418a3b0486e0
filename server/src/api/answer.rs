//! Answers that are the JSON of a type of the contract, and more: with a status or headers of their own, written already, or bytes. A plain one
//! is a [`Json`](actix_web::web::Json).

use std::marker::PhantomData;

use actix_web::body::{BodyStream, BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, ETAG, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, Responder};
use futures_util::Stream;
use serde::Serialize;

/// The JSON of a `T`.
pub(crate) struct Answer<T> {
    response: HttpResponse,
    body: PhantomData<fn() -> T>,
}

impl<T: Serialize> Answer<T> {
    /// An answer with a status of its own.
    pub(super) fn new(status: StatusCode, body: &T) -> Self {
        Self::from_response(HttpResponse::build(status).json(body))
    }

    /// An answer that tells what was created.
    pub(super) fn created(body: &T) -> Self {
        Self::new(StatusCode::CREATED, body)
    }

    /// An answer with its generation as `ETag`.
    pub(super) fn tagged(generation: u64, body: &T) -> Self {
        let tag = HeaderValue::try_from(format!("\"{generation}\"")).expect("a number is a header's value");
        Self::new(StatusCode::OK, body).with_header(ETAG, tag)
    }
}

impl<T> Answer<T> {
    /// An answer whose JSON was written already.
    pub(super) fn written(json: Vec<u8>) -> Self {
        Self::from_body(json)
    }

    /// An answer that is bytes alone.
    pub(super) fn binary(bytes: Vec<u8>) -> Self {
        Self::from_response(HttpResponse::Ok().content_type(ContentType::octet_stream()).body(bytes))
    }

    /// An answer whose JSON is written while it is sent.
    pub(super) fn streamed(json: impl Stream<Item = std::io::Result<Bytes>> + 'static) -> Self {
        Self::from_body(BodyStream::new(Box::pin(json)))
    }

    /// An answer that says that there is none: 204.
    pub(super) fn none() -> Self {
        Self::from_response(HttpResponse::NoContent().finish())
    }

    /// The same answer with a header more.
    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.response.headers_mut().insert(name, value);
        self
    }

    fn from_body(body: impl MessageBody + 'static) -> Self {
        Self::from_response(HttpResponse::Ok().content_type(ContentType::json()).body(body))
    }

    fn from_response(response: HttpResponse) -> Self {
        Self {
            response,
            body: PhantomData,
        }
    }
}

impl<T> Responder for Answer<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.response
    }
}

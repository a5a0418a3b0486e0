//! What a request for predictions sends: a document of architectures, rows of them, or a form of networks.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, ResponseError as _};
use lglp_openapi::predict::RowsQuery;

use super::super::body::{charge, too_large};
use super::super::extract;
use super::super::problem::ApiError;
use super::super::words::Query;
use super::fault::fault;
use super::limits::PREDICT_LIMIT;

/// A body by its content type; what is neither rows nor a form is a document, since `curl -d` calls that a form of another kind.
pub(crate) enum Sent {
    Document(Bytes),
    Rows(Bytes, RowsQuery),
    Form { body: Bytes, boundary: String },
}

impl FromRequest for Sent {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let is = |name: &str| kind.trim_start().to_ascii_lowercase().starts_with(name);
        if is("application/octet-stream") {
            let query = Query::<RowsQuery>::from_request(request, payload);
            let body = extract::Bytes::<PREDICT_LIMIT>::from_request(request, payload);
            return Box::pin(async move { Ok(Self::Rows(body.await?.0, query.await?.into_inner())) });
        }
        if !is("multipart/form-data") {
            let body = extract::Bytes::<PREDICT_LIMIT>::from_request(request, payload);
            return Box::pin(async move { Ok(Self::Document(body.await?.0)) });
        }
        let body = extract::Bytes::<{ extract::BODY_LIMIT }>::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let boundary = multer::parse_boundary(kind);
            let boundary = boundary.map_err(|error| fault("", format!("the header Content-Type: {error}")))?;
            let body = body.await.map_err(|error| match error.status_code() {
                StatusCode::PAYLOAD_TOO_LARGE => too_large(format!(
                    "the form is larger than {} MiB; of a network only shapes are read: leave out its weights, as `lglp predict \
                     net.onnx` does, or keep them in a file beside it, as `onnx.save(..., save_as_external_data=True)` does",
                    extract::BODY_LIMIT >> 20
                )),
                _ => error,
            })?;
            // Files are taken out of the form, and what is read of them has its own limit.
            charge(&request, 2 * body.0.len())?;
            let body = body.0;
            Ok(Self::Form { body, boundary })
        })
    }
}

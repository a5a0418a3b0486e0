//! What is answered where no handler answers: no route takes the request, or the framework has refused it.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ALLOW, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use lglp_openapi::problem::Slug;
use lglp_sdk::Excerpt;

use super::document;
use super::problem::ApiError;

/// Requests that no route takes.
pub(crate) async fn no_route(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let (method, path) = (request.method(), request.path());
    let allowed = document::methods(path);
    if *method == Method::OPTIONS && !allowed.is_empty() {
        let allow = (ALLOW, allowed.join(", "));
        return Ok(HttpResponse::NoContent().insert_header(allow).finish());
    }
    Err(no_such_route(method.as_str(), path))
}

/// The middleware that makes a problem of a failure which has none, since the framework or the pages answered in our place.
pub(crate) async fn explain(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let answer = next.call(request).await?;
    let status = answer.status();
    let is_plain = answer
        .headers()
        .get(CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !is_plain || !(status.is_client_error() || status.is_server_error()) {
        return Ok(answer.map_into_left_body());
    }
    let request = answer.request().clone();
    let problem = match status {
        StatusCode::NOT_FOUND => nothing_at(request.path()),
        _ => {
            let title = status.canonical_reason().unwrap_or("The request failed");
            ApiError::new(
                status,
                Slug::Refused,
                title,
                "the request cannot be read; see /docs for what this server takes",
            )
        }
    };
    Ok(ServiceResponse::new(
        request,
        problem.error_response().map_into_right_body(),
    ))
}

/// Nothing is there, or something that has other methods.
pub(crate) fn no_such_route(method: &str, path: &str) -> ApiError {
    let allowed = document::methods(path);
    if allowed.is_empty() {
        return nothing_at(path);
    }
    let allowed = allowed.join(", ");
    let detail = format!("{} takes {allowed}, not {}", Excerpt::of(path), Excerpt::of(method));
    let title = "The method is not allowed";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, Slug::MethodNotAllowed, title, detail).with_header(ALLOW, allowed)
}

fn nothing_at(path: &str) -> ApiError {
    let detail = format!("there is nothing at {}; /docs lists every call", Excerpt::of(path));
    ApiError::new(StatusCode::NOT_FOUND, Slug::NoSuchPath, "No such path", detail)
}

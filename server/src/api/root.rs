//! `GET /`: where to go from here.

use actix_web::http::header::{ACCEPT, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

/// A browser is led to the pages for people, a program told what there is. Addresses are relative, so that a server behind a prefix
/// of paths is found, too.
pub(super) async fn root(request: HttpRequest) -> HttpResponse {
    let accepts = request.headers().get(ACCEPT).and_then(|accepts| accepts.to_str().ok());
    if accepts.is_some_and(|accepts| accepts.contains("text/html")) {
        return HttpResponse::TemporaryRedirect()
            .insert_header((LOCATION, "docs/"))
            .finish();
    }
    HttpResponse::Ok().json(json!({
        "name": "lglp", "version": env!("CARGO_PKG_VERSION"), "documentation": "docs/", "contract": "openapi.json",
        "ready": "readyz", "hardware": "v1/hardware",
    }))
}

//! `/v1/{hardware}/models`.

use actix_web::web::Json;
use actix_web::{HttpRequest, get, post, web};
use lglp_openapi::models::{ModelList, NewVersion, Version};
use lglp_openapi::problem::responses::{Invalid, NoSuchThing, TooManyReads};
use lglp_openapi::problem::{Fault, Problem};

use super::State;
use super::answer::Answer;
use super::body::VERSION;
use super::caller::Caller;
use super::extract::{Body, blocking, hardware_name};
use super::listing::{Frame, Page, listing};
use super::preconditions::idempotency_key;
use super::problem::ApiError;
use super::words::Path;

/// Versions of a hardware target, oldest first, and its aliases.
#[utoipa::path(
    tag = "models",
    security(("token" = ["viewer"])),
    params(("hardware" = String, Path, description = "Hardware target")),
    responses((status = 200, body = ModelList, description = "Versions, oldest first, and aliases"), NoSuchThing, TooManyReads)
)]
#[get("/v1/{hardware}/models")]
pub(crate) async fn list_models(
    state: web::Data<State>,
    hardware: web::Path<String>,
    caller: Caller,
) -> Result<Answer<ModelList>, ApiError> {
    let name = hardware_name(&hardware)?;
    let (store, of) = (state.store.clone(), name.clone());
    let aliases = blocking(move || store.aliases(&of)).await?;
    let frame = Frame {
        open: format!("{{\"aliases\":{},\"versions\":[", serde_json::json!(aliases)),
        close: "]}".into(),
    };
    listing(
        &state,
        &caller,
        frame,
        0,
        move |state, after, page: &mut Page<Version>| {
            let mut last = after;
            let shown = state.store.visit_versions(&name, after, &mut |version| {
                last = version.version;
                page.push(&version)
            })?;
            Ok(shown.is_break().then_some(last))
        },
    )
    .await
}

/// One version, with its recipe, plugins and accuracy.
#[utoipa::path(
    tag = "models",
    security(("token" = ["viewer"])),
    params(
        ("hardware" = String, Path, description = "Hardware target"),
        ("version" = u32, Path, description = "Version number"),
    ),
    responses((status = 200, body = Version, description = "The version"), NoSuchThing)
)]
#[get("/v1/{hardware}/models/{version}")]
pub(crate) async fn get_model(
    state: web::Data<State>,
    Path((hardware, version)): Path<(String, u32)>,
) -> Result<Json<Version>, ApiError> {
    let name = hardware_name(&hardware)?;
    let found = blocking(move || state.store.version(&name, version)).await?;
    Ok(Json(found))
}

/// Creates the next version from blobs that were stored before.
#[utoipa::path(
    tag = "models",
    security(("token" = ["operator"])),
    params(
        ("hardware" = String, Path, description = "Hardware target"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and content give the same version again"),
    ),
    request_body = NewVersion,
    responses(
        (status = 201, body = Version, description = "The version"),
        NoSuchThing,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The key was used with other content"),
        Invalid,
    )
)]
#[post("/v1/{hardware}/models")]
pub(crate) async fn create_model(
    state: web::Data<State>,
    hardware: web::Path<String>,
    request: HttpRequest,
    caller: Caller,
    Body(mut body): Body<NewVersion, VERSION>,
) -> Result<Answer<Version>, ApiError> {
    let name = hardware_name(&hardware)?;
    let key = idempotency_key(&request)?;
    if !body.imported.is_empty() {
        return Err(ApiError::invalid_request(vec![Fault {
            pointer: "/imported".into(),
            detail: format!("only importing a bundle says where a version came from: POST /v1/{name}/models/import"),
        }]));
    }
    if body.golden.is_empty() {
        return Err(ApiError::invalid_request(vec![Fault {
            pointer: "/golden".into(),
            detail: "a version needs predictions that it must make again when it is loaded: at least one".into(),
        }]));
    }
    body.creator = caller.acting_as(body.creator);
    let version = blocking(move || state.store.create_version(&name, &body, key.as_deref())).await?;
    Ok(Answer::created(&version))
}

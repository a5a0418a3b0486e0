//! `GET /v1/{hardware}/models/{version}/bundle` and `POST /v1/{hardware}/models/import`.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, ETAG};
use actix_web::{HttpResponse, ResponseError as _, get, post, web};
use lglp_engine::predictor::ServedModel;
use lglp_openapi::Binary;
use lglp_openapi::bundles::ImportQuery;
use lglp_openapi::models::Version;
use lglp_openapi::problem::responses::{NoSuchThing, TooManyReads};
use lglp_openapi::problem::{Problem, Slug};
use lglp_registry::Quota;

use super::State;
use super::answer::Answer;
use super::caller::Caller;
use super::extract::{BODY_LIMIT, Bytes, hardware_name};
use super::heavy::heavy;
use super::problem::ApiError;
use super::words::{Path, Query};
use crate::bundles::{Bundle, Importer, Terms, export};

/// A version in one checksummed file, for `lglp models import` or `POST /v1/{hardware}/models/import` of another server. Its
/// `ETag` is the file's SHA-256; the same version gives the same bytes.
#[utoipa::path(
    tag = "models",
    security(("token" = ["viewer"])),
    params(
        ("hardware" = String, Path, description = "Hardware target"),
        ("version" = u32, Path, description = "Version number"),
    ),
    responses(
        (status = 200, body = Binary, content_type = "application/x-tar", description = "The bundle"),
        NoSuchThing,
        TooManyReads,
    )
)]
#[get("/v1/{hardware}/models/{version}/bundle")]
pub(crate) async fn export_model(
    state: web::Data<State>,
    Path((hardware, version)): Path<(String, u32)>,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    let name = hardware_name(&hardware)?;
    let bundle = heavy(&state, &caller, move |state| export(&*state.store, &name, version)).await?;
    let attachment = format!("attachment; filename=\"{hardware}-{version}.lglp\"");
    Ok(HttpResponse::Ok()
        .content_type("application/x-tar")
        .insert_header((ETAG, format!("\"{}\"", bundle.digest)))
        .insert_header((CONTENT_DISPOSITION, attachment))
        .body(bundle.bytes))
}

/// Imports a bundle as the next version. All of it is verified first: checksums, that the hardware target is the same machine
/// (it is created where there is none), that the search space is defined alike, that the plugins are the very ones that the
/// version was fitted with; and the model is loaded and predicts. The same bundle gives the same version again.
#[utoipa::path(
    tag = "models",
    security(("token" = ["operator"])),
    params(("hardware" = String, Path, description = "Hardware target to import to"), ImportQuery),
    request_body(content = Binary, content_type = "application/x-tar"),
    responses(
        (status = 200, body = Version, description = "The version that this bundle gave before"),
        (status = 201, body = Version, description = "The new version"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Machine, search space or plugins are others here; `detail` names them"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The bundle is too large"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The bundle is damaged, or its model cannot be used"),
        TooManyReads,
    )
)]
#[post("/v1/{hardware}/models/import")]
pub(crate) async fn import_model(
    state: web::Data<State>,
    hardware: web::Path<String>,
    query: Query<ImportQuery>,
    caller: Caller,
    body: Result<Bytes, ApiError>,
) -> Result<Answer<Version>, ApiError> {
    let hardware = hardware_name(&hardware)?;
    let Bytes(body) = body.map_err(|error| match error.status_code() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => error,
    })?;
    let ImportQuery {
        accept_other_plugins,
        actor,
    } = query.into_inner();
    let terms = Terms {
        hardware,
        accept_other_plugins,
        quota: Quota::of(caller.role),
        actor: caller.acting_as(actor),
    };
    let imported = heavy(&state, &caller, move |state| {
        let importer = Importer {
            store: &*state.store,
            host: &state.host,
            spaces: &state.spaces,
            try_out: &|target, version, fitted| {
                let (host, spaces) = (state.host.clone(), state.spaces.clone());
                let (target, version) = (target.clone(), version.clone());
                let tried = move || ServedModel::from_state(&host, &spaces, &target, &version, &fitted).map(drop);
                Ok(state.serving.try_out(tried)??)
            },
        };
        Bundle::read(&body).and_then(|bundle| importer.import(&bundle, &terms))
    })
    .await?;
    let status = match imported.fresh {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok(Answer::new(status, &imported.version))
}

/// What to do with a bundle that is larger than a request may be.
pub fn too_large_for_http() -> String {
    format!(
        "the bundle is larger than the {} MiB that a request may have; stop the server for a moment and import it with \
         `lglp models import FILE` on its machine",
        BODY_LIMIT >> 20
    )
}

fn too_large() -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        Slug::BodyTooLarge,
        "The body is too large",
        too_large_for_http(),
    )
}

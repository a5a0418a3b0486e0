//! What takes back for good what was recorded: hardware targets, and the measurements of a space.

use actix_web::web::Json;
use actix_web::{HttpResponse, delete, post, web};
use lglp_openapi::hardware::{HardwareTarget, RenameHardware};
use lglp_openapi::measurements::Deleted;
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{InUse, Invalid, NoSuchHardware, TooManyCalls};
use lglp_registry::Intervention;
use serde::Deserialize;

use super::State;
use super::caller::Caller;
use super::extract::{Body, hardware_name};
use super::heavy::heavy;
use super::problem::ApiError;
use super::words::Query;

/// Why something is deleted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Deletion {
    /// Why, for the audit log.
    reason: String,
    /// Also where a version is in production, or a worker has not signed off.
    #[serde(default)]
    force: bool,
}

/// Which measurements are deleted, and why.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MeasurementDeletion {
    /// Search space.
    space: String,
    /// Why, for the audit log.
    reason: String,
    /// Also where a version is in production, or a worker has not signed off.
    #[serde(default)]
    force: bool,
}

fn intervention(caller: &Caller, reason: String, force: bool) -> Intervention {
    Intervention {
        actor: caller.name.clone(),
        reason,
        force,
    }
}

/// Adds what was counted so far to the target that it was counted for.
fn count(state: &State) {
    state.usage.flush();
    state.serving.flush();
}

/// Deletes a hardware target with all that belongs to it: measurements, datasets, versions, aliases, reports. The audit log keeps
/// what it told. Blobs that nothing else names go with `POST /v1/registry/gc`.
#[utoipa::path(
    tag = "hardware",
    security(("token" = ["admin"])),
    params(("hardware" = String, Path, description = "Hardware target"), Deletion),
    responses(
        (status = 204, description = "Deleted"),
        NoSuchHardware,
        InUse,
        Invalid,
        TooManyCalls,
    )
)]
#[delete("/v1/hardware/{hardware}")]
pub(crate) async fn delete_hardware(
    state: web::Data<State>,
    hardware: web::Path<String>,
    deletion: Query<Deletion>,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    let name = hardware_name(&hardware)?;
    let Deletion { reason, force } = deletion.into_inner();
    let how = intervention(&caller, reason, force);
    heavy(&state, &caller, move |state| {
        count(state);
        state.store.delete_hardware(&name, &how)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Gives a hardware target another name, which all that belongs to it takes over. Jobs that have ended, the audit log, tokens and webhooks
/// keep the name that it had.
#[utoipa::path(
    tag = "hardware",
    security(("token" = ["admin"])),
    params(("hardware" = String, Path, description = "Hardware target")),
    request_body = RenameHardware,
    responses(
        (status = 200, body = HardwareTarget, description = "The hardware target, under its new name"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The caller's token is not for the new name"),
        NoSuchHardware,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It is in use, or there is one of the new name; `detail` says which"),
        Invalid,
        TooManyCalls,
    )
)]
#[post("/v1/hardware/{hardware}/rename")]
pub(crate) async fn rename_hardware(
    state: web::Data<State>,
    hardware: web::Path<String>,
    caller: Caller,
    Body(order): Body<RenameHardware>,
) -> Result<Json<HardwareTarget>, ApiError> {
    let name = hardware_name(&hardware)?;
    let RenameHardware { to, reason, force } = order;
    caller.may_use(&to)?;
    let how = intervention(&caller, reason, force);
    let work = move |state: &State| {
        count(state);
        state.store.rename_hardware(&name, &to, &how)
    };
    let target = heavy(&state, &caller, work).await?;
    Ok(Json(target))
}

/// Deletes the measurements of a space, with their exclusions and the definition that they belong to. Versions and frozen datasets
/// stay.
#[utoipa::path(
    tag = "measurements",
    security(("token" = ["admin"])),
    params(("hardware" = String, Path, description = "Hardware target"), MeasurementDeletion),
    responses(
        (status = 200, body = Deleted, description = "How many there were"),
        NoSuchHardware,
        InUse,
        Invalid,
        TooManyCalls,
    )
)]
#[delete("/v1/{hardware}/measurements")]
pub(crate) async fn delete_measurements(
    state: web::Data<State>,
    hardware: web::Path<String>,
    deletion: Query<MeasurementDeletion>,
    caller: Caller,
) -> Result<Json<Deleted>, ApiError> {
    let name = hardware_name(&hardware)?;
    let MeasurementDeletion { space, reason, force } = deletion.into_inner();
    let how = intervention(&caller, reason, force);
    let work = move |state: &State| state.store.delete_measurements(&name, &space, &how);
    let deleted = heavy(&state, &caller, work).await?;
    Ok(Json(Deleted { deleted }))
}

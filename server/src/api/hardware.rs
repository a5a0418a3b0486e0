//! `/v1/hardware`.

use actix_web::web::Json;
use actix_web::{get, put, web};
use lglp_engine::measure::{admit, is_of_this_machine};
use lglp_openapi::hardware::{HardwareList, HardwareTarget, NewHardware};
use lglp_openapi::problem::responses::{Invalid, NoSuchThing, QuotaReached};
use lglp_openapi::problem::{Fault, Problem};
use lglp_registry::{Error, Quota};

use super::State;
use super::caller::Caller;
use super::extract::{Body, blocking, hardware_name};
use super::problem::ApiError;

/// Every hardware target; for a token that is confined to some, these.
#[utoipa::path(tag = "hardware", security(("token" = ["viewer"])), extensions(("x-lglp-reach" = json!("shared"))), responses((status = 200, body = HardwareList, description = "Every hardware target")))]
#[get("/v1/hardware")]
pub(crate) async fn list_hardware(state: web::Data<State>, caller: Caller) -> Result<Json<HardwareList>, ApiError> {
    let mut hardware = blocking(move || state.store.hardware_targets()).await?;
    hardware.retain(|target| caller.sees(&target.name));
    Ok(Json(HardwareList { hardware }))
}

/// One hardware target.
#[utoipa::path(
    tag = "hardware",
    security(("token" = ["viewer"])),
    params(("hardware" = String, Path, description = "Hardware target")),
    responses((status = 200, body = HardwareTarget, description = "The hardware target"), NoSuchThing)
)]
#[get("/v1/hardware/{hardware}")]
pub(crate) async fn get_hardware(
    state: web::Data<State>,
    hardware: web::Path<String>,
) -> Result<Json<HardwareTarget>, ApiError> {
    let name = hardware_name(&hardware)?;
    let target = blocking(move || state.store.hardware(&name)).await?;
    Ok(Json(target))
}

/// Creates a hardware target. Its settings are those that any machine may be told: what names a program, a library or a file is in
/// the machine's own `runtimes.toml`. A target of the server's own machine has a runtime that is there. Doing it again with the same description changes nothing.
#[utoipa::path(
    tag = "hardware",
    security(("token" = ["operator"])),
    params(("hardware" = String, Path, description = "Hardware target")),
    request_body = NewHardware,
    responses(
        (status = 200, body = HardwareTarget, description = "The hardware target"),
        QuotaReached,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It exists with another description"),
        Invalid,
    )
)]
#[put("/v1/hardware/{hardware}")]
pub(crate) async fn put_hardware(
    state: web::Data<State>,
    hardware: web::Path<String>,
    caller: Caller,
    Body(body): Body<NewHardware>,
) -> Result<Json<HardwareTarget>, ApiError> {
    if body.name.as_str() != hardware.as_str() {
        return Err(ApiError::invalid_request(vec![Fault {
            pointer: "/name".into(),
            detail: format!("`{}` is not the name in the path, `{hardware}`", body.name),
        }]));
    }
    let target = blocking(move || {
        if let Err(Error::NotFound { .. }) = state.store.hardware(&body.name) {
            let settings = body.settings.clone().into_iter().collect();
            admit(&state.host, &body.runtime, &settings, "")?;
            // What other machines measured is taken as it is; this one measures with what it has.
            if !body.by_workers && is_of_this_machine(&body.fingerprint) {
                let known = state.host.require_runtime(&body.runtime);
                known.map_err(|missing| Error::invalid("runtime", missing.to_string()))?;
            }
        }
        state
            .store
            .put_hardware_within(Quota::of(caller.role), &body, &caller.name)
    })
    .await?;
    Ok(Json(target))
}

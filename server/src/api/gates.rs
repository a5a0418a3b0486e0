//! `/v1/{hardware}/gate`: what a version must have shown before it goes into production.

use actix_web::{HttpRequest, get, put, web};
use lglp_openapi::gates::{Gate, SetGate};
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{IfMatchMissing, NoSuchThing};
use lglp_registry::GateChange;

use super::State;
use super::answer::Answer;
use super::caller::Caller;
use super::extract::{Body, blocking, hardware_name};
use super::preconditions::if_match;
use super::problem::ApiError;

/// The gate of a hardware target; generation 0 and no rules where none was set.
#[utoipa::path(
    tag = "models",
    params(("hardware" = String, Path, description = "Hardware target")),
    security(("token" = ["viewer"])),
    responses((status = 200, body = Gate, description = "The gate; its ETag is its generation"), NoSuchThing)
)]
#[get("/v1/{hardware}/gate")]
pub(crate) async fn get_gate(state: web::Data<State>, hardware: web::Path<String>) -> Result<Answer<Gate>, ApiError> {
    let name = hardware_name(&hardware)?;
    let gate = blocking(move || state.store.gate(&name)).await?;
    let gate = gate.unwrap_or_default();
    Ok(Answer::tagged(gate.generation, &gate))
}

/// Sets the rules of a gate, whole. `If-Match` holds the generation that the caller has seen, `"0"` for the first ones, `*` for
/// whichever there is; a list means any of it.
#[utoipa::path(
    tag = "models",
    params(
        ("hardware" = String, Path, description = "Hardware target"),
        ("If-Match" = String, Header, description = "The gate's current ETag, or `*`", example = "\"0\""),
    ),
    request_body = SetGate,
    security(("token" = ["admin"])),
    responses(
        (status = 200, body = Gate, description = "The gate; its ETag is its generation"),
        NoSuchThing,
        (status = 412, body = Problem, content_type = "application/problem+json", description = "The gate was set meanwhile"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A bound is out of range"),
        IfMatchMissing,
    )
)]
#[put("/v1/{hardware}/gate")]
pub(crate) async fn set_gate(
    state: web::Data<State>,
    hardware: web::Path<String>,
    request: HttpRequest,
    caller: Caller,
    Body(body): Body<SetGate>,
) -> Result<Answer<Gate>, ApiError> {
    let name = hardware_name(&hardware)?;
    let change = GateChange {
        rules: body.rules,
        expected_generation: if_match(
            &request,
            "send If-Match with the gate's ETag, \"0\" where it was never set, or * for whichever there is",
        )?,
        actor: caller.acting_as(body.actor),
        reason: body.reason,
    };
    let gate = blocking(move || state.store.set_gate(&name, &change)).await?;
    Ok(Answer::tagged(gate.generation, &gate))
}

//! `/v1/{hardware}/measurements`.

use actix_web::{HttpResponse, get, post, web};
use lglp_openapi::measurements::{Measurement, Recorded};
use lglp_openapi::problem::{Fault, Problem};
use lglp_registry::Measurement as Stored;
use serde::Deserialize;

use super::State;
use super::body::MEASUREMENTS;
use super::caller::Caller;
use super::extract::{Body, blocking};
use super::listing::{Frame, listing};
use super::predict::hardware_name;
use super::problem::{ApiError, FAULTS_LISTED};
use crate::spaces::Spaces;

/// Which measurements to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Search space.
    space: String,
    /// 0 for first measurements, 1 and up for repetitions; all where it is left out.
    round: Option<u32>,
}

/// Measurements of a space, with every sample.
#[utoipa::path(
    tag = "measurements",
    security(("token" = ["viewer"])),
    params(("hardware" = String, Path, description = "Hardware target"), Selection),
    responses((status = 200, body = Vec<Measurement>, description = "Measurements with their samples"), (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such thing; `detail` names it"), (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many long reads wait; `Retry-After` says when to ask again"))
)]
#[get("/v1/{hardware}/measurements")]
pub async fn list_measurements(
    state: web::Data<State>,
    hardware: web::Path<String>,
    selection: web::Query<Selection>,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    let name = hardware_name(&hardware)?;
    let Selection { space, round } = selection.into_inner();
    listing(&state, &caller, Frame::array(), None, move |state, after, page| {
        let mut last = None;
        let store = &state.store;
        let shown = store.visit_measurements(&name, &space, round, after.as_ref(), &mut |measurement| {
            let full = page.push(&measurement);
            last = Some((measurement.round, measurement.digest));
            full
        })?;
        Ok(shown.is_break().then_some(last))
    })
    .await
}

/// Records measurements, all or none. Recording the same again changes nothing.
#[utoipa::path(
    tag = "measurements",
    security(("token" = ["operator"])),
    params(("hardware" = String, Path, description = "Hardware target")),
    request_body = Vec<Measurement>,
    responses(
        (status = 200, body = Recorded, description = "How many of them were new"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Another measurement is recorded in that round"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid; `errors` names each place"),
    )
)]
#[post("/v1/{hardware}/measurements")]
pub async fn record_measurements(
    state: web::Data<State>,
    hardware: web::Path<String>,
    caller: Caller,
    Body(body): Body<Vec<Stored>, MEASUREMENTS>,
) -> Result<HttpResponse, ApiError> {
    let name = hardware_name(&hardware)?;
    if let Some(at) = body.iter().position(|m| m.hardware != name) {
        return Err(ApiError::invalid_request(vec![Fault {
            pointer: format!("/{at}/hardware"),
            detail: format!("`{}` is not the hardware in the path, `{name}`", body[at].hardware),
        }]));
    }
    check_all(&state.spaces, "", &body)?;
    let recorded = blocking(move || state.store.record_measurements(&body, &caller.name)).await?;
    Ok(HttpResponse::Ok().json(Recorded { recorded }))
}

/// Refuses measurements at `pointer` of a body whose space or architecture cannot be read.
pub fn check_all(spaces: &Spaces, pointer: &str, measurements: &[Stored]) -> Result<(), ApiError> {
    let faults = measurements.iter().enumerate().filter_map(|(i, m)| fault(spaces, i, m));
    let placed = faults.take(FAULTS_LISTED).map(|fault| Fault {
        pointer: format!("{pointer}{}", fault.pointer),
        ..fault
    });
    match placed.collect::<Vec<_>>() {
        faults if faults.is_empty() => Ok(()),
        faults => Err(ApiError::invalid_request(faults)),
    }
}

/// What is wrong with a measurement's space or architecture. One that cannot be read would spoil every training to come.
fn fault(spaces: &Spaces, index: usize, measurement: &Stored) -> Option<Fault> {
    let (field, detail) = match spaces.get(&measurement.space) {
        Err(unknown) => ("space", unknown.to_string()),
        Ok(space) => match space.architecture_from_text(&measurement.architecture) {
            Err(error) => ("architecture", error.to_string()),
            Ok(architecture) => {
                let canonical = space.canonical_text(&architecture);
                if canonical == measurement.architecture {
                    return None;
                }
                ("architecture", format!("its canonical text is {canonical}"))
            }
        },
    };
    Some(Fault {
        pointer: format!("/{index}/{field}"),
        detail,
    })
}

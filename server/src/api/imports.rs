//! `/v1/{hardware}/measurements/import`: measurements that are too many for one body, in parts that were stored as blobs before. They
//! are recorded in one step, so that none is recorded where one is refused, and a part that arrived need not be sent again.

use actix_web::web::Json;
use actix_web::{post, web};
use lglp_openapi::measurements::{ImportMeasurements, Recorded};
use lglp_openapi::problem::responses::{NoSuchHardware, RecordedOtherwise, TooManyCalls};
use lglp_openapi::problem::{Fault, Problem};
use lglp_registry::{Digest, Error, HardwareName, Measurement};
use serde::Deserialize;

use super::State;
use super::body::{parse_named, refused, too_large, tree};
use super::budget::{Charge, Refused};
use super::caller::Caller;
use super::extract::{Body, hardware_name};
use super::heavy::heavy;
use super::measurements::{admit_all, of_target};
use super::problem::ApiError;

/// Parts at most.
const PARTS: usize = 1024;

/// The parts, in their order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    parts: Vec<Digest>,
}

/// Records measurements of many parts, all or none. Each part is a blob (`POST /v1/blobs`) that holds a list of measurements as
/// `POST /v1/{hardware}/measurements` takes it. Recording the same again changes nothing.
#[utoipa::path(
    tag = "measurements",
    security(("token" = ["operator"])),
    params(("hardware" = String, Path, description = "Hardware target")),
    request_body = ImportMeasurements,
    responses(
        (status = 200, body = Recorded, description = "How many of them were new"),
        NoSuchHardware,
        RecordedOtherwise,
        (status = 413, body = Problem, content_type = "application/problem+json", description = "The parts are too large to be recorded in one step"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Not valid, or a part was not stored; `errors` names each place"),
        TooManyCalls,
    )
)]
#[post("/v1/{hardware}/measurements/import")]
pub(crate) async fn import_measurements(
    state: web::Data<State>,
    hardware: web::Path<String>,
    caller: Caller,
    Body(Parts { parts }): Body<Parts>,
) -> Result<Json<Recorded>, ApiError> {
    let name = hardware_name(&hardware)?;
    if parts.is_empty() || parts.len() > PARTS {
        let detail = format!("expected 1 to {PARTS} digests, got {}", parts.len());
        return Err(fault("/parts".into(), detail));
    }
    let actor = caller.name.clone();
    let recorded = heavy(&state, &caller, move |state| {
        state.store.hardware(&name)?;
        let (measurements, ends, _charge) = read(state, &name, &parts, &actor)?;
        let recorded = state.store.record_measurements(&measurements, &actor);
        recorded.map_err(|error| ApiError::from(placed(error, &ends)))
    })
    .await?;
    Ok(Json(Recorded { recorded }))
}

/// The measurements of all parts, and how many there are up to the end of each.
fn read(
    state: &State,
    hardware: &HardwareName,
    parts: &[Digest],
    owner: &str,
) -> Result<(Vec<Measurement>, Vec<usize>, Charge), ApiError> {
    let mut charge = state.imports.charge_to(owner.to_owned());
    let (mut all, mut ends) = (Vec::new(), Vec::new());
    for (at, digest) in parts.iter().enumerate() {
        let pointer = format!("/parts/{at}");
        let missing = |error| match error {
            Error::NotFound { .. } => fault(pointer.clone(), format!("{digest} is no blob here; store it first")),
            error => ApiError::from(error),
        };
        let size = usize::try_from(state.store.blob_size(digest).map_err(missing)?).unwrap_or(usize::MAX);
        // What is recorded is JSON once more on its way, and once more in what the audit log tells.
        charge.grow(size.saturating_mul(2)).map_err(too_much)?;
        let content = state.store.get_blob(digest).map_err(missing)?;
        let mut part: Vec<Measurement> = parse_named(&pointer, &content, state.memory.charge_to(owner.to_owned()))?;
        drop(content);
        charge.grow(part.iter().map(held).sum()).map_err(too_much)?;
        of_target(&part, hardware, &pointer)?;
        admit_all(&state.spaces, &pointer, &mut part)?;
        all.append(&mut part);
        ends.push(all.len());
    }
    Ok((all, ends, charge))
}

/// Bytes of memory that a measurement takes, about, beside its texts in its protocol: these are reckoned as JSON.
fn held(measurement: &Measurement) -> usize {
    let samples = size_of_val(measurement.samples.as_slice());
    let texts = measurement.architecture.len() + measurement.flags.iter().map(String::len).sum::<usize>();
    let protocol = measurement.protocol.to_string();
    size_of::<Measurement>() + samples + texts + tree(protocol.as_bytes())
}

fn too_much(refusal: Refused) -> ApiError {
    match refusal {
        Refused::Busy => refused(refusal),
        Refused::TooMuch => too_large(
            "the parts hold more than this server records in one step; import them as several tables or folders, or without a \
             server, on its machine"
                .into(),
        ),
    }
}

/// What is wrong with one of all measurements, by its place in its part.
fn placed(error: Error, ends: &[usize]) -> Error {
    let in_part = |place: &str| {
        let (at, rest) = place
            .split_once('.')
            .map_or((place, None), |(at, rest)| (at, Some(rest)));
        let at: usize = at.parse().ok()?;
        let part = ends.partition_point(|end| *end <= at);
        let first = part.checked_sub(1).map_or(0, |before| ends[before]);
        let rest = rest.map_or_else(String::new, |rest| format!(".{rest}"));
        Some(format!("parts.{part}.{}{rest}", at - first))
    };
    match error {
        Error::Invalid { field, reason } => Error::invalid(in_part(&field).unwrap_or(field), reason),
        Error::Item { place, fault } => Error::Item {
            place: in_part(&place).unwrap_or(place),
            fault,
        },
        other => other,
    }
}

fn fault(pointer: String, detail: String) -> ApiError {
    ApiError::invalid_request(vec![Fault { pointer, detail }])
}

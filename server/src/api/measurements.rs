//! `/v1/{hardware}/measurements`.

use std::num::NonZero;
use std::ops::ControlFlow;

use actix_web::http::StatusCode;
use actix_web::web::Json;
use actix_web::{get, post, web};
use lglp_engine::spaces::{Misfit, Spaces};
use lglp_openapi::measurements::{MeasuredSpace, Measurement, Recorded};
use lglp_openapi::problem::responses::{Invalid, InvalidQuery, NoSuchThing, RecordedOtherwise, TooManyReads};
use lglp_openapi::problem::{Fault, Slug};
use lglp_registry::{Digest, HardwareName};
use lglp_sdk::Excerpt;
use serde::Deserialize;
use url::form_urlencoded;

use super::State;
use super::answer::Answer;
use super::body::MEASUREMENTS;
use super::caller::Caller;
use super::extract::{Body, blocking, hardware_name};
use super::listing::{Frame, Page, listing, one_page};
use super::problem::{ApiError, FAULTS_LISTED};
use super::words::Query;

/// Which measurements to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Selection {
    /// Search space.
    space: String,
    /// 0 for first measurements, 1 and up for repetitions; all where it is left out.
    #[serde(rename = "round")]
    replicate: Option<u32>,
    /// Measurements at most, and fewer where they are large: a page, whose header `Link` names the next one. All where it is left out.
    #[param(value_type = Option<usize>, minimum = 1)]
    limit: Option<NonZero<usize>>,
    /// Only those after this one, `ROUND:DIGEST`: they come by replicate and then by digest.
    #[param(pattern = "^[0-9]{1,9}:sha256:[0-9a-f]{64}$")]
    after: Option<String>,
    /// Whether each comes with its samples, which are most of it.
    #[serde(default = "yes")]
    samples: bool,
}

fn yes() -> bool {
    true
}

impl Selection {
    /// The one that comes before those that are asked for.
    fn cursor(&self) -> Result<Option<Cursor>, ApiError> {
        let Some(after) = &self.after else { return Ok(None) };
        let read = |text: &str| {
            let (replicate, digest) = text.split_once(':')?;
            Some((replicate.parse().ok()?, digest.parse().ok()?))
        };
        let found = read(after).ok_or_else(|| {
            let detail = format!("expected ROUND:DIGEST, as `Link` has it, got {}", Excerpt::of(after));
            ApiError::new(
                StatusCode::BAD_REQUEST,
                Slug::InvalidQuery,
                "The query is not valid",
                format!("after: {detail}"),
            )
        });
        found.map(Some)
    }

    /// The same query, for what comes after a measurement.
    fn query_after(&self, (replicate, digest): &Cursor) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("space", &self.space);
        if let Some(replicate) = self.replicate {
            query.append_pair("round", &replicate.to_string());
        }
        if let Some(limit) = self.limit {
            query.append_pair("limit", &limit.to_string());
        }
        if !self.samples {
            query.append_pair("samples", "false");
        }
        query.append_pair("after", &format!("{replicate}:{digest}"));
        query.finish()
    }

    /// Appends to a page, from a cursor on; where that is full, or `most` are in it, the cursor that the next begins with.
    fn fill(
        &self,
        state: &State,
        hardware: &HardwareName,
        after: Option<Cursor>,
        most: usize,
        page: &mut Page<Measurement>,
    ) -> lglp_registry::Result<Option<Cursor>> {
        let (mut last, mut left, mut full) = (None, most, false);
        let visited = &mut |mut measurement: Measurement| {
            if full || left == 0 {
                return ControlFlow::Break(());
            }
            if !self.samples {
                measurement.samples = Vec::new();
            }
            left -= 1;
            full = page.push(&measurement).is_break();
            last = Some((measurement.replicate, measurement.digest));
            ControlFlow::Continue(())
        };
        let store = &state.store;
        let shown = store.visit_measurements(hardware, &self.space, self.replicate, after.as_ref(), visited)?;
        Ok(last.filter(|_| shown.is_break()))
    }
}

/// The place of a measurement within its space.
type Cursor = (u32, Digest);

/// Measurements of a space, all of them or page by page.
#[utoipa::path(
    tag = "measurements",
    security(("token" = ["viewer"])),
    params(("hardware" = String, Path, description = "Hardware target"), Selection),
    responses((status = 200, body = Vec<Measurement>, description = "Measurements, by replicate and then by digest; with `limit`, `Link` names the next page where there is one"), InvalidQuery, NoSuchThing, TooManyReads)
)]
#[get("/v1/{hardware}/measurements")]
pub(crate) async fn list_measurements(
    state: web::Data<State>,
    hardware: web::Path<String>,
    selection: Query<Selection>,
    caller: Caller,
) -> Result<Answer<Vec<Measurement>>, ApiError> {
    let name = hardware_name(&hardware)?;
    let selection = selection.into_inner();
    let first = selection.cursor()?;
    let Some(limit) = selection.limit else {
        return listing(&state, &caller, Frame::array(), first, move |state, after, page| {
            let next = selection.fill(state, &name, after, usize::MAX, page)?;
            Ok(next.map(Some))
        })
        .await;
    };
    one_page(&state, &caller, move |state, page| {
        let next = selection.fill(state, &name, first, limit.get(), page)?;
        Ok(next.map(|last| selection.query_after(&last)))
    })
    .await
}

/// The spaces of which a hardware target has measurements.
#[utoipa::path(
    tag = "measurements",
    security(("token" = ["viewer"])),
    params(("hardware" = String, Path, description = "Hardware target")),
    responses((status = 200, body = Vec<MeasuredSpace>, description = "The spaces, each with the definition that its measurements belong to"), NoSuchThing)
)]
#[get("/v1/{hardware}/spaces")]
pub(crate) async fn measured_spaces(
    state: web::Data<State>,
    hardware: web::Path<String>,
) -> Result<Json<Vec<MeasuredSpace>>, ApiError> {
    let name = hardware_name(&hardware)?;
    let measured = blocking(move || state.store.measured_spaces(&name)).await?;
    Ok(Json(measured))
}

/// Records measurements, all or none. Recording the same again changes nothing.
#[utoipa::path(
    tag = "measurements",
    security(("token" = ["operator"])),
    params(("hardware" = String, Path, description = "Hardware target")),
    request_body = Vec<Measurement>,
    responses(
        (status = 200, body = Recorded, description = "How many of them were new"),
        RecordedOtherwise,
        Invalid,
    )
)]
#[post("/v1/{hardware}/measurements")]
pub(crate) async fn record_measurements(
    state: web::Data<State>,
    hardware: web::Path<String>,
    caller: Caller,
    Body(mut body): Body<Vec<Measurement>, MEASUREMENTS>,
) -> Result<Json<Recorded>, ApiError> {
    let name = hardware_name(&hardware)?;
    of_target(&body, &name, "")?;
    admit_all(&state.spaces, "", &mut body)?;
    let recorded = blocking(move || state.store.record_measurements(&body, &caller.name)).await?;
    Ok(Json(Recorded { recorded }))
}

/// Fails where measurements at `pointer` of a body are of another hardware target than the one in the path.
pub(super) fn of_target(measurements: &[Measurement], hardware: &HardwareName, pointer: &str) -> Result<(), ApiError> {
    match measurements.iter().position(|m| m.hardware != *hardware) {
        None => Ok(()),
        Some(at) => Err(ApiError::invalid_request(vec![Fault {
            pointer: format!("{pointer}/{at}/hardware"),
            detail: format!(
                "`{}` is not the hardware in the path, `{hardware}`",
                measurements[at].hardware
            ),
        }])),
    }
}

/// Takes in measurements at `pointer` of a body: one that is of no network of this server's spaces would spoil every training to
/// come.
pub(super) fn admit_all(spaces: &Spaces, pointer: &str, measurements: &mut [Measurement]) -> Result<(), ApiError> {
    let misfits = measurements.iter_mut().enumerate().filter_map(|(at, measurement)| {
        let Misfit { field, problem } = spaces.admit(measurement).err()?;
        Some(Fault {
            pointer: format!("{pointer}/{at}/{field}"),
            detail: problem,
        })
    });
    match misfits.take(FAULTS_LISTED).collect::<Vec<_>>() {
        faults if faults.is_empty() => Ok(()),
        faults => Err(ApiError::invalid_request(faults)),
    }
}

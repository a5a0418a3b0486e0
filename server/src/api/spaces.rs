//! `/v1/spaces`.

use actix_web::web::Json;
use actix_web::{get, web};
use lglp_engine::measure::visit_plan;
use lglp_openapi::problem::Fault;
use lglp_openapi::problem::responses::{Invalid, NoSuchThing, TooManyReads};
use lglp_openapi::spaces::{MOST_SAMPLED, Sample, SampleQuery, SpaceList};

use super::State;
use super::answer::Answer;
use super::caller::Caller;
use super::heavy::heavy_json;
use super::problem::ApiError;
use super::words::Query;

/// Every search space of this server, with the rules that its architectures keep.
#[utoipa::path(tag = "spaces", security(("token" = ["viewer"])), extensions(("x-lglp-reach" = json!("shared"))), responses((status = 200, body = SpaceList, description = "Every search space")))]
#[get("/v1/spaces")]
pub(crate) async fn list_spaces(state: web::Data<State>) -> Json<SpaceList> {
    let spaces = state.spaces.iter().map(|space| serde_json::json!(**space)).collect();
    Json(SpaceList { spaces })
}

/// Random architectures of a search space: those that `lglp sample` draws of the same seed.
#[utoipa::path(
    tag = "spaces",
    security(("token" = ["viewer"])),
    extensions(("x-lglp-reach" = json!("shared"))),
    params(("space" = String, Path, description = "Search space", example = "mobilenetv3"), SampleQuery),
    responses(
        (status = 200, body = Sample, description = "The architectures"),
        NoSuchThing,
        Invalid,
        TooManyReads,
    )
)]
#[get("/v1/spaces/{space}/sample")]
pub(crate) async fn sample_space(
    state: web::Data<State>,
    space: web::Path<String>,
    query: Query<SampleQuery>,
    caller: Caller,
) -> Result<Answer<Sample>, ApiError> {
    let name = space.into_inner();
    let SampleQuery { count, weighted, seed } = query.into_inner();
    for (field, draws) in [("count", count), ("weighted", weighted)] {
        if draws > MOST_SAMPLED {
            return Err(ApiError::invalid_request(vec![Fault {
                pointer: format!("/{field}"),
                detail: format!("{draws} architectures; at most {MOST_SAMPLED}: draw more with another seed"),
            }]));
        }
    }
    heavy_json(&state, &caller, move |state| {
        let space = state.spaces.get(&name)?;
        let mut architectures = Vec::new();
        visit_plan(space, seed, count, weighted, &mut |_, architecture| {
            architectures.push(space.canonical_text(&architecture));
        });
        Ok::<_, ApiError>(Sample {
            space: space.name().to_owned(),
            seed,
            architectures,
        })
    })
    .await
}

//! `POST /v1/{hardware}/explain`.

use std::sync::Arc;

use actix_web::{HttpResponse, post, web};
use lglp_openapi::explain::{ExplainRequest, Explanation, SingleChange};
use lglp_openapi::predict::PredictingModel;
use lglp_openapi::problem::{Fault, Problem};
use lglp_sdk::{Architecture, SearchSpace};
use serde_json::Value;

use super::State;
use super::extract::Body;
use super::predict::{hardware_name, model_ref, predicted_as};
use super::problem::ApiError;
use crate::explain::{Change, layer_parts, operator_parts, single_changes};
use crate::predictor::{COVERAGE, Contributions};
use crate::serving::{Predicted, ServedModel, Serving};
use crate::spaces::Spaces;

/// Explains a prediction: what each operator, layer and block of the network takes, and what every single change of the architecture would
/// save, the largest saving first. For versions whose regressor tells it, such as those of the recipe `additive`.
#[utoipa::path(
    tag = "predict",
    security(("token" = ["viewer"])),
    params(("hardware" = String, Path, description = "Hardware target", example = "xeon-1t")),
    request_body = ExplainRequest,
    responses(
        (status = 200, body = Explanation, description = "The prediction in parts, which sum to it"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "Unknown hardware, space, version or alias, or nothing in production yet"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "An invalid architecture, or a version that does not tell what it consists of"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too much waits; `Retry-After` says when to ask again"),
        (status = 500, body = Problem, content_type = "application/problem+json", description = "A plugin failed or panicked"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "A plugin is in quarantine or unavailable, or the server is stopping"),
        (status = 504, body = Problem, content_type = "application/problem+json", description = "A plugin did not come back within its deadline"),
    )
)]
#[post("/v1/{hardware}/explain")]
pub async fn explain(
    state: web::Data<State>,
    hardware: web::Path<String>,
    Body(body): Body<ExplainRequest>,
) -> Result<HttpResponse, ApiError> {
    let hardware = hardware_name(&hardware)?;
    let turn = state.desk.turn()?;
    let reference = model_ref(body.model.as_ref().unwrap_or(&Value::Null))?;
    let model = state.serving.route(&hardware, &reference).await?.model;
    let architecture = architecture_of(&body, &model.space, &state.spaces)?;
    let (asked, own) = (model.clone(), architecture.clone());
    let account = model.account.clone();
    let parts = turn.run(&account, 1, move || asked.contributions(&own)).await??;
    let parts = parts.ok_or_else(|| not_told(&model))?;
    let changes: Arc<[Change]> = single_changes(&model.space, &architecture).into();
    turn.expect(1 + changes.len(), model.times_usual())?;
    let (asked, all) = (model.clone(), changes.clone());
    let predicted = turn.each(&account, 1 + changes.len(), move |part| {
        let of = |at: usize| {
            if at == 0 {
                architecture.clone()
            } else {
                all[at - 1].architecture.clone()
            }
        };
        let architectures: Vec<Architecture> = part.map(of).collect();
        Ok::<_, ApiError>(asked.predict(&architectures, COVERAGE)?)
    });
    let predicted: Vec<Predicted> = predicted.await?.into_iter().flatten().collect();
    Ok(HttpResponse::Ok().json(explanation(&model, &body, &parts, &changes, predicted)?))
}

/// The same call without HTTP, for commands that hold the registry themselves.
pub fn explain_here(
    serving: &Serving,
    spaces: &Spaces,
    hardware: &str,
    body: &ExplainRequest,
) -> Result<Explanation, Problem> {
    let answer = || {
        let hardware = hardware_name(hardware)?;
        let reference = model_ref(body.model.as_ref().unwrap_or(&Value::Null))?;
        let model = serving.route_blocking(&hardware, &reference)?.model;
        let architecture = architecture_of(body, &model.space, spaces)?;
        let parts = model.contributions(&architecture)?.ok_or_else(|| not_told(&model))?;
        let changes = single_changes(&model.space, &architecture);
        let others = changes.iter().map(|change| change.architecture.clone());
        let all: Vec<Architecture> = std::iter::once(architecture).chain(others).collect();
        explanation(&model, body, &parts, &changes, model.predict(&all, COVERAGE)?)
    };
    answer().map_err(|error: ApiError| error.problem())
}

fn explanation(
    model: &ServedModel,
    body: &ExplainRequest,
    parts: &Contributions,
    changes: &[Change],
    predicted: Vec<Predicted>,
) -> Result<Explanation, ApiError> {
    let mut predicted = predicted.into_iter();
    let own = predicted
        .next()
        .ok_or_else(|| ApiError::internal("nothing was predicted".to_owned()))?;
    let value = own.value;
    let mut changes: Vec<SingleChange> = changes
        .iter()
        .zip(predicted)
        .map(|(change, other)| SingleChange {
            change: change.words.clone(),
            architecture: model.space.canonical_text(&change.architecture),
            saving: value - other.value,
            prediction: predicted_as(model, other),
        })
        .collect();
    changes.sort_by(|a, b| b.saving.total_cmp(&a.saving));
    let architecture = model.space.architecture_from_json(&body.architecture);
    let architecture =
        architecture.map_err(|error| fault(&format!("/architecture{}", error.pointer), error.message))?;
    Ok(Explanation {
        hardware: model.hardware.to_string(),
        space: model.space.name.clone(),
        unit: model.quantity().unit().into(),
        model: PredictingModel {
            version: model.version,
            digest: model.digest.clone(),
            recipe: model.recipe.clone(),
        },
        architecture: model.space.canonical_text(&architecture),
        prediction: predicted_as(model, own),
        operators: operator_parts(parts),
        layers: layer_parts(parts),
        rest: parts.rest,
        changes,
    })
}

fn architecture_of(body: &ExplainRequest, space: &SearchSpace, spaces: &Spaces) -> Result<Architecture, ApiError> {
    if let Some(name) = &body.space
        && spaces.get(name)?.name != space.name
    {
        return Err(fault(
            "/space",
            format!("the version predicts in the space `{}`", space.name),
        ));
    }
    let read = space.architecture_from_json(&body.architecture);
    read.map_err(|error| fault(&format!("/architecture{}", error.pointer), error.message))
}

fn not_told(model: &ServedModel) -> ApiError {
    let detail = format!(
        "version {} is of the recipe `{}`, which does not tell what its predictions consist of; versions of `additive` do",
        model.version, model.recipe
    );
    fault("/model", detail)
}

fn fault(pointer: &str, detail: String) -> ApiError {
    ApiError::invalid_request(vec![Fault {
        pointer: pointer.into(),
        detail,
    }])
}

//! `POST /v1/{hardware}/explain`.

use std::sync::Arc;

use actix_web::web::Json;
use actix_web::{post, web};
use lglp_engine::predictor::{Contributions, Predicted, ROWS_PER_UNIT, ServedModel};
use lglp_engine::spaces::{Spaces, single_changes};
use lglp_openapi::explain::{ExplainRequest, Explanation, SingleChange};
use lglp_openapi::predict::PredictingModel;
use lglp_openapi::problem::responses::{NothingToAsk, PluginFailed, PluginTooSlow, TooMuchWaits};
use lglp_openapi::problem::{Fault, Problem};
use lglp_registry::HardwareName;
use lglp_sdk::{Architecture, SearchSpace};
use serde_json::Value;

use super::State;
use super::extract::{Body, hardware_name};
use super::predict::{model_ref, predicted_as, told};
use super::problem::ApiError;
use crate::explain::{layer_parts, operator_parts};
use crate::serving::Serving;

/// Explains a prediction: what each operator, layer and block of the network takes, and what every single change of the architecture would
/// save, the largest saving first. For versions whose regressor tells it, such as those of the recipe `additive`.
#[utoipa::path(
    tag = "predict",
    security(("token" = ["viewer"])),
    params(("hardware" = String, Path, description = "Hardware target", example = "xeon-1t")),
    request_body = ExplainRequest,
    responses(
        (status = 200, body = Explanation, description = "The prediction in parts, which sum to it"),
        NothingToAsk,
        (status = 422, body = Problem, content_type = "application/problem+json", description = "An invalid architecture, or a version that does not tell what it consists of"),
        TooMuchWaits,
        PluginFailed,
        (status = 503, body = Problem, content_type = "application/problem+json", description = "A plugin is in quarantine or unavailable, or the server is stopping"),
        PluginTooSlow,
    )
)]
#[post("/v1/{hardware}/explain")]
pub(crate) async fn explain(
    state: web::Data<State>,
    hardware: web::Path<String>,
    Body(body): Body<ExplainRequest>,
) -> Result<Json<Explanation>, ApiError> {
    let hardware = hardware_name(&hardware)?;
    let turn = state.desk.turn()?;
    let reference = model_ref(body.model.as_ref().unwrap_or(&Value::Null))?;
    let model = state.serving.route(&hardware, &reference).await?.model;
    let account = model.account.clone();
    let (serving, spaces, asked) = (state.serving.clone(), state.spaces.clone(), model.clone());
    let begin = move || Question::begin(&body, &asked, &spaces, &serving);
    let question = Arc::new(turn.run(&account, 1, begin).await??);
    turn.expect(question.architectures.len(), model.times_usual())?;
    let (serving, asked, all) = (state.serving.clone(), model.clone(), question.clone());
    let compared = turn.each(&account, (question.architectures.len(), ROWS_PER_UNIT), move |part| {
        let compared = asked.compare(&all.architectures[0], &all.architectures[part]);
        Ok::<_, ApiError>(serving.seen(&asked, compared)?)
    });
    let compared = compared.await?.into_iter().flatten().collect();
    Ok(Json(question.answer(&model, compared)?))
}

/// The same call without HTTP, for commands that hold the registry themselves.
pub(crate) fn explain_here(
    serving: &Serving,
    spaces: &Spaces,
    hardware: &HardwareName,
    body: &ExplainRequest,
) -> Result<Explanation, ApiError> {
    let reference = model_ref(body.model.as_ref().unwrap_or(&Value::Null))?;
    let model = serving.route_blocking(hardware, &reference)?.model;
    let question = Question::begin(body, &model, spaces, serving)?;
    let compared = model.compare(&question.architectures[0], &question.architectures)?;
    question.answer(&model, compared)
}

/// What is to be explained, read and taken apart.
struct Question {
    parts: Contributions,
    /// In words, those of all architectures but the first.
    changes: Vec<String>,
    /// The one that is explained, and those that differ from it in one choice.
    architectures: Vec<Architecture>,
}

impl Question {
    fn begin(
        body: &ExplainRequest,
        model: &Arc<ServedModel>,
        spaces: &Spaces,
        serving: &Serving,
    ) -> Result<Self, ApiError> {
        let architecture = architecture_of(body, &model.space, spaces)?;
        let parts = serving.seen(model, model.contributions(&architecture))?;
        let parts = parts.ok_or_else(|| not_told(model))?;
        let found = single_changes(&model.space, &architecture).into_iter();
        let (changes, others): (_, Vec<_>) = found.map(|change| (change.words, change.architecture)).unzip();
        Ok(Self {
            parts,
            changes,
            architectures: [vec![architecture], others].concat(),
        })
    }

    /// The answer, from what is predicted of the architectures, compared with the first.
    fn answer(&self, model: &ServedModel, compared: Vec<(Predicted, Option<f64>)>) -> Result<Explanation, ApiError> {
        let space = &model.space;
        let mut pairs = self.architectures.iter().zip(compared);
        let (architecture, (own, _)) = pairs
            .next()
            .ok_or_else(|| ApiError::internal("nothing was predicted".to_owned()))?;
        let value = own.value;
        let changes = self
            .changes
            .iter()
            .zip(pairs)
            .map(|(words, (architecture, (other, spread)))| {
                let saving = value - other.value;
                let (saving_interval, no_saving_interval) = told(model.difference_interval(saving, spread));
                SingleChange {
                    change: words.clone(),
                    architecture: space.canonical_text(architecture),
                    saving,
                    saving_interval,
                    no_saving_interval,
                    prediction: predicted_as(model, other),
                }
            });
        let mut changes: Vec<SingleChange> = changes.collect();
        changes.sort_by(|a, b| b.saving.total_cmp(&a.saving));
        Ok(Explanation {
            hardware: model.hardware.to_string(),
            space: space.name().to_owned(),
            unit: model.quantity().unit().into(),
            runtime: model.runtime.clone(),
            batch_size: model.batch_size,
            model: PredictingModel {
                version: model.version,
                digest: model.digest.clone(),
                recipe: model.recipe.clone(),
            },
            architecture: space.canonical_text(architecture),
            prediction: predicted_as(model, own),
            operators: operator_parts(&self.parts),
            layers: layer_parts(&self.parts),
            rest: self.parts.rest,
            changes,
        })
    }
}

fn architecture_of(body: &ExplainRequest, space: &SearchSpace, spaces: &Spaces) -> Result<Architecture, ApiError> {
    if let Some(name) = &body.space
        && spaces.get(name)?.name() != space.name()
    {
        return Err(fault(
            "/space",
            format!("the version predicts in the space `{}`", space.name()),
        ));
    }
    let read = spaces.architecture(space, &body.architecture);
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

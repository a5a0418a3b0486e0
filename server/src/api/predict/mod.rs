//! `POST /v1/{hardware}/predict`.
//!
//! A request takes a place before its body is parsed, and computes in units (`work.rs`), between which others pass. When its
//! client goes away the future of its handler is dropped, and all of it ends with the unit that runs.

mod answer;
mod body;
mod limits;
mod work;

use std::time::Instant;

use actix_web::{post, web};
use lglp_openapi::predict::{PredictRequest, PredictResponse};
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{NothingToAsk, PluginFailed, PluginTooSlow, TooMuchWaits};
use lglp_registry::HardwareName;

use self::answer::response;
pub(super) use self::answer::{predicted_as, told};
use self::body::PredictBody;
pub(super) use self::body::model_ref;
pub(super) use self::limits::PREDICT_LIMIT;
use self::work::{Prediction, Served};
use super::State;
use super::answer::Answer;
use super::extract::Bytes;
use super::extract::hardware_name;
use super::problem::ApiError;
use crate::compute::Account;
use crate::serving::{ModelLabels, Route, Serving};
use lglp_engine::spaces::Spaces;

/// Bytes of a body that is looked through at once, in less time than it takes to hand it to another thread.
const AT_ONCE: usize = 16 << 10;

/// Predicts the latency of 1 to 10,000 architectures, or the energy where the model predicts that.
#[utoipa::path(
    tag = "predict",
    security(("token" = ["viewer"])),
    params(("hardware" = String, Path, description = "Hardware target", example = "xeon-1t")),
    request_body = PredictRequest,
    responses(
        (status = 200, body = PredictResponse, description = "Predictions in the order asked"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "Malformed JSON"),
        NothingToAsk,
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body too large"),
        (status = 415, body = Problem, content_type = "application/problem+json", description = "The body is compressed otherwise than by gzip"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Invalid architectures, each with its place; or too many"),
        TooMuchWaits,
        PluginFailed,
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The version cannot be used, it or a plugin is in quarantine, a plugin is unavailable, or the server is stopping"),
        PluginTooSlow,
    )
)]
#[post("/v1/{hardware}/predict")]
pub(crate) async fn predict(
    state: web::Data<State>,
    hardware: web::Path<String>,
    Bytes(body): Bytes<PREDICT_LIMIT>,
) -> Result<Answer<PredictResponse>, ApiError> {
    let started = Instant::now();
    let hardware = hardware_name(&hardware)?;
    // Once the body has come, and before it is parsed: whoever sends slowly keeps no place from others.
    let turn = state.desk.turn()?;
    let request = if body.len() <= AT_ONCE {
        PredictBody::read(&body)?
    } else {
        turn.run(&Account::default(), 0, move || PredictBody::read(&body))
            .await??
    };
    let mut route = state.serving.route(&hardware, &request.model).await?;
    route.coverage = request.coverage;
    turn.expect(request.architectures.len(), route.model.times_usual())?;
    let work = Prediction {
        serving: state.serving.clone(),
        spaces: state.spaces.clone(),
        route,
        request,
    };
    let Served { json, counts } = work.run(&turn).await?;
    for (version, predictions) in counts {
        let labels = ModelLabels {
            hardware: hardware.to_string(),
            version,
        };
        state.usage.add(&hardware, predictions);
        state.metrics.predictions.get_or_create(&labels).inc_by(predictions);
    }
    state.metrics.predict_seconds.observe(started.elapsed().as_secs_f64());
    Ok(Answer::written(json))
}

/// The same call without HTTP, for commands that hold the registry themselves.
pub(crate) fn predict_here(
    serving: &Serving,
    spaces: &Spaces,
    hardware: &HardwareName,
    request: &PredictRequest,
) -> Result<PredictResponse, ApiError> {
    let body = serde_json::to_vec(request).map_err(|error| ApiError::internal(error.to_string()))?;
    let request = PredictBody::read(&body.into())?;
    let mut route: Route = serving.route_blocking(hardware, &request.model)?;
    route.coverage = request.coverage;
    request.check_space(&route.model, spaces)?;
    let architectures = request.architectures(&route.model.space, spaces, 0..request.architectures.len())?;
    let answered = serving.answer(&route, &architectures)?;
    Ok(response(&route, answered))
}

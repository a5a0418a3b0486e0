//! `POST /v1/{hardware}/predict`.
//!
//! A request takes a place before its body is parsed, and computes in units (`work.rs`), between which others pass. When its
//! client goes away the future of its handler is dropped, and all of it ends with the unit that runs.

mod answer;
mod binary;
mod body;
mod fault;
mod fields;
mod form;
mod limits;
mod networks;
mod sent;
mod small;
mod source;
mod texts;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header::HeaderName;
use actix_web::{post, web};
use lglp_openapi::Binary;
use lglp_openapi::networks::{NetworksForm, NetworksRequest};
use lglp_openapi::predict::{PredictRequest, PredictResponse, Prediction as Predicted, RowsQuery};
use lglp_openapi::problem::Problem;
use lglp_openapi::problem::responses::{NothingToAsk, PluginFailed, PluginTooSlow, TooMuchWaits};
use lglp_registry::HardwareName;

pub(super) use self::answer::{predicted_as, told};
use self::answer::{response, response_of};
use self::body::PredictBody;
pub(super) use self::body::model_ref;
use self::networks::{Networks, Reading};
use self::sent::Sent;
use self::work::{Prediction, Served};
use super::State;
use super::answer::Answer;
use super::caller::Caller;
use super::extract::hardware_name;
use super::heavy::heavy;
use super::problem::ApiError;
use crate::compute::Account;
use crate::serving::{ModelLabels, Route, Serving};
use lglp_engine::spaces::Spaces;

/// Number of the version that predicted, in the head of an answer whose body has no place for it; a canary's share is not told apart.
const VERSION: HeaderName = HeaderName::from_static("lglp-model-version");

/// Bytes of a body that is looked through at once, in less time than it takes to hand it to another thread.
const AT_ONCE: usize = 16 << 10;

/// Predicts the latency of 1 to 10,000 architectures, or the energy where the model predicts that; or of 1 to 100 networks as ONNX
/// files, where the body is a form. Architectures may be rows of bytes, too, one after the other; the answer is numbers then: of each the
/// value, the ends of its interval, and 1 where it lies outside of the training range, else 0, as little-endian 64-bit floats.
#[utoipa::path(
    tag = "predict",
    security(("token" = ["viewer"])),
    params(("hardware" = String, Path, description = "Hardware target", example = "xeon-1t"), RowsQuery),
    request_body(content((PredictRequest = "application/json"), (NetworksForm = "multipart/form-data"), (Binary = "application/octet-stream"))),
    responses(
        (status = 200, content((PredictResponse = "application/json"), (Binary = "application/octet-stream")), description = "Predictions in the order asked"),
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
    caller: Caller,
    sent: Sent,
) -> Result<Answer<PredictResponse>, ApiError> {
    let started = Instant::now();
    let hardware = hardware_name(&hardware)?;
    let (is_binary, served) = match sent {
        Sent::Document(body) => (false, of_architectures(&state, &hardware, body, None).await?),
        Sent::Rows(body, query) => (true, of_architectures(&state, &hardware, body, Some(query)).await?),
        Sent::Form { body, boundary } => (false, of_networks(&state, &hardware, &caller, body, boundary).await?),
    };
    let Served { body, version, counts } = served;
    for (version, predictions) in counts {
        let labels = ModelLabels {
            hardware: hardware.to_string(),
            version,
        };
        state.usage.add(&hardware, predictions);
        state.metrics.predictions.get_or_create(&labels).inc_by(predictions);
    }
    state.metrics.predict_seconds.observe(started.elapsed().as_secs_f64());
    Ok(match is_binary {
        false => Answer::written(body),
        true => Answer::binary(body).with_header(VERSION, version.into()),
    })
}

/// Of a document, or of rows, which come with a query.
async fn of_architectures(
    state: &web::Data<State>,
    hardware: &HardwareName,
    body: web::Bytes,
    query: Option<RowsQuery>,
) -> Result<Served, ApiError> {
    // Once the body has come, and before it is parsed: whoever sends slowly keeps no place from others.
    let turn = state.desk.turn()?;
    let is_short = body.len() <= AT_ONCE;
    let request = match query {
        Some(query) => PredictBody::of_rows(body, query)?,
        None if is_short => PredictBody::read(&body)?,
        None => {
            let read = move || PredictBody::read(&body);
            turn.run(&Account::default(), 0, read).await??
        }
    };
    let mut route = state.serving.route(hardware, &request.model).await?;
    route.coverage = request.coverage;
    let rows = request.architectures.count(&route.model.space)?;
    turn.expect(rows, route.model.times_usual())?;
    let work = Prediction {
        rows,
        serving: state.serving.clone(),
        spaces: state.spaces.clone(),
        route,
        request,
        is_short,
    };
    work.run(&turn).await
}

/// Files are read apart from what predicts: they may be large, and take as long as they like without a plugin being blamed.
async fn of_networks(
    state: &web::Data<State>,
    hardware: &HardwareName,
    caller: &Caller,
    body: web::Bytes,
    boundary: String,
) -> Result<Served, ApiError> {
    let form = move |_: &_| form::read(body, boundary).and_then(Networks::check);
    let asked = Arc::new(heavy(state, caller, form).await?);
    let mut route = state.serving.route(hardware, &asked.model).await?;
    route.coverage = asked.coverage;
    let turn = state.desk.turn()?;
    let mut reading = Reading::default();
    // Each in a turn of its own, so that others come in between, and what is left ends with its client.
    for at in 0..asked.len() {
        let asked = asked.clone();
        reading.add(heavy(state, caller, move |_| Ok::<_, ApiError>(asked.read(at))).await?)?;
    }
    let networks = Arc::new(reading.finish()?);
    turn.expect(networks.len(), route.model.times_usual())?;
    let account = route.model.account.clone();
    let route = Arc::new(route);
    let mut told = Vec::with_capacity(networks.len());
    for at in 0..networks.len() {
        let (asked, networks) = (asked.clone(), networks.clone());
        let (route, serving) = (route.clone(), state.serving.clone());
        let one = move || asked.predict(at, &networks[at], &serving, &route);
        told.push(turn.run(&account, 1, one).await??);
    }
    let mut counts = BTreeMap::new();
    for (_, version) in &told {
        *counts.entry(*version).or_default() += 1;
    }
    let predictions = told.into_iter().map(|(prediction, _)| prediction).collect();
    let json = serde_json::to_vec(&response_of(&route, predictions));
    Ok(Served {
        version: route.model.version,
        body: json.map_err(|error| ApiError::internal(error.to_string()))?,
        counts: counts.into_iter().collect(),
    })
}

/// Predicts networks without HTTP, as [`predict_here`].
pub(crate) fn predict_networks_here(
    serving: &Serving,
    hardware: &HardwareName,
    request: NetworksRequest,
) -> Result<PredictResponse, ApiError> {
    let asked = Networks::check(request)?;
    let mut route = serving.route_blocking(hardware, &asked.model)?;
    route.coverage = asked.coverage;
    let mut reading = Reading::default();
    (0..asked.len()).try_for_each(|at| reading.add(asked.read(at)))?;
    let networks = reading.finish()?;
    let one = |(at, network)| {
        asked
            .predict(at, network, serving, &route)
            .map(|(prediction, _)| prediction)
    };
    let predictions: Vec<Predicted> = networks.iter().enumerate().map(one).collect::<Result<_, _>>()?;
    Ok(response_of(&route, predictions))
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
    let rows = request.architectures.count(&route.model.space)?;
    let read = request.architectures(&route.model.space, spaces, 0..rows)?;
    let answered = serving.answer(&route, &read.architectures)?;
    Ok(response(&route, answered, &read.faults))
}

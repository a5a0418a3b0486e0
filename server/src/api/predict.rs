//! `POST /v1/{hardware}/predict`.

use std::sync::Arc;
use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, post, web};
use lglp_openapi::predict::{
    PredictRequest, PredictResponse, PredictingCanary, PredictingModel, Prediction, PredictionInterval,
};
use lglp_openapi::problem::{Fault, Problem};
use lglp_registry::{HardwareName, Quantity};
use lglp_sdk::{Architecture, Excerpt, SearchSpace};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::State;
use super::extract::{Body, blocking};
use super::problem::{ApiError, FAULTS_LISTED};
use crate::serving::{Answered, ModelLabels, ModelRef, Route, ServedModel, Serving};
use crate::spaces::Spaces;
use crate::strict::whole;

/// Architectures of one request at most.
pub const BATCH_LIMIT: usize = 10_000;

/// Rows that are worth another core, some milliseconds of work.
const ROWS_PER_CORE: usize = 64;

/// Predicts the latency of 1 to 10,000 architectures, or the energy where the model predicts that.
#[utoipa::path(
    tag = "predict",
    security(("token" = ["viewer"])),
    params(("hardware" = String, Path, description = "Hardware target", example = "xeon-1t")),
    request_body = PredictRequest,
    responses(
        (status = 200, body = PredictResponse, description = "Predictions in the order asked"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "Malformed JSON"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "Unknown hardware, space, version or alias, or nothing in production yet"),
        (status = 413, body = Problem, content_type = "application/problem+json", description = "Body too large"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Invalid architectures, each with its place; or too many"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many requests wait"),
        (status = 500, body = Problem, content_type = "application/problem+json", description = "A plugin failed or panicked"),
    )
)]
#[post("/v1/{hardware}/predict")]
pub async fn predict(
    state: web::Data<State>,
    hardware: web::Path<String>,
    Body(body): Body<Value>,
) -> Result<HttpResponse, ApiError> {
    let started = Instant::now();
    let hardware = hardware_name(&hardware)?;
    let request = PredictBody::read(body)?;
    let _place = state
        .queue
        .clone()
        .try_acquire_owned()
        .map_err(|_| ApiError::overloaded())?;
    // Before a core is taken: whoever waits for a version to be loaded keeps none from others.
    let route = state.serving.route(&hardware, &request.model).await?;
    let cores = Cores::take(&state.running, request.architectures.len()).await?;
    let serving = state.serving.clone();
    let spaces = state.spaces.clone();
    let (route, answered) = blocking(move || -> Result<_, ApiError> {
        let answered = request.answer(&serving, &spaces, &route, cores.0.len())?;
        Ok((route, answered))
    })
    .await?;
    count(&state, &route, &answered);
    state.metrics.predict_seconds.observe(started.elapsed().as_secs_f64());
    Ok(HttpResponse::Ok().json(response(&route, answered)))
}

fn count(state: &State, route: &Route, answered: &[Answered]) {
    let hardware = &route.model.hardware;
    state.usage.add(hardware, answered.len() as u64);
    let by_model = answered.iter().filter(|a| a.version == route.model.version).count();
    let canary = route.canary.as_ref().map(|canary| canary.version);
    let by_canary = canary.map(|version| (version, answered.len() - by_model));
    for (version, predictions) in [(route.model.version, by_model)].into_iter().chain(by_canary) {
        let labels = ModelLabels {
            hardware: hardware.to_string(),
            version,
        };
        let counter = state.metrics.predictions.get_or_create(&labels);
        counter.inc_by(predictions as u64);
    }
}

/// Cores that a request computes on, given back when it is dropped.
pub(super) struct Cores(Vec<OwnedSemaphorePermit>);

impl Cores {
    /// Waits for one core; a batch that is worth it takes further ones that are idle.
    pub(super) async fn take(running: &Arc<Semaphore>, rows: usize) -> Result<Self, ApiError> {
        let first = running.clone().acquire_owned().await;
        let mut cores = vec![first.map_err(|e| ApiError::internal(e.to_string()))?];
        while cores.len() < rows.div_ceil(ROWS_PER_CORE) {
            let Ok(another) = running.clone().try_acquire_owned() else {
                break;
            };
            cores.push(another);
        }
        Ok(Self(cores))
    }
}

/// The same call without HTTP, for commands that hold the registry themselves.
pub fn predict_here(
    serving: &Serving,
    spaces: &Spaces,
    hardware: &str,
    body: Value,
) -> Result<PredictResponse, Problem> {
    let answer = || {
        let hardware = hardware_name(hardware)?;
        let request = PredictBody::read(body)?;
        let route = serving.route_blocking(&hardware, &request.model)?;
        let answered = request.answer(serving, spaces, &route, 1)?;
        Ok(response(&route, answered))
    };
    answer().map_err(|error: ApiError| error.problem())
}

/// A hardware name from a path.
pub fn hardware_name(name: &str) -> Result<HardwareName, ApiError> {
    name.parse().map_err(|error: lglp_registry::Error| {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "unknown-hardware",
            "Unknown hardware",
            error.to_string(),
        )
    })
}

/// The body, its fields checked; architectures wait for the model to tell their space.
struct PredictBody {
    space: Option<String>,
    model: ModelRef,
    architectures: Vec<Value>,
}

impl PredictBody {
    fn read(body: Value) -> Result<Self, ApiError> {
        let fault = |pointer: &str, detail: String| {
            ApiError::invalid_request(vec![Fault {
                pointer: pointer.into(),
                detail,
            }])
        };
        let Value::Object(mut fields) = body else {
            return Err(fault("", "expected an object with `architectures`".into()));
        };
        let known = ["space", "architectures", "model"];
        if let Some(unknown) = fields.keys().find(|k| !known.contains(&k.as_str())) {
            let unknown = Excerpt::of(unknown).to_string();
            let detail = format!("unknown field `{unknown}`; known: {}", known.join(", "));
            return Err(fault(&format!("/{}", escape(&unknown)), detail));
        }
        let space = match fields.remove("space") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name),
            Some(other) => {
                return Err(fault(
                    "/space",
                    format!("{} is not the name of a search space", Excerpt::of(other)),
                ));
            }
        };
        let model = match fields.remove("model") {
            None | Some(Value::Null) => ModelRef::production(),
            Some(value) => model_ref(&value).ok_or_else(|| {
                fault(
                    "/model",
                    format!(
                        "{} is neither an alias, like \"production\", nor a version number, like 3",
                        Excerpt::of(value)
                    ),
                )
            })?,
        };
        let architectures = match fields.remove("architectures") {
            Some(Value::Array(items)) => items,
            Some(_) => return Err(fault("/architectures", "expected an array of architectures".into())),
            None => {
                return Err(fault(
                    "/architectures",
                    "missing field `architectures`; an array of 1 to 10,000".into(),
                ));
            }
        };
        if architectures.is_empty() || architectures.len() > BATCH_LIMIT {
            let detail = format!(
                "{} architectures; allowed: 1 to {BATCH_LIMIT} per request",
                architectures.len()
            );
            return Err(fault("/architectures", detail));
        }
        Ok(Self {
            space,
            model,
            architectures,
        })
    }
}

impl PredictBody {
    fn answer(
        &self,
        serving: &Serving,
        spaces: &Spaces,
        route: &Route,
        threads: usize,
    ) -> Result<Vec<Answered>, ApiError> {
        let served = &route.model;
        if let Some(name) = &self.space
            && spaces.get(name)?.name != served.space.name
        {
            return Err(other_space(served, name));
        }
        let architectures = read_architectures(&served.space, &self.architectures)?;
        Ok(serving.answer(route, &architectures, threads)?)
    }
}

fn model_ref(value: &Value) -> Option<ModelRef> {
    match value {
        Value::Number(number) => Some(ModelRef::Version(u32::try_from(whole(number)?).ok()?)),
        Value::String(text) => match text.parse() {
            Ok(version) => Some(ModelRef::Version(version)),
            Err(_) => Some(ModelRef::Alias(text.parse().ok()?)),
        },
        _ => None,
    }
}

/// Reads architectures, pointing at every faulty one.
fn read_architectures(space: &Arc<SearchSpace>, values: &[Value]) -> Result<Vec<Architecture>, ApiError> {
    let mut architectures = Vec::with_capacity(values.len());
    let mut faults = Vec::new();
    for (i, value) in values.iter().enumerate() {
        match space.architecture_from_json(value) {
            Ok(architecture) => architectures.push(architecture),
            Err(error) if faults.len() < FAULTS_LISTED => faults.push(Fault {
                pointer: format!("/architectures/{i}{}", error.pointer),
                detail: error.message,
            }),
            Err(_) => {}
        }
    }
    if faults.is_empty() {
        Ok(architectures)
    } else {
        Err(ApiError::invalid_request(faults))
    }
}

fn other_space(served: &ServedModel, asked: &str) -> ApiError {
    let detail = format!(
        "version {} of `{}` predicts in the space `{}`",
        served.version, served.hardware, served.space.name
    );
    ApiError::invalid_request(vec![Fault {
        pointer: "/space".into(),
        detail: format!("`{}`; {detail}", Excerpt::of(asked)),
    }])
}

fn response(route: &Route, answered: Vec<Answered>) -> PredictResponse {
    let served = &route.model;
    let canary = route.canary.as_ref().and_then(|canary| {
        let model = canary.model.as_ref()?;
        Some(PredictingCanary {
            version: model.version,
            digest: model.digest.clone(),
            recipe: model.recipe.clone(),
            share: canary.share,
        })
    });
    PredictResponse {
        hardware: served.hardware.to_string(),
        space: served.space.name.clone(),
        unit: served.quantity().unit().into(),
        model: PredictingModel {
            version: served.version,
            digest: served.digest.clone(),
            recipe: served.recipe.clone(),
        },
        canary,
        predictions: answered.into_iter().map(|a| prediction(served, a)).collect(),
    }
}

fn prediction(served: &ServedModel, Answered { predicted, version }: Answered) -> Prediction {
    let of = |quantity| Some(predicted.value).filter(|_| served.quantity() == quantity);
    Prediction {
        latency_ms: of(Quantity::Latency),
        energy_j: of(Quantity::Energy),
        version: Some(version).filter(|version| *version != served.version),
        interval: predicted.interval.map(|i| PredictionInterval {
            low: i.low,
            high: i.high,
            coverage: i.coverage,
        }),
        outside_training_range: predicted.outside_training_range,
    }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

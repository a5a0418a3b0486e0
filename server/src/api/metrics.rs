//! `GET /metrics`: Prometheus text.

use actix_web::{HttpResponse, get, web};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::State;
use super::problem::ApiError;

/// Labels of a request.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RequestLabels {
    /// The route's pattern, not the path: paths are without number.
    pub route: String,
    pub method: String,
    pub status: u16,
}

/// Labels of predictions.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ModelLabels {
    pub hardware: String,
    pub version: u32,
}

/// What the server counts.
pub struct Metrics {
    registry: Registry,
    pub requests: Family<RequestLabels, Counter>,
    pub predictions: Family<ModelLabels, Counter>,
    pub predict_seconds: Histogram,
    pub bad_tokens: Counter,
    pub lock_outs: Counter,
}

impl Metrics {
    pub fn new() -> Self {
        let requests = Family::default();
        let predictions = Family::default();
        let predict_seconds = Histogram::new(exponential_buckets(0.0005, 2.0, 16));
        let (bad_tokens, lock_outs) = (Counter::default(), Counter::default());
        let mut registry = Registry::with_prefix("lglp");
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register("predictions", "Architectures predicted", predictions.clone());
        registry.register(
            "predict_duration_seconds",
            "Time of a prediction request on the server, waiting included",
            predict_seconds.clone(),
        );
        registry.register(
            "bad_tokens",
            "Requests with a token that was not admitted",
            bad_tokens.clone(),
        );
        registry.register(
            "lock_outs",
            "Addresses locked out for too many bad tokens",
            lock_outs.clone(),
        );
        Self {
            registry,
            requests,
            predictions,
            predict_seconds,
            bad_tokens,
            lock_outs,
        }
    }
}

/// Counters and histograms in the Prometheus text format.
#[utoipa::path(tag = "operation", security(("token" = ["viewer"])), responses((status = 200, content_type = "application/openmetrics-text", body = String, description = "Metrics in the OpenMetrics text format")))]
#[get("/metrics")]
pub async fn prometheus(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let mut text = String::new();
    encode(&mut text, &state.metrics.registry).map_err(|e| ApiError::internal(e.to_string()))?;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(HttpResponse::Ok().content_type(content_type).body(text))
}

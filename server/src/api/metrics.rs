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
use crate::serving::{Counts, ModelLabels};

/// Labels of a request.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RequestLabels {
    /// The route's pattern, not the path: paths are without number.
    pub route: String,
    pub method: String,
    pub status: u16,
}

/// What the server counts.
pub struct Metrics {
    registry: Registry,
    pub requests: Family<RequestLabels, Counter>,
    pub predictions: Family<ModelLabels, Counter>,
    pub predict_seconds: Histogram,
}

impl Metrics {
    /// With what the serving table counts.
    pub fn new(serving: &Counts) -> Self {
        let requests = Family::default();
        let predictions = Family::default();
        let predict_seconds = Histogram::new(exponential_buckets(0.0005, 2.0, 16));
        let mut registry = Registry::with_prefix("lglp");
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register("predictions", "Architectures predicted", predictions.clone());
        registry.register(
            "predict_duration_seconds",
            "Time of a prediction request on the server, waiting included",
            predict_seconds.clone(),
        );
        serving.register(&mut registry);
        Self {
            registry,
            requests,
            predictions,
            predict_seconds,
        }
    }
}

/// Counters and histograms in the Prometheus text format.
#[utoipa::path(tag = "operation", responses((status = 200, content_type = "application/openmetrics-text", body = String, description = "Metrics in the OpenMetrics text format")))]
#[get("/metrics")]
pub async fn prometheus(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let mut text = String::new();
    encode(&mut text, &state.metrics.registry).map_err(|e| ApiError::internal(e.to_string()))?;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(HttpResponse::Ok().content_type(content_type).body(text))
}

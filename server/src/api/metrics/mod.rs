//! `GET /metrics`: Prometheus text.

mod format;
mod process;

use std::time::Duration;

use actix_web::http::header::ACCEPT;
use actix_web::{HttpRequest, HttpResponse, get, web};
use lglp_registry::{Job, JobFilter, JobKind, JobState, WebhookId};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use serde_json::json;

use self::format::Format;
use self::process::Process;
use super::State;
use super::connections::Places;
use super::extract::blocking;
use super::problem::ApiError;
use crate::jobs::{JobLabels, Queue};
use crate::serving::{Counts, ModelLabels, PluginLabels};
use crate::webhooks::{Observer, Outcome, delivery_statuses};
use crate::workers::worker_status;

/// Labels of a request. Each comes from a closed set: what clients choose freely would be series without number.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RequestLabels {
    /// The route's pattern, not the path.
    pub route: String,
    /// One that HTTP knows, or `other`.
    pub method: &'static str,
    pub status: u16,
}

/// Labels of what a request took; from closed sets, too.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RouteLabels {
    pub route: String,
    pub method: &'static str,
}

/// Labels of the program that runs.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
}

/// Labels of attempts to deliver.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct DeliveryLabels {
    pub webhook: String,
    /// `delivered`, `rejected` (another status than 2xx) or `unreachable` (no answer).
    pub outcome: &'static str,
}

impl DeliveryLabels {
    fn new(webhook: &WebhookId, outcome: Outcome) -> Self {
        let webhook = webhook.to_string();
        let outcome = match outcome {
            Outcome::Delivered => "delivered",
            Outcome::Rejected => "rejected",
            Outcome::Unreachable => "unreachable",
        };
        Self { webhook, outcome }
    }
}

/// Labels of a worker.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct WorkerLabels {
    pub worker: String,
    pub hardware: String,
    /// `idle`, `measuring`, `silent`, `unconfirmed` or `gone`.
    pub state: String,
}

/// Labels of a webhook.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct WebhookLabels {
    pub webhook: String,
}

/// Attempts to deliver, counted for each webhook that exists.
#[derive(Clone, Default)]
pub struct Deliveries(Family<DeliveryLabels, Counter>);

impl Observer for Deliveries {
    fn attempted(&self, webhook: &WebhookId, outcome: Outcome) {
        self.0.get_or_create(&DeliveryLabels::new(webhook, outcome)).inc();
    }

    fn gone(&self, webhook: &WebhookId) {
        for outcome in Outcome::ALL {
            self.0.remove(&DeliveryLabels::new(webhook, outcome));
        }
    }
}

/// Half a millisecond to a quarter of a minute.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 16))
}

/// What the server counts.
pub struct Metrics {
    registry: Registry,
    /// What has the names of every program's.
    common: Registry,
    process: Process,
    pub request_seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    pub requests: Family<RequestLabels, Counter>,
    pub predictions: Family<ModelLabels, Counter>,
    pub predict_seconds: Histogram,
    /// Jobs that wait or run.
    jobs: Family<JobLabels, Gauge>,
    pub deliveries: Deliveries,
    /// Counted when it is asked for.
    webhook_undelivered: Family<WebhookLabels, Gauge>,
    /// Counted when they are asked for: what each worker has measured since it registered.
    worker_measurements: Family<WorkerLabels, Gauge>,
    pub bad_tokens: Counter,
    pub lock_outs: Counter,
}

impl Metrics {
    /// With what the serving table, the jobs and the connections count.
    pub fn new(serving: &Counts, jobs: &Queue, places: &Places) -> Self {
        let requests = Family::default();
        let predictions = Family::default();
        let predict_seconds = durations();
        let (bad_tokens, lock_outs) = (Counter::default(), Counter::default());
        let mut common = Registry::default();
        let process = Process::new(&mut common);
        let mut registry = Registry::with_prefix("lglp");
        let build = Family::<BuildLabels, Gauge>::default();
        let version = env!("CARGO_PKG_VERSION");
        build.get_or_create(&BuildLabels { version }).set(1);
        registry.register("build_info", "The program that runs; always 1", build);
        let request_seconds: Family<RouteLabels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(durations);
        registry.register(
            "http_request_duration_seconds",
            "Time until a request's answer begins",
            request_seconds.clone(),
        );
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register("predictions", "Architectures predicted", predictions.clone());
        registry.register(
            "predict_duration_seconds",
            "Time of a prediction request on the server, waiting included",
            predict_seconds.clone(),
        );
        let open = Family::default();
        registry.register("jobs", "Jobs that wait or run", open.clone());
        let ended = jobs.feed().ended.clone();
        registry.register("jobs_ended", "Jobs that ended since the server started", ended);
        let deliveries = Deliveries::default();
        let webhook_undelivered = Family::default();
        registry.register(
            "webhook_deliveries",
            "Attempts to deliver an event to a webhook",
            deliveries.0.clone(),
        );
        registry.register(
            "webhook_undelivered_events",
            "Events that wait to be delivered to a webhook",
            webhook_undelivered.clone(),
        );
        let worker_measurements = Family::default();
        registry.register(
            "worker_measurements",
            "Measurements of each worker since it registered, and its state",
            worker_measurements.clone(),
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
        serving.register(&mut registry);
        places.register(&mut registry);
        Self {
            registry,
            common,
            process,
            request_seconds,
            requests,
            predictions,
            predict_seconds,
            jobs: open,
            deliveries,
            webhook_undelivered,
            worker_measurements,
            bad_tokens,
            lock_outs,
        }
    }

    /// Counts a request that is answered.
    pub fn note(&self, route: String, method: &'static str, status: u16, took: Duration) {
        let labels = RouteLabels { route, method };
        self.request_seconds.get_or_create(&labels).observe(took.as_secs_f64());
        let RouteLabels { route, method } = labels;
        self.requests
            .get_or_create(&RequestLabels { route, method, status })
            .inc();
    }

    /// Counts the jobs that have not ended anew.
    fn count(&self, jobs: &[Job]) {
        for state in [JobState::Queued, JobState::Running] {
            for kind in JobKind::ALL {
                let count = jobs.iter().filter(|job| job.kind == kind && job.state == state).count();
                let gauge = self.jobs.get_or_create(&JobLabels::new(kind, state)).clone();
                gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
    }
}

/// Counters, gauges and histograms, in the Prometheus text format, or in OpenMetrics where `Accept` asks for it.
#[utoipa::path(tag = "operation", security(("token" = ["viewer"])), responses((status = 200, content_type = "text/plain", body = String, description = "Metrics, in the text format that `Accept` asks for")))]
#[get("/metrics")]
pub(crate) async fn prometheus(state: web::Data<State>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let store = state.store.clone();
    let open = blocking(move || -> lglp_registry::Result<_> {
        let mut jobs = Vec::new();
        for state in [JobState::Queued, JobState::Running] {
            let filter = JobFilter {
                hardware: None,
                state: Some(state),
            };
            jobs.extend(store.jobs(&filter, usize::MAX)?);
        }
        Ok(jobs)
    })
    .await?;
    state.metrics.count(&open);
    let store = state.store.clone();
    let webhooks = blocking(move || delivery_statuses(&*store)).await?;
    state.metrics.webhook_undelivered.clear();
    for listed in webhooks {
        let webhook = listed.id.to_string();
        let gauge = state
            .metrics
            .webhook_undelivered
            .get_or_create(&WebhookLabels { webhook });
        gauge.set(i64::try_from(listed.undelivered.events).unwrap_or(i64::MAX));
    }
    let store = state.store.clone();
    let workers = blocking(move || -> lglp_registry::Result<Vec<_>> {
        let workers = store.workers()?.into_iter();
        workers.map(|worker| worker_status(&*store, worker)).collect()
    })
    .await?;
    let counts = state.serving.counts();
    let plugins = i64::try_from(state.host.quarantined().len());
    counts.plugins_quarantined.set(plugins.unwrap_or(i64::MAX));
    for (plugin, lost) in state.host.lost_processes() {
        let gauge = counts.plugin_processes_lost.get_or_create(&PluginLabels { plugin });
        gauge.set(i64::try_from(lost).unwrap_or(i64::MAX));
    }
    let versions = i64::try_from(state.serving.quarantined().len());
    counts.versions_quarantined.set(versions.unwrap_or(i64::MAX));
    counts
        .rows_waiting
        .set(i64::try_from(state.desk.rows()).unwrap_or(i64::MAX));
    state.metrics.worker_measurements.clear();
    for worker in workers {
        let labels = WorkerLabels {
            state: json!(worker.state).as_str().unwrap_or_default().to_owned(),
            worker: worker.name,
            hardware: worker.hardware,
        };
        let gauge = state.metrics.worker_measurements.get_or_create(&labels);
        gauge.set(i64::try_from(worker.measured).unwrap_or(i64::MAX));
    }
    let Metrics {
        registry,
        common,
        process,
        ..
    } = &state.metrics;
    process.look();
    let mut text = String::new();
    let written = encode_registry(&mut text, registry)
        .and_then(|()| encode_registry(&mut text, common))
        .and_then(|()| encode_eof(&mut text));
    written.map_err(|e| ApiError::internal(e.to_string()))?;
    let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = Format::asked(accept);
    Ok(HttpResponse::Ok()
        .content_type(format.content_type())
        .body(format.of(text)))
}

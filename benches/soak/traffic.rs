//! Clients of every kind, each at its own pace, and what came of their requests.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lglp_registry::Digest;
use lglp_tests::{HARDWARE, root, sample};
use serde_json::{Value, json};

/// The target that measurements are recorded for: not the one that is trained on, or each training would take more memory than the
/// one before.
pub(crate) const RECORDED: &str = "recorded";

/// A client: it asks until it is over.
pub(crate) type Client<'a> = Box<dyn FnOnce(&AtomicBool) + Send + 'a>;

pub(crate) struct Traffic {
    base: String,
    agent: ureq::Agent,
    architectures: Vec<String>,
    /// A measurement as it was shipped, for those that are recorded.
    measurement: Value,
    requests: AtomicU64,
    /// Answers that were not as they should be, by kind.
    failures: Mutex<BTreeMap<String, u64>>,
}

/// What is asked wrongly: method, path, body, and the status that says so.
const BAD: [(&str, &str, &str, u16); 7] = [
    ("POST", "/v1/{hardware}/predict", "{\"architectures\": [", 400),
    (
        "POST",
        "/v1/{hardware}/predict",
        "{\"architectures\": [{\"a\": 1}]}",
        422,
    ),
    (
        "POST",
        "/v1/{hardware}/predict",
        "{\"architectures\": [\"mobilenetv3@768/x\"]}",
        422,
    ),
    ("GET", "/v1/nowhere/models", "", 404),
    ("POST", "/v1/{hardware}/jobs", "{\"kind\": \"dance\"}", 422),
    ("DELETE", "/v1/hardware", "", 405),
    ("GET", "/v1/{hardware}/models/999999", "", 404),
];

const READS: [&str; 20] = [
    "/v1/hardware",
    "/v1/hardware/{hardware}",
    "/v1/{hardware}/models",
    "/v1/{hardware}/models/1",
    "/v1/{hardware}/models/1/lineage",
    "/v1/{hardware}/models/1/diff/2?count=200",
    "/v1/{hardware}/models/1/bundle",
    "/v1/{hardware}/aliases/production",
    "/v1/{hardware}/datasets",
    "/v1/{hardware}/measurements?space=mobilenetv3&round=0",
    "/v1/{hardware}/traffic",
    "/v1/{hardware}/validations",
    "/v1/jobs",
    "/v1/audit?limit=200",
    "/v1/events?limit=200",
    "/v1/webhooks",
    "/v1/workers",
    "/v1/plugins",
    "/metrics",
    "/openapi.json",
];

impl Traffic {
    pub(crate) fn new(base: String) -> Self {
        let shipped = root().join("datasets").join(HARDWARE).join("mobilenetv3.jsonl");
        let text = std::fs::read_to_string(shipped).expect("the shipped dataset");
        let first = text.lines().next().expect("a measurement");
        Self {
            base,
            agent: ureq::Agent::config_builder().http_status_as_error(false).build().into(),
            architectures: sample(20_000, 7),
            measurement: serde_json::from_str(first).expect("JSON"),
            requests: AtomicU64::new(0),
            failures: Mutex::default(),
        }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn failures(&self) -> BTreeMap<String, u64> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failures().values().sum()
    }

    /// Every client, those that write among them where it says so.
    pub(crate) fn clients(&self, writes: bool) -> Vec<Client<'_>> {
        let ms = Duration::from_millis;
        let mut clients = vec![
            self.client(ms(20), |turn| self.predict(turn, 1)),
            self.client(ms(20), |turn| self.predict(turn, 1)),
            self.client(ms(500), |turn| self.predict(turn, 200)),
            self.client(ms(7000), |turn| self.predict(turn, 10_000)),
            self.client(ms(100), |turn| self.ask_wrongly(turn)),
            self.client(ms(150), |turn| self.read(turn)),
            self.client(ms(30_000), |_| self.look("/v1/registry/verify", 200)),
            self.client(ms(30_000), |_| self.look("/v1/registry/backup", 200)),
        ];
        if writes {
            clients.extend([
                self.client(ms(1000), |turn| self.record(turn)),
                self.client(ms(500), |turn| self.put_blob(turn)),
                self.client(ms(2000), |turn| self.promote(turn)),
                self.client(ms(5000), |turn| self.create_version(turn)),
                self.client(ms(10_000), |turn| self.train(turn)),
            ]);
        }
        clients
    }

    fn client<'a>(&'a self, pause: Duration, work: impl Fn(u64) + Send + 'a) -> Client<'a> {
        Box::new(move |over| {
            for turn in 0.. {
                // In parts, so that a long pause does not hold up the end.
                let mut left = pause;
                while !left.is_zero() && !over.load(Ordering::Relaxed) {
                    let part = left.min(Duration::from_millis(200));
                    std::thread::sleep(part);
                    left -= part;
                }
                if over.load(Ordering::Relaxed) {
                    return;
                }
                work(turn);
            }
        })
    }

    /// Asks, and counts the answer as failed where its status is another one.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str, expected: u16) -> Option<Value> {
        let path = path.replace("{hardware}", HARDWARE);
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.as_bytes().to_vec()).expect("a request");
        self.requests.fetch_add(1, Ordering::Relaxed);
        let (status, text) = match self.agent.run(request) {
            Ok(answer) => {
                let status = answer.status().as_u16();
                let mut text = Vec::new();
                let read = answer.into_body().into_reader().read_to_end(&mut text);
                (read.map_or(0, |_| status), text)
            }
            Err(_) => (0, Vec::new()),
        };
        if status == expected {
            return Some(serde_json::from_slice(&text).unwrap_or_default());
        }
        let kind = format!("{method} {}: {status}", path.split('?').next().unwrap_or_default());
        *self
            .failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(kind)
            .or_default() += 1;
        None
    }

    fn look(&self, path: &str, expected: u16) {
        self.ask("GET", path, &[], "", expected);
    }

    fn predict(&self, turn: u64, count: usize) {
        let from = turn as usize * 31 * count;
        let chosen = (from..from + count).map(|at| &self.architectures[at % self.architectures.len()]);
        let body = json!({ "architectures": chosen.collect::<Vec<_>>() }).to_string();
        self.ask("POST", "/v1/{hardware}/predict", &[], &body, 200);
    }

    fn ask_wrongly(&self, turn: u64) {
        let (method, path, body, status) = BAD[turn as usize % BAD.len()];
        self.ask(method, path, &[], body, status);
    }

    fn read(&self, turn: u64) {
        self.look(READS[turn as usize % READS.len()], 200);
    }

    /// Ten measurements of architectures that have none yet, as long as there are such; then the same again.
    fn record(&self, turn: u64) {
        let from = turn as usize * 10;
        let new = (from..from + 10).map(|at| {
            let architecture = &self.architectures[at % self.architectures.len()];
            let mut measurement = self.measurement.clone();
            measurement["hardware"] = json!(RECORDED);
            measurement["digest"] = json!(Digest::of(architecture.as_bytes()));
            measurement["architecture"] = json!(architecture);
            measurement["round"] = json!(1 + at / self.architectures.len());
            // One with the samples of an earlier replicate would be refused as a copy.
            measurement["samples"][0]["wall_ms"] = json!(1000 + at);
            measurement
        });
        let body = json!(new.collect::<Vec<_>>()).to_string();
        self.ask("POST", &format!("/v1/{RECORDED}/measurements"), &[], &body, 200);
    }

    fn put_blob(&self, turn: u64) {
        let blob = format!("blob {turn} ").repeat(1000);
        self.ask("POST", "/v1/blobs", &[], &blob, 201);
    }

    fn promote(&self, turn: u64) {
        let alias = "/v1/{hardware}/aliases/production";
        let now = self.ask("GET", alias, &[], "", 200);
        let models = self.ask("GET", "/v1/{hardware}/models", &[], "", 200);
        let (Some(now), Some(models)) = (now, models) else {
            return;
        };
        let versions = models.as_array().map_or(1, Vec::len) as u64;
        let body = json!({ "version": 1 + turn % versions }).to_string();
        self.ask(
            "PUT",
            alias,
            &[("If-Match", &format!("\"{}\"", now["generation"]))],
            &body,
            200,
        );
    }

    fn create_version(&self, turn: u64) {
        let Some(model) = self.ask(
            "GET",
            &format!("/v1/{{hardware}}/models/{}", 1 + turn % 2),
            &[],
            "",
            200,
        ) else {
            return;
        };
        let mut content = model["content"].clone();
        content["creator"] = json!(format!("copy {turn}"));
        let key = format!("soak-{turn}");
        self.ask(
            "POST",
            "/v1/{hardware}/models",
            &[("Idempotency-Key", &key)],
            &content.to_string(),
            201,
        );
    }

    /// A training job, listened to until it ends; every fifth is cancelled.
    fn train(&self, turn: u64) {
        let parameters = json!({ "recipe": "lglp-quick", "seed": turn });
        let body = json!({ "kind": "train", "parameters": parameters }).to_string();
        let Some(job) = self.ask("POST", "/v1/{hardware}/jobs", &[], &body, 202) else {
            return;
        };
        if turn % 5 == 4 {
            self.ask("POST", &format!("/v1/jobs/{}/cancel", job["id"]), &[], "", 200);
        }
        self.look(&format!("/v1/jobs/{}/events", job["id"]), 200);
    }
}

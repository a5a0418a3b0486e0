//! A server whose callers have tokens, one for each role, and what they do to it.

use std::time::{Duration, Instant};

use lglp_tests::{Registry, Server, bearer};
use serde_json::{Value, json};

/// Longer than anything that is waited for here takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

pub(super) const SPACE: &str = "ofa-mobilenetv3";

/// A token of each role, by name.
pub(super) struct Staff {
    pub viewer: String,
    pub worker: String,
    pub operator: String,
    pub admin: String,
}

impl Staff {
    /// Hires them, before the server starts.
    pub(super) fn of(registry: &Registry) -> Self {
        Self {
            admin: registry.token("ann", "admin", &[]),
            viewer: registry.token("vic", "viewer", &[]),
            worker: registry.token("wim", "worker", &[]),
            operator: registry.token("oda", "operator", &[]),
        }
    }

    /// Whoever may call: those with a token, and one without.
    pub(super) fn everybody(&self) -> [(&'static str, Option<&str>); 5] {
        [
            ("nobody", None),
            ("viewer", Some(&self.viewer)),
            ("worker", Some(&self.worker)),
            ("operator", Some(&self.operator)),
            ("admin", Some(&self.admin)),
        ]
    }
}

/// A call with or without a token.
pub(super) fn call(server: &Server, token: Option<&str>, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let authorization = token.map(bearer).unwrap_or_default();
    let headers = [("Authorization", authorization.as_str())];
    let headers = if token.is_some() { &headers[..] } else { &[] };
    server.call(method, path, headers, Some(&body.to_string()))
}

/// This moment, as the contract writes it.
pub(super) fn now() -> String {
    let output = std::process::Command::new("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%SZ"])
        .output();
    String::from_utf8(output.expect("date").stdout)
        .expect("UTF-8")
        .trim()
        .to_owned()
}

/// What a worker registers with; `setup` where it is to create its target.
pub(super) fn registration(hardware: &str, fingerprint: &Value, setup: Option<Value>) -> Value {
    let mut body = json!({
        "hardware": hardware, "instance": "0123456789abcdef", "fingerprint": fingerprint, "version": "0.1.0", "sent_at": now(),
    });
    if let Some(setup) = setup {
        body["setup"] = setup;
    }
    body
}

/// A measuring job of one architecture.
pub(super) fn measuring(more: Value) -> Value {
    let mut parameters = json!({ "space": SPACE, "count": 1, "budget_s": 0.1 });
    for (name, value) in more.as_object().expect("an object") {
        parameters[name] = value.clone();
    }
    json!({ "kind": "measure", "parameters": parameters })
}

/// Waits until a job has ended.
pub(super) fn ended(server: &Server, token: &str, job: &Value) -> Value {
    let (id, started) = (job["id"].as_u64().expect("a number"), Instant::now());
    loop {
        let (_, job) = server.call_as(token, "GET", &format!("/v1/jobs/{id}"), None);
        if !matches!(job["state"].as_str(), Some("queued" | "running")) {
            return job;
        }
        assert!(started.elapsed() < PATIENCE, "it does not end: {job}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

//! The registry of a running server, over HTTP: commands do the same thing whether or not a server runs.

mod aliases;
mod jobs;
mod maintenance;
mod tokens;
mod traffic;
mod validations;
mod webhooks;
mod workers;

use std::collections::BTreeSet;
use std::ops::Range;

use lglp_openapi::exclusions::Excluded;
use lglp_openapi::measurements::{BlobStored, FreezeDataset, ImportMeasurements, Recorded};
use lglp_openapi::savings::SavingsReport;
use lglp_registry::{
    Admission, Agreement, Alias, AliasMove, AliasName, AuditEntry, AuditHead, AuditQuery, CreatedWebhook, Credential,
    Dataset, Delivery, Digest, Error, Event, Exclusion, Expected, Forecast, Gate, GateChange, HardwareName,
    HardwareTarget, Job, JobFilter, JobOutcome, LeaseRequest, MeasuredSpace, Measurement, NewDataset, NewHardware,
    NewJob, NewToken, NewValidation, NewVersion, NewWebhook, Progress, Quota, Result, Rollback, SetTraffic, Store,
    Token, TokenId, Traffic, Validation, Version, Watcher, Webhook, WebhookId, canonical_json,
};
use serde::Deserialize;
use serde_json::Value;
use ureq::http::Method;

use super::{ClientError, Http};

/// Bytes of measurements that are sent at once, as JSON, before the last of them.
const TOGETHER: usize = 4 << 20;

/// A [`Store`] whose operations are calls to a server.
pub struct RemoteStore(Http);

impl RemoteStore {
    pub fn new(http: Http) -> Self {
        Self(http)
    }
}

#[derive(Deserialize)]
struct Targets {
    hardware: Vec<HardwareTarget>,
}

#[derive(Deserialize)]
struct Models {
    versions: Vec<Version>,
    aliases: Vec<Alias>,
}

/// What a change expects to find, as `If-Match`.
fn if_match(expected: &Expected) -> String {
    let tag = |generation: &u64| format!("\"{generation}\"");
    match expected {
        Expected::Generation(seen) => tag(seen),
        Expected::OneOf(seen) => seen.iter().map(tag).collect::<Vec<_>>().join(", "),
        Expected::Existing => "*".to_owned(),
    }
}

/// What a problem means as an error of the registry. `what` and `id` are what was asked for.
fn error(doing: &'static str, what: &'static str, id: impl ToString) -> impl FnOnce(ClientError) -> Error {
    let id = id.to_string();
    move |error| match &error {
        // What one item of a list names is for the server to say.
        ClientError::Problem(problem) if problem.status == 404 && problem.errors.is_empty() => {
            let (what, id) = match problem.kind.rsplit(':').next() {
                Some("unknown-hardware") => ("hardware target", id),
                _ => (what, id),
            };
            Error::not_found(what, id)
        }
        ClientError::Problem(problem) if problem.status == 422 && !problem.errors.is_empty() => {
            let fault = &problem.errors[0];
            Error::invalid(
                fault.pointer.trim_start_matches('/').replace('/', "."),
                fault.detail.clone(),
            )
        }
        _ => Error::Storage {
            doing,
            source: Box::new(error),
        },
    }
}

/// Where measurements are cut into parts.
fn parts(measurements: &[Measurement]) -> Result<Vec<Range<usize>>> {
    let (mut parts, mut begin, mut bytes) = (Vec::new(), 0, 0);
    for (at, measurement) in measurements.iter().enumerate() {
        bytes += canonical_json(measurement)?.len() + 1;
        if bytes >= TOGETHER || at + 1 == measurements.len() {
            parts.push(begin..at + 1);
            (begin, bytes) = (at + 1, 0);
        }
    }
    Ok(parts)
}

/// What is wrong with an item of a part (`/parts/2/17/latency_ms`), as of the whole list.
fn of_whole(error: ClientError, parts: &[Range<usize>]) -> ClientError {
    let ClientError::Problem(mut problem) = error else {
        return error;
    };
    for fault in &mut problem.errors {
        let steps: Vec<&str> = fault.pointer.splitn(5, '/').collect();
        if let ["", "parts", part, at, rest @ ..] = steps.as_slice()
            && let (Ok(part), Ok(at)) = (part.parse::<usize>(), at.parse::<usize>())
            && let Some(part) = parts.get(part)
        {
            let at = (part.start + at).to_string();
            fault.pointer = [&["", &at], rest].concat().join("/");
        }
    }
    if let [fault] = problem.errors.as_slice() {
        problem.detail = format!("{}: {}", fault.pointer, fault.detail);
    }
    ClientError::Problem(problem)
}

impl Store for RemoteStore {
    /// The server knows what its caller may create.
    fn put_hardware_within(&self, _: Quota, new: &NewHardware, _actor: &str) -> Result<HardwareTarget> {
        let path = format!("/v1/hardware/{}", new.name);
        self.0.send(Method::PUT, &path, &[], new).map_err(error(
            "create the hardware target",
            "hardware target",
            &new.name,
        ))
    }

    fn hardware(&self, name: &HardwareName) -> Result<HardwareTarget> {
        let path = format!("/v1/hardware/{name}");
        self.0
            .get(&path)
            .map_err(error("read the hardware target", "hardware target", name))
    }

    fn hardware_targets(&self) -> Result<Vec<HardwareTarget>> {
        let targets: Targets =
            self.0
                .get("/v1/hardware")
                .map_err(error("list hardware targets", "list", "hardware"))?;
        Ok(targets.hardware)
    }

    fn record_measurements(&self, measurements: &[Measurement], _actor: &str) -> Result<usize> {
        let Some(first) = measurements.first() else {
            return Ok(0);
        };
        let parts = parts(measurements)?;
        let failed =
            |refused| error("record measurements", "hardware target", &first.hardware)(of_whole(refused, &parts));
        let path = format!("/v1/{}/measurements", first.hardware);
        if parts.len() == 1 {
            let recorded: Recorded = self.0.send(Method::POST, &path, &[], &measurements).map_err(failed)?;
            return Ok(recorded.recorded);
        }
        // Each part is stored on its own, and what they hold is recorded in one step.
        let mut import = ImportMeasurements { parts: Vec::new() };
        for part in &parts {
            let digest = self.put_blob(&canonical_json(&measurements[part.clone()])?)?;
            import.parts.push(digest.to_string());
        }
        let path = format!("{path}/import");
        let recorded: Recorded = self.0.send(Method::POST, &path, &[], &import).map_err(failed)?;
        Ok(recorded.recorded)
    }

    fn measurements(&self, hardware: &HardwareName, space: &str, round: Option<u32>) -> Result<Vec<Measurement>> {
        self.listed(hardware, space, round, "")
    }

    fn measurements_without_samples(
        &self,
        hardware: &HardwareName,
        space: &str,
        round: Option<u32>,
    ) -> Result<Vec<Measurement>> {
        self.listed(hardware, space, round, "&samples=false")
    }

    fn measured_spaces(&self, hardware: &HardwareName) -> Result<Vec<MeasuredSpace>> {
        let path = format!("/v1/{hardware}/spaces");
        let failed = error("list measured spaces", "hardware target", hardware);
        self.0.get(&path).map_err(failed)
    }

    fn measured_digests(&self, hardware: &HardwareName, space: &str, round: u32) -> Result<BTreeSet<Digest>> {
        let measured = self.measurements_without_samples(hardware, space, Some(round))?;
        Ok(measured.into_iter().map(|m| m.digest).collect())
    }

    fn exclude_measurements(&self, hardware: &HardwareName, exclusions: &[Exclusion], actor: &str) -> Result<usize> {
        let path = format!("/v1/{hardware}/exclusions");
        let body = serde_json::json!({ "exclusions": exclusions, "actor": actor });
        let answer: Excluded = self.0.send(Method::POST, &path, &[], &body).map_err(error(
            "exclude measurements",
            "measurement",
            hardware,
        ))?;
        Ok(answer.excluded)
    }

    fn exclusions(&self, hardware: &HardwareName, space: &str) -> Result<Vec<Exclusion>> {
        let path = format!("/v1/{hardware}/exclusions?space={space}");
        self.0
            .get(&path)
            .map_err(error("list exclusions", "hardware target", hardware))
    }

    /// The server counts what it serves itself; only `count` of 0 is answered.
    fn count_predictions(&self, hardware: &HardwareName, count: u64) -> Result<u64> {
        if count > 0 {
            return Err(Error::invalid(
                "count",
                "a server counts the predictions that it serves itself",
            ));
        }
        self.predictions_served(hardware)
    }

    fn predictions_served(&self, hardware: &HardwareName) -> Result<u64> {
        let path = format!("/v1/{hardware}/savings");
        let report: SavingsReport =
            self.0
                .get(&path)
                .map_err(error("read the savings", "hardware target", hardware))?;
        Ok(report.predictions)
    }

    fn freeze_dataset(&self, hardware: &HardwareName, new: &NewDataset, content: &[u8]) -> Result<Dataset> {
        let content = String::from_utf8(content.to_vec()).map_err(|e| Error::invalid("content", e.to_string()))?;
        let body = FreezeDataset {
            space: new.space.clone(),
            rows: new.rows,
            origin: new.origin.clone(),
            creator: new.creator.clone(),
            content,
        };
        let path = format!("/v1/{hardware}/datasets");
        self.0
            .send(Method::POST, &path, &[], &body)
            .map_err(error("freeze the dataset", "hardware target", hardware))
    }

    fn dataset(&self, hardware: &HardwareName, digest: &Digest) -> Result<Dataset> {
        let found = self.datasets(hardware)?.into_iter().find(|d| d.digest == *digest);
        found.ok_or_else(|| Error::not_found("dataset", digest))
    }

    fn datasets(&self, hardware: &HardwareName) -> Result<Vec<Dataset>> {
        let path = format!("/v1/{hardware}/datasets");
        self.0
            .get(&path)
            .map_err(error("list datasets", "hardware target", hardware))
    }

    fn put_blob(&self, bytes: &[u8]) -> Result<Digest> {
        let failed = |e: ClientError| error("store a blob", "blob", "")(e);
        let answer = self
            .0
            .bytes(Method::POST, "/v1/blobs", bytes.to_vec())
            .map_err(failed)?;
        let stored: BlobStored = serde_json::from_slice(&answer).map_err(|e| Error::Storage {
            doing: "store a blob",
            source: Box::new(e),
        })?;
        stored.digest.parse()
    }

    fn get_blob(&self, digest: &Digest) -> Result<Vec<u8>> {
        let path = format!("/v1/blobs/{digest}");
        let bytes = self
            .0
            .bytes(Method::GET, &path, Vec::new())
            .map_err(error("read a blob", "blob", digest))?;
        let found = Digest::of(&bytes);
        if found == *digest {
            return Ok(bytes);
        }
        let (file, expected) = (path, digest.clone());
        Err(Error::CorruptBlob { file, expected, found })
    }

    fn create_version(
        &self,
        hardware: &HardwareName,
        new: &NewVersion,
        idempotency_key: Option<&str>,
    ) -> Result<Version> {
        let path = format!("/v1/{hardware}/models");
        let headers = keyed(Vec::new(), idempotency_key);
        self.0.send(Method::POST, &path, &headers, new).map_err(error(
            "create the version",
            "hardware target",
            hardware,
        ))
    }

    fn version(&self, hardware: &HardwareName, version: u32) -> Result<Version> {
        let path = format!("/v1/{hardware}/models/{version}");
        self.0.get(&path).map_err(error("read the version", "version", version))
    }

    fn versions(&self, hardware: &HardwareName) -> Result<Vec<Version>> {
        Ok(self.models(hardware)?.versions)
    }

    fn move_alias(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Alias> {
        self.ask_move_alias(hardware, request)
    }

    fn forecast_move(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Forecast> {
        self.ask_forecast_move(hardware, request)
    }

    fn roll_back(&self, hardware: &HardwareName, request: &Rollback) -> Result<Alias> {
        self.ask_roll_back(hardware, request)
    }

    fn set_gate(&self, hardware: &HardwareName, change: &GateChange) -> Result<Gate> {
        self.ask_set_gate(hardware, change)
    }

    fn gate(&self, hardware: &HardwareName) -> Result<Option<Gate>> {
        self.ask_gate(hardware)
    }

    fn create_validation(&self, a: &HardwareName, b: &NewValidation, c: Option<&str>) -> Result<Validation> {
        self.ask_create_validation(a, b, c)
    }

    fn validation(&self, hardware: &HardwareName, number: u32) -> Result<Validation> {
        self.ask_validation(hardware, number)
    }

    fn validations(&self, hardware: &HardwareName, version: Option<u32>) -> Result<Vec<Validation>> {
        self.ask_validations(hardware, version)
    }

    fn alias(&self, hardware: &HardwareName, name: &AliasName) -> Result<Alias> {
        self.ask_alias(hardware, name)
    }

    fn aliases(&self, hardware: &HardwareName) -> Result<Vec<Alias>> {
        self.ask_aliases(hardware)
    }

    fn create_job(&self, new: &NewJob, idempotency_key: Option<&str>, admission: Admission) -> Result<Job> {
        self.ask_create_job(new, idempotency_key, admission)
    }

    fn job(&self, id: u64) -> Result<Job> {
        self.ask_job(id)
    }

    fn jobs(&self, filter: &JobFilter, limit: usize) -> Result<Vec<Job>> {
        self.ask_jobs(filter, limit)
    }

    fn cancel_job(&self, id: u64, actor: &str) -> Result<Job> {
        self.ask_cancel_job(id, actor)
    }

    fn lease_job(&self, a: &LeaseRequest) -> Result<Option<Job>> {
        self.ask_lease_job(a)
    }

    fn heartbeat_job(&self, a: u64, b: u64, c: Option<&Progress>) -> Result<Job> {
        self.ask_heartbeat_job(a, b, c)
    }

    fn checkpoint_job(&self, a: u64, b: u64, c: &Value) -> Result<Job> {
        self.ask_checkpoint_job(a, b, c)
    }

    fn finish_job(&self, a: u64, b: u64, c: &JobOutcome) -> Result<Job> {
        self.ask_finish_job(a, b, c)
    }

    fn release_job(&self, a: u64, b: u64) -> Result<Job> {
        self.ask_release_job(a, b)
    }

    fn requeue_jobs(&self, a: Option<&str>) -> Result<Vec<Job>> {
        self.ask_requeue_jobs(a)
    }

    fn set_traffic(&self, hardware: &HardwareName, request: &SetTraffic) -> Result<Traffic> {
        self.ask_set_traffic(hardware, request)
    }

    fn traffic(&self, hardware: &HardwareName) -> Result<Traffic> {
        self.ask_traffic(hardware)
    }

    fn add_agreement(&self, a: &HardwareName, b: &Agreement) -> Result<Agreement> {
        self.ask_add_agreement(a, b)
    }

    fn agreements(&self, hardware: &HardwareName) -> Result<Vec<Agreement>> {
        self.ask_agreements(hardware)
    }

    fn watch(&self, a: Watcher) -> Result<()> {
        self.ask_watch(a)
    }

    fn audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>> {
        self.ask_audit(from, limit)
    }

    fn verify_audit(&self) -> Result<AuditHead> {
        self.ask_verify_audit()
    }

    fn events(&self, from: u64, limit: usize) -> Result<Vec<Event>> {
        self.ask_events(from, limit)
    }

    fn create_webhook(&self, new: &NewWebhook, actor: &str, idempotency_key: Option<&str>) -> Result<CreatedWebhook> {
        self.ask_create_webhook(new, actor, idempotency_key)
    }

    fn webhook(&self, id: &WebhookId) -> Result<Webhook> {
        self.ask_webhook(id)
    }

    fn webhooks(&self) -> Result<Vec<Webhook>> {
        self.ask_webhooks()
    }

    fn delete_webhook(&self, id: &WebhookId, actor: &str) -> Result<()> {
        self.ask_delete_webhook(id, actor)
    }

    fn webhook_secret(&self, id: &WebhookId) -> Result<String> {
        self.ask_webhook_secret(id)
    }

    fn delivery(&self, id: &WebhookId) -> Result<Delivery> {
        self.ask_delivery(id)
    }

    fn put_delivery(&self, webhook: &Webhook, delivery: &Delivery) -> Result<()> {
        self.ask_put_delivery(webhook, delivery)
    }

    fn create_token(&self, a: &NewToken, b: &Digest, c: &str) -> Result<Token> {
        self.ask_create_token(a, b, c)
    }

    fn tokens(&self) -> Result<Vec<Token>> {
        self.ask_tokens()
    }

    fn credential(&self, a: &TokenId) -> Result<Credential> {
        self.ask_credential(a)
    }

    fn revoke_token(&self, id: &TokenId, a: &str, reason: &str) -> Result<Token> {
        self.ask_revoke_token(id, a, reason)
    }

    fn find_audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>> {
        self.ask_find_audit(query)
    }
}

/// Headers, with the idempotency key where there is one.
fn keyed<'a>(mut headers: Vec<(&'a str, &'a str)>, key: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    headers.extend(key.map(|key| ("Idempotency-Key", key)));
    headers
}

impl RemoteStore {
    fn listed(
        &self,
        hardware: &HardwareName,
        space: &str,
        round: Option<u32>,
        further: &str,
    ) -> Result<Vec<Measurement>> {
        let round = round.map(|r| format!("&round={r}")).unwrap_or_default();
        let path = format!("/v1/{hardware}/measurements?space={space}{round}{further}");
        self.0
            .get(&path)
            .map_err(error("list measurements", "hardware target", hardware))
    }

    fn models(&self, hardware: &HardwareName) -> Result<Models> {
        let path = format!("/v1/{hardware}/models");
        self.0
            .get(&path)
            .map_err(error("list versions", "hardware target", hardware))
    }
}

//! The registry of a running server, over HTTP: commands do the same thing whether or not a server runs.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use lglp_openapi::exclusions::Excluded;
use lglp_openapi::measurements::{BlobStored, FreezeDataset, Recorded};
use lglp_openapi::models::{MoveAlias, RollBack};
use lglp_openapi::registry::CollectBlobs;
use lglp_openapi::savings::SavingsReport;
use lglp_registry::{
    Agreement, Alias, AliasMove, AliasName, AuditEntry, AuditFrom, AuditHead, AuditQuery, Collected, CreatedWebhook,
    Dataset, Delivery, Digest, Error, Event, Exclusion, Forecast, Gate, GateChange, HardwareName, HardwareTarget, Job,
    JobFilter, JobOutcome, LeaseRequest, Measurement, NewDataset, NewHardware, NewJob, NewValidation, NewVersion,
    NewWebhook, Progress, Result, Rollback, SetTraffic, Store, Traffic, Validation, Verification, Version, Watcher,
    Webhook, WebhookId,
};
use lglp_registry::{Credential, NewToken, Token, TokenId};
use serde::Deserialize;
use serde_json::Value;
use ureq::http::Method;

use super::{ClientError, Http};

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
struct Tokens {
    tokens: Vec<Token>,
}

#[derive(Deserialize)]
struct Ready {
    writes: Option<String>,
}

#[derive(Deserialize)]
struct Models {
    versions: Vec<Version>,
    aliases: Vec<Alias>,
}

#[derive(Deserialize)]
struct Jobs {
    jobs: Vec<Job>,
}

/// Working on jobs is done where the registry is.
fn works_itself<T>() -> Result<T> {
    Err(Error::invalid("job", "a server works on its jobs itself"))
}

#[derive(Deserialize)]
struct Webhooks {
    webhooks: Vec<Webhook>,
}

#[derive(Deserialize)]
struct Delivered {
    delivery: Delivery,
}

#[derive(Deserialize)]
struct Agreements {
    agreement: Vec<Agreement>,
}

/// What a problem means as an error of the registry. `what` and `id` are what was asked for.
fn error(doing: &'static str, what: &'static str, id: impl ToString) -> impl FnOnce(ClientError) -> Error {
    let id = id.to_string();
    move |error| match &error {
        ClientError::Problem(problem) if problem.status == 404 => {
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

impl Store for RemoteStore {
    fn put_hardware(&self, new: &NewHardware, _actor: &str) -> Result<HardwareTarget> {
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
        let path = format!("/v1/{}/measurements", first.hardware);
        let recorded: Recorded = self.0.send(Method::POST, &path, &[], &measurements).map_err(error(
            "record measurements",
            "hardware target",
            &first.hardware,
        ))?;
        Ok(recorded.recorded)
    }

    fn measurements(&self, hardware: &HardwareName, space: &str, round: Option<u32>) -> Result<Vec<Measurement>> {
        let round = round.map(|r| format!("&round={r}")).unwrap_or_default();
        let path = format!("/v1/{hardware}/measurements?space={space}{round}");
        self.0
            .get(&path)
            .map_err(error("list measurements", "hardware target", hardware))
    }

    fn measured_digests(&self, hardware: &HardwareName, space: &str, round: u32) -> Result<BTreeSet<Digest>> {
        let measured = self.measurements(hardware, space, Some(round))?;
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
        let headers: Vec<(&str, &str)> = idempotency_key
            .map(|key| ("Idempotency-Key", key))
            .into_iter()
            .collect();
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
        let path = format!("/v1/{hardware}/aliases/{}", request.alias);
        let generation = format!("\"{}\"", request.expected_generation);
        let headers = keyed(
            vec![("If-Match", generation.as_str())],
            request.idempotency_key.as_deref(),
        );
        self.0
            .send(Method::PUT, &path, &headers, &move_body(request))
            .map_err(error("move the alias", "version", request.version))
    }

    fn forecast_move(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Forecast> {
        let path = format!("/v1/{hardware}/aliases/{}?dry_run=true", request.alias);
        let generation = format!("\"{}\"", request.expected_generation);
        self.0
            .send(Method::PUT, &path, &[("If-Match", &generation)], &move_body(request))
            .map_err(error("forecast the move", "version", request.version))
    }

    fn roll_back(&self, hardware: &HardwareName, request: &Rollback) -> Result<Alias> {
        let path = format!("/v1/{hardware}/aliases/{}/rollback", request.alias);
        let generation = request.expected_generation.map(|seen| format!("\"{seen}\""));
        let headers = generation.iter().map(|seen| ("If-Match", seen.as_str())).collect();
        let body = RollBack {
            reason: request.reason.clone(),
            actor: request.actor.clone(),
        };
        let headers = keyed(headers, request.idempotency_key.as_deref());
        self.0
            .send(Method::POST, &path, &headers, &body)
            .map_err(error("roll back", "alias", &request.alias))
    }

    fn set_gate(&self, hardware: &HardwareName, change: &GateChange) -> Result<Gate> {
        let path = format!("/v1/{hardware}/gate");
        let generation = format!("\"{}\"", change.expected_generation);
        let body = serde_json::json!({ "rules": change.rules, "reason": change.reason, "actor": change.actor });
        self.0
            .send(Method::PUT, &path, &[("If-Match", &generation)], &body)
            .map_err(error("set the gate", "hardware target", hardware))
    }

    fn gate(&self, hardware: &HardwareName) -> Result<Option<Gate>> {
        let path = format!("/v1/{hardware}/gate");
        let found: serde_json::Value =
            self.0
                .get(&path)
                .map_err(error("read the gate", "hardware target", hardware))?;
        if found["generation"] == 0 {
            return Ok(None);
        }
        serde_json::from_value(found)
            .map(Some)
            .map_err(|source| Error::Storage {
                doing: "read the gate",
                source: Box::new(source),
            })
    }

    /// A server makes reports itself, from what it measures: none can be sent to it.
    fn create_validation(&self, _: &HardwareName, _: &NewValidation, _: Option<&str>) -> Result<Validation> {
        Err(Error::invalid(
            "validation",
            "a server stores the reports of its own measurements only; let it validate (POST /v1/{hardware}/jobs)",
        ))
    }

    fn validation(&self, hardware: &HardwareName, number: u32) -> Result<Validation> {
        let path = format!("/v1/{hardware}/validations/{number}");
        self.0
            .get(&path)
            .map_err(error("read the report", "validation", number))
    }

    fn validations(&self, hardware: &HardwareName, version: Option<u32>) -> Result<Vec<Validation>> {
        let version = version.map(|v| format!("?version={v}")).unwrap_or_default();
        let path = format!("/v1/{hardware}/validations{version}");
        self.0
            .get(&path)
            .map_err(error("list reports", "hardware target", hardware))
    }

    fn alias(&self, hardware: &HardwareName, name: &AliasName) -> Result<Alias> {
        let path = format!("/v1/{hardware}/aliases/{name}");
        self.0.get(&path).map_err(error("read the alias", "alias", name))
    }

    fn aliases(&self, hardware: &HardwareName) -> Result<Vec<Alias>> {
        Ok(self.models(hardware)?.aliases)
    }

    /// The server knows its own limit.
    fn create_job(&self, new: &NewJob, idempotency_key: Option<&str>, _limit: usize) -> Result<Job> {
        let path = format!("/v1/{}/jobs", new.hardware);
        let headers: Vec<(&str, &str)> = idempotency_key
            .map(|key| ("Idempotency-Key", key))
            .into_iter()
            .collect();
        let body = serde_json::json!({ "kind": new.kind, "parameters": new.parameters });
        self.0.send(Method::POST, &path, &headers, &body).map_err(error(
            "create the job",
            "hardware target",
            &new.hardware,
        ))
    }

    fn job(&self, id: u64) -> Result<Job> {
        let path = format!("/v1/jobs/{id}");
        self.0.get(&path).map_err(error("read the job", "job", id))
    }

    fn jobs(&self, filter: &JobFilter, limit: usize) -> Result<Vec<Job>> {
        let mut path = format!("/v1/jobs?limit={limit}");
        if let Some(hardware) = &filter.hardware {
            path += &format!("&hardware={hardware}");
        }
        if let Some(state) = filter.state {
            path += &format!("&state={state}");
        }
        let list: Jobs = self.0.get(&path).map_err(error("list jobs", "list", "jobs"))?;
        Ok(list.jobs)
    }

    fn cancel_job(&self, id: u64, _actor: &str) -> Result<Job> {
        let path = format!("/v1/jobs/{id}/cancel");
        self.0
            .send(Method::POST, &path, &[], &serde_json::json!({}))
            .map_err(error("cancel the job", "job", id))
    }

    fn lease_job(&self, _: &LeaseRequest) -> Result<Option<Job>> {
        works_itself()
    }

    fn heartbeat_job(&self, _: u64, _: u64, _: Option<&Progress>) -> Result<Job> {
        works_itself()
    }

    fn checkpoint_job(&self, _: u64, _: u64, _: &Value) -> Result<Job> {
        works_itself()
    }

    fn finish_job(&self, _: u64, _: u64, _: &JobOutcome) -> Result<Job> {
        works_itself()
    }

    fn release_job(&self, _: u64, _: u64) -> Result<Job> {
        works_itself()
    }

    fn requeue_jobs(&self, _: Option<&str>) -> Result<Vec<Job>> {
        works_itself()
    }

    fn set_traffic(&self, hardware: &HardwareName, request: &SetTraffic) -> Result<Traffic> {
        let path = format!("/v1/{hardware}/traffic");
        let generation = format!("\"{}\"", request.expected_generation);
        let aliases: Vec<&str> = request.shares().map(|(_, share)| share.alias.as_str()).collect();
        let body = serde_json::json!({
            "canary": request.canary, "shadow": request.shadow, "reason": request.reason, "actor": request.actor,
        });
        self.0
            .send(Method::PUT, &path, &[("If-Match", &generation)], &body)
            .map_err(error("set the traffic", "alias", aliases.join(" or ")))
    }

    fn traffic(&self, hardware: &HardwareName) -> Result<Traffic> {
        let path = format!("/v1/{hardware}/traffic");
        self.0
            .get(&path)
            .map_err(error("read the traffic", "hardware target", hardware))
    }

    /// A server compares what it serves itself.
    fn add_agreement(&self, _: &HardwareName, _: &Agreement) -> Result<Agreement> {
        let reason = "a server compares the predictions that it serves itself";
        Err(Error::invalid("agreement", reason))
    }

    fn agreements(&self, hardware: &HardwareName) -> Result<Vec<Agreement>> {
        let path = format!("/v1/{hardware}/traffic");
        let traffic: Agreements = self
            .0
            .get(&path)
            .map_err(error("read the traffic", "hardware target", hardware))?;
        Ok(traffic.agreement)
    }

    /// A server follows its own registry.
    fn watch(&self, _: Watcher) -> Result<()> {
        Err(Error::invalid("watcher", "changes are made by the server"))
    }

    fn audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>> {
        let path = format!("/v1/audit?from={from}&limit={limit}");
        self.0.get(&path).map_err(error("read the audit log", "audit log", ""))
    }

    fn verify_audit(&self) -> Result<AuditHead> {
        self.0
            .get("/v1/audit/head")
            .map_err(error("verify the audit log", "audit log", ""))
    }

    fn events(&self, from: u64, limit: usize) -> Result<Vec<Event>> {
        let path = format!("/v1/events?from={from}&limit={limit}");
        self.0.get(&path).map_err(error("read events", "event log", ""))
    }

    /// The server's caller is the actor.
    fn create_webhook(&self, new: &NewWebhook, _actor: &str, idempotency_key: Option<&str>) -> Result<CreatedWebhook> {
        let headers: Vec<(&str, &str)> = idempotency_key
            .map(|key| ("Idempotency-Key", key))
            .into_iter()
            .collect();
        self.0.send(Method::POST, "/v1/webhooks", &headers, new).map_err(error(
            "create the webhook",
            "webhook",
            &new.id,
        ))
    }

    fn webhook(&self, id: &WebhookId) -> Result<Webhook> {
        let path = format!("/v1/webhooks/{id}");
        self.0.get(&path).map_err(error("read the webhook", "webhook", id))
    }

    fn webhooks(&self) -> Result<Vec<Webhook>> {
        let list: Webhooks = self
            .0
            .get("/v1/webhooks")
            .map_err(error("list webhooks", "list", "webhooks"))?;
        Ok(list.webhooks)
    }

    fn delete_webhook(&self, id: &WebhookId, _actor: &str) -> Result<()> {
        let path = format!("/v1/webhooks/{id}");
        let deleted = self.0.bytes(Method::DELETE, &path, Vec::new());
        deleted.map(drop).map_err(error("delete the webhook", "webhook", id))
    }

    fn webhook_secret(&self, _id: &WebhookId) -> Result<String> {
        Err(Error::invalid(
            "secret",
            "a server tells the secret of a webhook once, when it is created",
        ))
    }

    fn delivery(&self, id: &WebhookId) -> Result<Delivery> {
        let path = format!("/v1/webhooks/{id}");
        let answer: Delivered = self.0.get(&path).map_err(error("read the webhook", "webhook", id))?;
        Ok(answer.delivery)
    }

    fn put_delivery(&self, _webhook: &Webhook, _delivery: &Delivery) -> Result<()> {
        Err(Error::invalid(
            "delivered_through",
            "a server delivers the events of its registry itself",
        ))
    }

    /// The server draws secrets itself, and answers with them: `POST /v1/tokens`.
    fn create_token(&self, _: &NewToken, _: &Digest, _: &str) -> Result<Token> {
        Err(Error::invalid(
            "secret",
            "a server draws the secrets of its tokens itself",
        ))
    }

    fn tokens(&self) -> Result<Vec<Token>> {
        let answer: Tokens = self
            .0
            .get("/v1/tokens")
            .map_err(error("list tokens", "list", "tokens"))?;
        Ok(answer.tokens)
    }

    /// The server tells nobody the hash of a secret.
    fn credential(&self, _: &TokenId) -> Result<Credential> {
        Err(Error::invalid(
            "id",
            "a server does not tell what tokens are recognised by",
        ))
    }

    /// The server knows who revokes it: whose token the request has.
    fn revoke_token(&self, id: &TokenId, _: &str, reason: &str) -> Result<Token> {
        let query = serde_urlencoded::to_string([("reason", reason)]).map_err(|e| Error::Storage {
            doing: "revoke the token",
            source: Box::new(e),
        })?;
        let answer = self
            .0
            .bytes(Method::DELETE, &format!("/v1/tokens/{id}?{query}"), Vec::new())
            .map_err(error("revoke the token", "token", id))?;
        serde_json::from_slice(&answer).map_err(|e| Error::Storage {
            doing: "revoke the token",
            source: Box::new(e),
        })
    }

    fn find_audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>> {
        let from = match query.from {
            AuditFrom::Sequence(from) => format!("from={from}"),
            AuditFrom::Before(before) => format!("before={before}"),
        };
        let hardware = query.hardware.as_ref().map(|name| format!("&hardware={name}"));
        let path = format!("/v1/audit?{from}&limit={}{}", query.limit, hardware.unwrap_or_default());
        self.0.get(&path).map_err(error("read the audit log", "audit log", ""))
    }

    fn check_writable(&self) -> Result<()> {
        let ready: Ready = self.0.get("/readyz").map_err(error("ask the server", "server", ""))?;
        let stopped = |reason| Err(Error::WritesStopped { reason });
        ready.writes.map_or(Ok(()), stopped)
    }

    fn backup(&self, out: &mut dyn Write) -> Result<()> {
        let path = "/v1/registry/backup";
        self.0
            .download(path, out)
            .map_err(error("fetch the backup", "registry", ""))
    }

    /// The server tells of no progress.
    fn verify(&self, _progress: &dyn Fn(u64, u64)) -> Result<Verification> {
        let path = "/v1/registry/verify";
        self.0.get(path).map_err(error("verify the registry", "registry", ""))
    }

    fn collect_blobs(&self, keep: Duration, dry_run: bool, _actor: &str) -> Result<Collected> {
        let order = CollectBlobs {
            keep_seconds: keep.as_secs(),
            dry_run,
        };
        self.0
            .send(Method::POST, "/v1/registry/gc", &[], &order)
            .map_err(error("collect blobs", "registry", ""))
    }
}

fn move_body(request: &AliasMove) -> MoveAlias {
    MoveAlias {
        version: request.version,
        reason: request.reason.clone(),
        actor: request.actor.clone(),
        force: request.force,
    }
}

/// Headers, with the idempotency key where there is one.
fn keyed<'a>(mut headers: Vec<(&'a str, &'a str)>, key: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    headers.extend(key.map(|key| ("Idempotency-Key", key)));
    headers
}

impl RemoteStore {
    fn models(&self, hardware: &HardwareName) -> Result<Models> {
        let path = format!("/v1/{hardware}/models");
        self.0
            .get(&path)
            .map_err(error("list versions", "hardware target", hardware))
    }
}

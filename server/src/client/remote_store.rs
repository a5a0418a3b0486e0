//! The registry of a running server, over HTTP: commands do the same thing whether or not a server runs.

use std::collections::BTreeSet;

use lglp_openapi::exclusions::Excluded;
use lglp_openapi::measurements::{BlobStored, FreezeDataset, Recorded};
use lglp_openapi::models::MoveAlias;
use lglp_openapi::savings::SavingsReport;
use lglp_registry::{
    Agreement, Alias, AliasMove, AliasName, AuditEntry, AuditHead, Dataset, Digest, Error, Event, Exclusion,
    HardwareName, HardwareTarget, Measurement, NewDataset, NewHardware, NewVersion, Result, SetTraffic, Store, Traffic,
    Version, Watcher,
};
use serde::Deserialize;
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
struct Models {
    versions: Vec<Version>,
    aliases: Vec<Alias>,
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

    fn record_measurements(&self, measurements: &[Measurement]) -> Result<usize> {
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
        let body = MoveAlias {
            version: request.version,
            reason: request.reason.clone(),
            actor: request.actor.clone(),
        };
        self.0
            .send(Method::PUT, &path, &[("If-Match", &generation)], &body)
            .map_err(error("move the alias", "version", request.version))
    }

    fn alias(&self, hardware: &HardwareName, name: &AliasName) -> Result<Alias> {
        let path = format!("/v1/{hardware}/aliases/{name}");
        self.0.get(&path).map_err(error("read the alias", "alias", name))
    }

    fn aliases(&self, hardware: &HardwareName) -> Result<Vec<Alias>> {
        Ok(self.models(hardware)?.aliases)
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
}

impl RemoteStore {
    fn models(&self, hardware: &HardwareName) -> Result<Models> {
        let path = format!("/v1/{hardware}/models");
        self.0
            .get(&path)
            .map_err(error("list versions", "hardware target", hardware))
    }
}

//! The audit log, backups, checks.

use std::io::Write;
use std::time::Duration;

use lglp_openapi::registry::CollectBlobs;
use lglp_registry::{AuditEntry, AuditFrom, AuditHead, AuditQuery, Collected, Error, Event, Result, Verification};
use serde::Deserialize;
use ureq::http::Method;

use super::{RemoteStore, error};

#[derive(Deserialize)]
struct Ready {
    writes: Option<String>,
}

impl RemoteStore {
    pub(super) fn ask_audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>> {
        let path = format!("/v1/audit?from={from}&limit={limit}");
        self.0.get(&path).map_err(error("read the audit log", "audit log", ""))
    }

    pub(super) fn ask_verify_audit(&self) -> Result<AuditHead> {
        self.0
            .get("/v1/audit/head")
            .map_err(error("verify the audit log", "audit log", ""))
    }

    pub(super) fn ask_events(&self, from: u64, limit: usize) -> Result<Vec<Event>> {
        let path = format!("/v1/events?from={from}&limit={limit}");
        self.0.get(&path).map_err(error("read events", "event log", ""))
    }

    pub(super) fn ask_find_audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>> {
        let from = match query.from {
            AuditFrom::Sequence(from) => format!("from={from}"),
            AuditFrom::Before(before) => format!("before={before}"),
        };
        let hardware = query.hardware.as_ref().map(|name| format!("&hardware={name}"));
        let path = format!("/v1/audit?{from}&limit={}{}", query.limit, hardware.unwrap_or_default());
        self.0.get(&path).map_err(error("read the audit log", "audit log", ""))
    }

    pub(super) fn ask_check_writable(&self) -> Result<()> {
        let ready: Ready = self.0.get("/readyz").map_err(error("ask the server", "server", ""))?;
        let stopped = |reason| Err(Error::WritesStopped { reason });
        ready.writes.map_or(Ok(()), stopped)
    }

    pub(super) fn ask_backup(&self, out: &mut dyn Write) -> Result<()> {
        let path = "/v1/registry/backup";
        self.0
            .download(path, out)
            .map_err(error("fetch the backup", "registry", ""))
    }

    /// The server tells of no progress.
    pub(super) fn ask_verify(&self, _progress: &dyn Fn(u64, u64)) -> Result<Verification> {
        let path = "/v1/registry/verify";
        self.0.get(path).map_err(error("verify the registry", "registry", ""))
    }

    pub(super) fn ask_collect_blobs(&self, keep: Duration, dry_run: bool, _actor: &str) -> Result<Collected> {
        let order = CollectBlobs {
            keep_seconds: keep.as_secs(),
            dry_run,
        };
        self.0
            .send(Method::POST, "/v1/registry/gc", &[], &order)
            .map_err(error("collect blobs", "registry", ""))
    }
}

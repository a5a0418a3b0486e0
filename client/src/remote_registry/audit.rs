//! What was changed, by whom.

use lglp_registry::{Audit, AuditEntry, AuditFilter, AuditFrom, AuditHead, AuditQuery, Event, HardwareName, Result};

use super::{RemoteRegistry, error};

impl Audit for RemoteRegistry {
    fn audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>> {
        let path = format!("/v1/audit?from={from}&limit={limit}");
        self.0.get(&path).map_err(error("read the audit log", "audit log"))
    }

    fn verify_audit(&self) -> Result<AuditHead> {
        self.0
            .get("/v1/audit/head")
            .map_err(error("verify the audit log", "audit log"))
    }

    fn events(&self, from: u64, limit: usize) -> Result<Vec<Event>> {
        let path = format!("/v1/events?from={from}&limit={limit}");
        self.0.get(&path).map_err(error("read events", "event log"))
    }

    fn find_audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>> {
        let from = match query.from {
            AuditFrom::Sequence(from) => ("from", from.to_string()),
            AuditFrom::Before(before) => ("before", before.to_string()),
        };
        let AuditFilter {
            hardware,
            kind,
            actor,
            since,
            until,
        } = &query.filter;
        let filter = [
            ("hardware", hardware.as_ref().map(HardwareName::as_str)),
            ("kind", kind.as_deref()),
            ("actor", actor.as_deref()),
            ("since", since.as_deref()),
            ("until", until.as_deref()),
        ];
        let mut asked = url::form_urlencoded::Serializer::new(String::new());
        asked
            .append_pair(from.0, &from.1)
            .append_pair("limit", &query.limit.to_string());
        asked.extend_pairs(filter.iter().filter_map(|(name, value)| Some((*name, (*value)?))));
        let path = format!("/v1/audit?{}", asked.finish());
        self.0.get(&path).map_err(error("read the audit log", "audit log"))
    }
}

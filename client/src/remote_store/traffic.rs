//! Traffic: divided and looked at.

use lglp_registry::{Agreement, Error, HardwareName, Result, SetTraffic, Traffic, Watcher};
use serde::Deserialize;
use ureq::http::Method;

use super::{RemoteStore, error, if_match};

#[derive(Deserialize)]
struct Agreements {
    agreement: Vec<Agreement>,
}

impl RemoteStore {
    pub(super) fn ask_set_traffic(&self, hardware: &HardwareName, request: &SetTraffic) -> Result<Traffic> {
        let path = format!("/v1/{hardware}/traffic");
        let seen = if_match(&request.expected_generation);
        let aliases: Vec<&str> = request.shares().map(|(_, share)| share.alias.as_str()).collect();
        let body = serde_json::json!({
            "canary": request.canary, "shadow": request.shadow, "reason": request.reason, "actor": request.actor,
        });
        self.0
            .send(Method::PUT, &path, &[("If-Match", &seen)], &body)
            .map_err(error("set the traffic", "alias", aliases.join(" or ")))
    }

    pub(super) fn ask_traffic(&self, hardware: &HardwareName) -> Result<Traffic> {
        let path = format!("/v1/{hardware}/traffic");
        self.0
            .get(&path)
            .map_err(error("read the traffic", "hardware target", hardware))
    }

    /// A server compares what it serves itself.
    pub(super) fn ask_add_agreement(&self, _: &HardwareName, _: &Agreement) -> Result<Agreement> {
        let reason = "a server compares the predictions that it serves itself";
        Err(Error::invalid("agreement", reason))
    }

    pub(super) fn ask_agreements(&self, hardware: &HardwareName) -> Result<Vec<Agreement>> {
        let path = format!("/v1/{hardware}/traffic");
        let traffic: Agreements = self
            .0
            .get(&path)
            .map_err(error("read the traffic", "hardware target", hardware))?;
        Ok(traffic.agreement)
    }

    /// A server follows its own registry.
    pub(super) fn ask_watch(&self, _: Watcher) -> Result<()> {
        Err(Error::invalid("watcher", "changes are made by the server"))
    }
}

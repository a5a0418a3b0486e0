//! What a version has to pass.

use lglp_registry::{Error, Gate, GateChange, Gates, HardwareName, Result};
use ureq::http::Method;

use super::{RemoteRegistry, error, if_match};

impl Gates for RemoteRegistry {
    fn set_gate(&self, hardware: &HardwareName, change: &GateChange) -> Result<Gate> {
        let path = format!("/v1/{hardware}/gate");
        let seen = if_match(&change.expected_generation);
        let body = serde_json::json!({ "rules": change.rules, "reason": change.reason, "actor": change.actor });
        self.0
            .send(Method::PUT, &path, &[("If-Match", &seen)], &body)
            .map_err(error("set the gate", "hardware target"))
    }

    fn gate(&self, hardware: &HardwareName) -> Result<Option<Gate>> {
        let path = format!("/v1/{hardware}/gate");
        let found: serde_json::Value = self.0.get(&path).map_err(error("read the gate", "hardware target"))?;
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
}

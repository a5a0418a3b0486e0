//! What a version has to pass.

use lglp_openapi::gates::SetGate;
use lglp_registry::{Gate, GateChange, Gates, HardwareName, Result};
use ureq::http::Method;

use super::{RemoteRegistry, error, if_match};

impl Gates for RemoteRegistry {
    fn set_gate(&self, hardware: &HardwareName, change: &GateChange) -> Result<Gate> {
        let path = format!("/v1/{hardware}/gate");
        let seen = if_match(&change.expected_generation);
        let body = SetGate {
            rules: change.rules,
            reason: change.reason.clone(),
            actor: change.actor.clone(),
        };
        self.0
            .send(Method::PUT, &path, &[("If-Match", &seen)], &body)
            .map_err(error("set the gate", "hardware target"))
    }

    fn gate(&self, hardware: &HardwareName) -> Result<Option<Gate>> {
        let path = format!("/v1/{hardware}/gate");
        let gate: Gate = self.0.get(&path).map_err(error("read the gate", "hardware target"))?;
        Ok((gate.generation > 0).then_some(gate))
    }
}

//! Traffic: divided and looked at.

use lglp_openapi::traffic::{SetTraffic as Division, Traffic as TrafficAnswer};
use lglp_registry::{Agreement, HardwareName, Result, Routing, SetTraffic, Traffic};
use ureq::http::Method;

use super::{RemoteRegistry, error, if_match};

impl Routing for RemoteRegistry {
    fn set_traffic(&self, hardware: &HardwareName, request: &SetTraffic) -> Result<Traffic> {
        let path = format!("/v1/{hardware}/traffic");
        let seen = if_match(&request.expected_generation);
        let body = Division {
            canary: request.canary.clone(),
            shadow: request.shadow.clone(),
            reason: request.reason.clone(),
            actor: request.actor.clone(),
        };
        self.0
            .send(Method::PUT, &path, &[("If-Match", &seen)], &body)
            .map_err(error("set the traffic", "alias"))
    }

    fn traffic(&self, hardware: &HardwareName) -> Result<Traffic> {
        let path = format!("/v1/{hardware}/traffic");
        self.0.get(&path).map_err(error("read the traffic", "hardware target"))
    }

    fn agreements(&self, hardware: &HardwareName) -> Result<Vec<Agreement>> {
        let path = format!("/v1/{hardware}/traffic");
        let traffic: TrafficAnswer = self
            .0
            .get(&path)
            .map_err(error("read the traffic", "hardware target"))?;
        Ok(traffic.agreement)
    }
}

//! Marks on measurements.

use lglp_openapi::exclusions::{Exclude, Excluded};
use lglp_registry::{Exclusion, Exclusions, HardwareName, Result};
use ureq::http::Method;

use super::{RemoteRegistry, error};

impl Exclusions for RemoteRegistry {
    fn exclude_measurements(&self, hardware: &HardwareName, exclusions: &[Exclusion], actor: &str) -> Result<usize> {
        let path = format!("/v1/{hardware}/exclusions");
        let body = Exclude {
            exclusions: exclusions.to_vec(),
            actor: actor.to_owned(),
        };
        let answer: Excluded = self
            .0
            .send(Method::POST, &path, &[], &body)
            .map_err(error("exclude measurements", "measurement"))?;
        Ok(answer.excluded)
    }

    fn exclusions(&self, hardware: &HardwareName, space: &str) -> Result<Vec<Exclusion>> {
        let path = format!("/v1/{hardware}/exclusions?space={space}");
        self.0.get(&path).map_err(error("list exclusions", "hardware target"))
    }
}

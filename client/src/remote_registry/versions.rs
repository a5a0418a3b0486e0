//! Models of a hardware target.

use lglp_openapi::models::ModelList;
use lglp_registry::{HardwareName, NewVersion, Result, Version, Versions};
use ureq::http::Method;

use super::{RemoteRegistry, error, keyed};

impl Versions for RemoteRegistry {
    fn create_version(
        &self,
        hardware: &HardwareName,
        new: &NewVersion,
        idempotency_key: Option<&str>,
    ) -> Result<Version> {
        let path = format!("/v1/{hardware}/models");
        let headers = keyed(Vec::new(), idempotency_key);
        self.0
            .send(Method::POST, &path, &headers, new)
            .map_err(error("create the version", "hardware target"))
    }

    fn version(&self, hardware: &HardwareName, version: u32) -> Result<Version> {
        let path = format!("/v1/{hardware}/models/{version}");
        self.0.get(&path).map_err(error("read the version", "version"))
    }

    fn versions(&self, hardware: &HardwareName) -> Result<Vec<Version>> {
        Ok(self.models(hardware)?.versions)
    }
}

impl RemoteRegistry {
    /// Versions and aliases, which the server lists together.
    pub(super) fn models(&self, hardware: &HardwareName) -> Result<ModelList> {
        let path = format!("/v1/{hardware}/models");
        self.0.get(&path).map_err(error("list versions", "hardware target"))
    }
}

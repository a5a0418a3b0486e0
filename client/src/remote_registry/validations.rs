//! Validation reports: read; the server makes them itself.

use lglp_registry::{HardwareName, Result, Validation, Validations};

use super::{RemoteRegistry, error};

impl Validations for RemoteRegistry {
    fn validation(&self, hardware: &HardwareName, number: u32) -> Result<Validation> {
        let path = format!("/v1/{hardware}/validations/{number}");
        self.0.get(&path).map_err(error("read the report", "validation"))
    }

    fn validations(&self, hardware: &HardwareName, version: Option<u32>) -> Result<Vec<Validation>> {
        let version = version.map(|v| format!("?version={v}")).unwrap_or_default();
        let path = format!("/v1/{hardware}/validations{version}");
        self.0.get(&path).map_err(error("list reports", "hardware target"))
    }
}

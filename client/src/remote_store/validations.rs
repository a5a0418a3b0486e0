//! Validation reports: read; the server makes them itself.

use lglp_registry::{Error, HardwareName, NewValidation, Result, Validation};

use super::{RemoteStore, error};

impl RemoteStore {
    /// A server makes reports itself, from what it measures: none can be sent to it.
    pub(super) fn ask_create_validation(
        &self,
        _: &HardwareName,
        _: &NewValidation,
        _: Option<&str>,
    ) -> Result<Validation> {
        Err(Error::invalid(
            "validation",
            "a server stores the reports of its own measurements only; let it validate (POST /v1/{hardware}/jobs)",
        ))
    }

    pub(super) fn ask_validation(&self, hardware: &HardwareName, number: u32) -> Result<Validation> {
        let path = format!("/v1/{hardware}/validations/{number}");
        self.0
            .get(&path)
            .map_err(error("read the report", "validation", number))
    }

    pub(super) fn ask_validations(&self, hardware: &HardwareName, version: Option<u32>) -> Result<Vec<Validation>> {
        let version = version.map(|v| format!("?version={v}")).unwrap_or_default();
        let path = format!("/v1/{hardware}/validations{version}");
        self.0
            .get(&path)
            .map_err(error("list reports", "hardware target", hardware))
    }
}

//! How much models were asked.

use lglp_openapi::savings::SavingsReport;
use lglp_registry::{HardwareName, Result, Usage};

use super::{RemoteRegistry, error};

impl Usage for RemoteRegistry {
    fn predictions_served(&self, hardware: &HardwareName) -> Result<u64> {
        let path = format!("/v1/{hardware}/savings");
        let report: SavingsReport = self
            .0
            .get(&path)
            .map_err(error("read the savings", "hardware target"))?;
        Ok(report.predictions)
    }
}

//! How much a hardware target's models were asked, and how far two of them agree.

use super::{SledStore, keys};
use crate::{Agreement, Counting, HardwareName, HardwareTargets, Result, Usage};

impl Usage for SledStore {
    fn predictions_served(&self, hardware: &HardwareName) -> Result<u64> {
        self.hardware(hardware)?;
        Ok(self.find(&keys::predictions(hardware))?.unwrap_or(0))
    }
}

impl Counting for SledStore {
    fn count_predictions(&self, hardware: &HardwareName, count: u64) -> Result<u64> {
        self.write(|changes| {
            changes.require("hardware target", hardware, &keys::hardware(hardware))?;
            let key = keys::predictions(hardware);
            let total = changes.find::<u64>(&key)?.unwrap_or(0).saturating_add(count);
            if count > 0 {
                changes.put(key, &total)?;
            }
            Ok(total)
        })
    }

    fn add_agreement(&self, hardware: &HardwareName, seen: &Agreement) -> Result<Agreement> {
        seen.check()?;
        self.write(|changes| {
            changes.require("hardware target", hardware, &keys::hardware(hardware))?;
            let (production, candidate) = (seen.production, seen.candidate);
            let key = keys::agreement(hardware, production, candidate);
            let before: Option<Agreement> = changes.find(&key)?;
            let mut total = before.unwrap_or_else(|| Agreement::between(production, candidate));
            total.merge(seen);
            changes.put(key, &total)?;
            Ok(total)
        })
    }
}

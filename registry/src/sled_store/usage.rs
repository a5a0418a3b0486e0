//! How much a hardware target's models were asked.

use super::{SledStore, keys};
use crate::{HardwareName, Result};

impl SledStore {
    pub(super) fn add_predictions(&self, hardware: &HardwareName, count: u64) -> Result<u64> {
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
}

//! Gates.

use serde_json::json;

use super::changes::{Changes, check_generation};
use super::{SledStore, keys};
use crate::{Change, Gate, GateChange, Gates, HardwareName, HardwareTargets, Result, Verdict, clock};

impl Gates for SledStore {
    fn set_gate(&self, hardware: &HardwareName, change: &GateChange) -> Result<Gate> {
        change.check()?;
        let key = keys::gate(hardware);
        self.write(|changes| {
            changes.require("hardware target", hardware, &keys::hardware(hardware))?;
            let before: Option<Gate> = changes.find(&key)?;
            let current = before.as_ref().map_or(0, |gate| gate.generation);
            check_generation(
                &format_args!("the gate of {hardware}"),
                &change.expected_generation,
                // Every target has a gate: one that was never set has no rules.
                Some(current),
            )?;
            let gate = Gate {
                rules: change.rules,
                generation: current + 1,
                set_at: clock::now(),
                set_by: change.actor.clone(),
            };
            let logged = Change::GateSet {
                hardware: hardware.clone(),
                generation: gate.generation,
            };
            changes.log(
                logged,
                &change.actor,
                Some(&change.reason),
                (json!(before), json!(gate)),
            )?;
            changes.put(key, &gate)?;
            Ok(gate)
        })
    }

    fn gate(&self, hardware: &HardwareName) -> Result<Option<Gate>> {
        self.hardware(hardware)?;
        self.find(&keys::gate(hardware))
    }
}

impl SledStore {
    /// What the gate says of a version that is to replace `production`; nothing where there is no gate.
    pub(super) fn verdict(
        &self,
        changes: &Changes<'_>,
        hardware: &HardwareName,
        version: u32,
        production: Option<u32>,
    ) -> Result<Option<Verdict>> {
        let gate: Option<Gate> = changes.find(&keys::gate(hardware))?;
        let Some(gate) = gate.filter(|gate| !gate.rules.is_empty()) else {
            return Ok(None);
        };
        let report = self.newest_validation(hardware, version, gate.rules.on_networks)?;
        Ok(Some(gate.rules.judge(version, report.as_ref(), production)))
    }
}

//! Traffic, and what shadows agreed on.

use serde_json::json;

use super::changes::check_generation;
use super::{SledStore, keys};
use crate::domain::traffic::PRODUCTION;
use crate::{
    Agreement, Alias, AliasName, Change, Error, HardwareName, HardwareTargets, NewVersion, Result, Routing, SetTraffic,
    Share, Traffic, Versions, clock,
};

impl Routing for SledStore {
    fn set_traffic(&self, hardware: &HardwareName, request: &SetTraffic) -> Result<Traffic> {
        request.check()?;
        let key = keys::traffic(hardware);
        self.write(|changes| {
            changes.require("hardware target", hardware, &keys::hardware(hardware))?;
            let before: Option<Traffic> = changes.find(&key)?;
            let current = before.as_ref().map_or(0, |traffic| traffic.generation);
            check_generation(
                &format_args!("the traffic of {hardware}"),
                &request.expected_generation,
                // Every target has traffic: what was never divided is production's.
                Some(current),
            )?;
            self.require_comparable(hardware, request)?;
            let SetTraffic {
                canary,
                shadow,
                actor,
                reason,
                ..
            } = request;
            let traffic = Traffic {
                generation: current + 1,
                canary: canary.clone(),
                shadow: shadow.clone(),
                set_at: Some(clock::now()),
                set_by: Some(actor.clone()),
            };
            let change = Change::TrafficSet {
                hardware: hardware.clone(),
                generation: traffic.generation,
                canary: canary.clone(),
                shadow: shadow.clone(),
            };
            changes.log(change, actor, Some(reason), (json!(before), json!(traffic)))?;
            changes.put(key, &traffic)?;
            Ok(traffic)
        })
    }

    fn traffic(&self, hardware: &HardwareName) -> Result<Traffic> {
        self.hardware(hardware)?;
        Ok(self.find(&keys::traffic(hardware))?.unwrap_or_default())
    }

    fn agreements(&self, hardware: &HardwareName) -> Result<Vec<Agreement>> {
        self.hardware(hardware)?;
        self.list(&keys::agreements(hardware))
    }
}

impl SledStore {
    /// A version of another space than production's reads none of its architectures, and one that predicts something
    /// else than latency has no answer for whoever asked for that.
    fn require_comparable(&self, hardware: &HardwareName, request: &SetTraffic) -> Result<()> {
        if request.shares().next().is_none() {
            return Ok(());
        }
        let production = self.version_of(hardware, &PRODUCTION.parse()?)?;
        for (field, Share { alias, .. }) in request.shares() {
            let version = self.version_of(hardware, alias)?;
            let differs = |what: String| {
                Err(Error::invalid(
                    format!("{field}.alias"),
                    format!("{alias} predicts {what}"),
                ))
            };
            if version.space != production.space {
                return differs(format!(
                    "in the space {}, production in {}",
                    version.space, production.space
                ));
            }
            if version.quantity != production.quantity {
                return differs(format!("{}, production {}", version.quantity, production.quantity));
            }
        }
        Ok(())
    }

    fn version_of(&self, hardware: &HardwareName, alias: &AliasName) -> Result<NewVersion> {
        let found: Option<Alias> = self.find(&keys::alias(hardware, alias))?;
        let version = found.ok_or_else(|| Error::not_found("alias", alias))?.version;
        Ok(self.version(hardware, version)?.content)
    }
}

//! Aliases.

use super::{SledStore, keys};
use crate::{Alias, AliasMove, Change, Error, HardwareName, Result, clock};

impl SledStore {
    pub(super) fn write_alias(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Alias> {
        request.check()?;
        let AliasMove {
            alias: name,
            version,
            expected_generation,
            actor,
            reason,
        } = request;
        let (version, expected) = (*version, *expected_generation);
        let key = keys::alias(hardware, name);
        self.write(|changes| {
            changes.require("hardware target", hardware, &keys::hardware(hardware))?;
            let before: Option<Alias> = changes.find(&key)?;
            let current = before.as_ref().map_or(0, |alias| alias.generation);
            if current != expected {
                return Err(Error::StaleGeneration {
                    alias: name.clone(),
                    expected,
                    current,
                });
            }
            changes.require("version", version, &keys::version(hardware, version))?;
            let generation = current + 1;
            let change = Change::AliasMoved {
                hardware: hardware.clone(),
                alias: name.clone(),
                version,
                generation,
                previous: before.map(|alias| alias.version),
            };
            changes.log(change, actor, Some(reason))?;
            let (moved_at, moved_by) = (clock::now(), actor.clone());
            let alias = Alias {
                name: name.clone(),
                version,
                generation,
                moved_at,
                moved_by,
            };
            changes.put(key, &alias)?;
            Ok(alias)
        })
    }
}

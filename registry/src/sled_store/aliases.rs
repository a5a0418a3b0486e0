//! Aliases.

use serde_json::json;

use super::{SledStore, keys};
use crate::domain::alias::ALIAS_MEMORY;
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
                    what: format!("alias {name}"),
                    expected,
                    current,
                });
            }
            changes.require("version", version, &keys::version(hardware, version))?;
            let generation = current + 1;
            let mut previous = before.as_ref().map_or_else(Vec::new, |alias| alias.previous.clone());
            if let Some(alias) = &before
                && alias.version != version
            {
                previous.push(alias.version);
                previous.drain(..previous.len().saturating_sub(ALIAS_MEMORY));
            }
            let (moved_at, moved_by) = (clock::now(), actor.clone());
            let alias = Alias {
                name: name.clone(),
                version,
                previous,
                generation,
                moved_at,
                moved_by,
            };
            let change = Change::AliasMoved {
                hardware: hardware.clone(),
                alias: name.clone(),
                version,
                generation,
                previous: before.as_ref().map(|alias| alias.version),
            };
            changes.log(change, actor, Some(reason), (json!(before), json!(alias)))?;
            changes.put(key, &alias)?;
            Ok(alias)
        })
    }
}

//! Aliases.

use serde_json::json;

use super::changes::{Changes, check_generation};
use super::idempotency::IdempotencyKey;
use super::{SledStore, keys};
use crate::domain::alias::{ALIAS_MEMORY, ALIASES_LIMIT};
use crate::domain::limits;
use crate::domain::traffic::PRODUCTION;
use crate::{
    Alias, AliasMove, AliasName, Aliases, Change, Error, Forecast, HardwareName, HardwareTargets, Result, Rollback,
    Traffic, Verdict, Versions, clock,
};

/// How an alias comes to a version.
struct Step<'a> {
    alias: &'a AliasName,
    version: u32,
    /// What rolling back goes back through afterwards.
    previous: Vec<u32>,
    verdict: Option<Verdict>,
    forced: bool,
    rolled_back: bool,
    actor: &'a str,
    reason: &'a str,
}

impl Aliases for SledStore {
    fn move_alias(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Alias> {
        request.check()?;
        let content = AliasMove {
            idempotency_key: None,
            ..request.clone()
        };
        let once = IdempotencyKey::new(
            &format!("{hardware}/move"),
            request.idempotency_key.as_deref(),
            &content,
        )?;
        self.write(|changes| {
            if let Some(before) = changes.answered(&once)? {
                return Ok(before);
            }
            let (before, forecast) = self.forecast(changes, hardware, request)?;
            if let (false, Some(verdict)) = (forecast.moves, &forecast.verdict) {
                return Err(Error::GateRefused {
                    version: request.version,
                    verdict: Box::new(verdict.clone()),
                });
            }
            if before.is_none() && self.scan(&keys::aliases(hardware)).count() >= ALIASES_LIMIT {
                let reason = format!("`{hardware}` has {ALIASES_LIMIT} aliases, and no more may be; move one of them");
                return Err(Error::invalid("alias", reason));
            }
            let mut previous = before.as_ref().map_or_else(Vec::new, |alias| alias.previous.clone());
            if let Some(alias) = &before
                && alias.version != request.version
            {
                previous.push(alias.version);
                previous.drain(..previous.len().saturating_sub(ALIAS_MEMORY));
            }
            let step = Step {
                alias: &request.alias,
                version: request.version,
                previous,
                verdict: forecast.verdict,
                forced: forecast.forced,
                rolled_back: false,
                actor: &request.actor,
                reason: &request.reason,
            };
            let alias = put(changes, hardware, before, step)?;
            changes.answer(once, &alias)?;
            Ok(alias)
        })
    }

    fn forecast_move(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Forecast> {
        request.check()?;
        let changes = Changes::new(&self.db);
        Ok(self.forecast(&changes, hardware, request)?.1)
    }

    fn roll_back(&self, hardware: &HardwareName, request: &Rollback) -> Result<Alias> {
        limits::text("actor", &request.actor)?;
        limits::short("reason", &request.reason)?;
        let content = Rollback {
            idempotency_key: None,
            ..request.clone()
        };
        let once = IdempotencyKey::new(
            &format!("{hardware}/rollback"),
            request.idempotency_key.as_deref(),
            &content,
        )?;
        self.write(|changes| {
            if let Some(before) = changes.answered(&once)? {
                return Ok(before);
            }
            let before: Option<Alias> = changes.find(&keys::alias(hardware, &request.alias))?;
            let Some(before) = before else {
                changes.require("hardware target", hardware, &keys::hardware(hardware))?;
                return Err(Error::not_found("alias", &request.alias));
            };
            if let Some(expected) = &request.expected_generation {
                check_generation(
                    &format_args!("alias {}", request.alias),
                    expected,
                    Some(before.generation),
                )?;
            }
            let mut previous = before.previous.clone();
            let Some(version) = previous.pop() else {
                return Err(Error::NoPrevious {
                    alias: request.alias.clone(),
                });
            };
            self.require_latency(changes, hardware, &request.alias, version)?;
            let step = Step {
                alias: &request.alias,
                version,
                previous,
                verdict: None,
                forced: false,
                rolled_back: true,
                actor: &request.actor,
                reason: &request.reason,
            };
            let alias = put(changes, hardware, Some(before), step)?;
            changes.answer(once, &alias)?;
            Ok(alias)
        })
    }

    fn alias(&self, hardware: &HardwareName, name: &AliasName) -> Result<Alias> {
        self.find(&keys::alias(hardware, name))?
            .ok_or_else(|| self.missing(hardware, "alias", name))
    }

    fn aliases(&self, hardware: &HardwareName) -> Result<Vec<Alias>> {
        self.hardware(hardware)?;
        self.list(&keys::aliases(hardware))
    }
}

impl SledStore {
    /// The alias as it is, and what a move would do.
    fn forecast(
        &self,
        changes: &Changes<'_>,
        hardware: &HardwareName,
        request: &AliasMove,
    ) -> Result<(Option<Alias>, Forecast)> {
        changes.require("hardware target", hardware, &keys::hardware(hardware))?;
        let before: Option<Alias> = changes.find(&keys::alias(hardware, &request.alias))?;
        let current = before.as_ref().map(|alias| alias.generation);
        check_generation(
            &format_args!("alias {}", request.alias),
            &request.expected_generation,
            current,
        )?;
        changes.require("version", request.version, &keys::version(hardware, request.version))?;
        self.require_latency(changes, hardware, &request.alias, request.version)?;
        let from = before.as_ref().map(|alias| alias.version);
        let verdict = match request.alias.as_str() {
            PRODUCTION => self.verdict(changes, hardware, request.version, from)?,
            _ => None,
        };
        let passes = verdict.as_ref().is_none_or(|verdict| verdict.passed);
        let forecast = Forecast {
            moves: passes || request.force,
            from,
            to: request.version,
            generation: current.unwrap_or(0),
            verdict,
            forced: !passes && request.force,
        };
        Ok((before, forecast))
    }

    /// Whoever asks production, or an alias that takes part in its traffic, takes what is answered for milliseconds.
    fn require_latency(
        &self,
        changes: &Changes<'_>,
        hardware: &HardwareName,
        alias: &AliasName,
        version: u32,
    ) -> Result<()> {
        let quantity = self.version(hardware, version)?.content.quantity;
        if quantity.is_latency() {
            return Ok(());
        }
        let traffic: Option<Traffic> = changes.find(&keys::traffic(hardware))?;
        let shares = |traffic: &Traffic| {
            [&traffic.canary, &traffic.shadow]
                .into_iter()
                .flatten()
                .any(|s| s.alias == *alias)
        };
        if alias.as_str() != PRODUCTION && !traffic.as_ref().is_some_and(shares) {
            return Ok(());
        }
        let reason = format!(
            "version {version} predicts {quantity} in {}; {alias} answers latency in ms. Serve it under an alias of \
             its own, such as `{quantity}`",
            quantity.unit(),
        );
        Err(Error::invalid("version", reason))
    }
}

/// Writes an alias with its audit entry and event.
fn put(changes: &mut Changes<'_>, hardware: &HardwareName, before: Option<Alias>, step: Step<'_>) -> Result<Alias> {
    let alias = Alias {
        name: step.alias.clone(),
        version: step.version,
        previous: step.previous,
        generation: before.as_ref().map_or(0, |alias| alias.generation) + 1,
        moved_at: clock::now(),
        moved_by: step.actor.to_owned(),
    };
    let change = Change::AliasMoved {
        hardware: hardware.clone(),
        alias: alias.name.clone(),
        version: alias.version,
        generation: alias.generation,
        previous: before.as_ref().map(|alias| alias.version),
        verdict: step.verdict,
        forced: step.forced,
        rolled_back: step.rolled_back,
    };
    changes.log(change, step.actor, Some(step.reason), (json!(before), json!(alias)))?;
    changes.put(keys::alias(hardware, &alias.name), &alias)?;
    Ok(alias)
}

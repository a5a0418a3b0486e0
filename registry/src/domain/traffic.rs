//! Traffic: which share of the requests for `production` other versions answer, or predict beside it.

use serde::{Deserialize, Serialize};

use super::limits;
use crate::{AliasName, Error, Expected, Result};

/// The alias whose requests are divided.
pub const PRODUCTION: &str = "production";

/// A share of the architectures that `production` is asked for. An architecture belongs to it, or not, by its digest:
/// always, as long as the share stands, and still when the share grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// An alias other than `production`.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[a-z][a-z0-9._-]{0,62}$", example = "candidate"))]
    pub alias: AliasName,
    /// Above 0, up to 1.
    #[cfg_attr(feature = "schema", schema(example = 0.1))]
    pub share: f64,
}

/// How the requests for `production` of a hardware target are divided.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// How often it was set: 0 where it never was.
    pub generation: u64,
    /// Whose predictions are the answer for a share of the architectures.
    pub canary: Option<Share>,
    /// Who also predicts a share of the architectures, to be compared; nobody sees these predictions.
    pub shadow: Option<Share>,
    /// When it was set last; RFC 3339, UTC.
    pub set_at: Option<String>,
    /// Who set it last.
    pub set_by: Option<String>,
}

/// A request to divide the traffic otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetTraffic {
    /// The new canary; `None` ends the one there is.
    pub canary: Option<Share>,
    /// The new shadow; `None` ends the one there is.
    pub shadow: Option<Share>,
    /// The generation the caller has seen.
    pub expected_generation: Expected,
    /// Who sets it.
    pub actor: String,
    /// Why, for the audit log.
    pub reason: String,
}

/// The largest share of a canary, which has passed no gate: most of production's answers are production's.
const MOST_OF_A_CANARY: f64 = 0.5;

impl SetTraffic {
    /// The shares, each with its field.
    pub fn shares(&self) -> impl Iterator<Item = (&'static str, &Share)> {
        let shares = [("canary", &self.canary), ("shadow", &self.shadow)];
        shares
            .into_iter()
            .filter_map(|(field, share)| Some((field, share.as_ref()?)))
    }

    /// Checks what the types do not. That the aliases exist is the store's to check.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<()> {
        limits::text("actor", &self.actor)?;
        limits::short("reason", &self.reason)?;
        for (field, Share { alias, share }) in self.shares() {
            if !(*share > 0.0 && *share <= 1.0) {
                let reason = format!("expected more than 0 and at most 1, got {share}; leave {field} out to end it");
                return Err(Error::invalid(format!("{field}.share"), reason));
            }
            if field == "canary" && *share > MOST_OF_A_CANARY {
                let reason = format!(
                    "expected at most {MOST_OF_A_CANARY}, got {share}: no gate is asked for a canary; promote what shall answer more"
                );
                return Err(Error::invalid("canary.share", reason));
            }
            if alias.as_str() == PRODUCTION {
                let reason = "it is compared with production; name another alias";
                return Err(Error::invalid(format!("{field}.alias"), reason));
            }
        }
        Ok(())
    }
}

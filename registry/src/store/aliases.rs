//! Aliases.

use crate::{Alias, AliasMove, AliasName, Forecast, HardwareName, Result, Rollback};

/// Which version a name leads to; moving `production` is promotion.
pub trait Aliases: Send + Sync {
    /// Moves an alias, or creates it, together with an audit entry and an event. Of callers that race from the same
    /// generation exactly one wins. `production` moves only where the hardware's gate, if there is one, lets the version
    /// pass, or by force.
    ///
    /// # Errors
    /// `Invalid`; `NotFound` for the hardware target or the version; `StaleGeneration`; `GateRefused`; `Conflict` where the
    /// idempotency key was used for another move.
    fn move_alias(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Alias>;

    /// What [`Aliases::move_alias`] would do now. A gate that refuses is no error here.
    ///
    /// # Errors
    /// Those of `move_alias`, without `GateRefused`.
    fn forecast_move(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Forecast>;

    /// Moves an alias back to the version it pointed at before; doing it again goes back further. No gate is asked: what
    /// is gone back to has been in use.
    ///
    /// # Errors
    /// `Invalid`; `NotFound` for the alias; `StaleGeneration`; `NoPrevious`; `Conflict` as for `move_alias`.
    fn roll_back(&self, hardware: &HardwareName, request: &Rollback) -> Result<Alias>;

    /// An alias.
    ///
    /// # Errors
    /// `NotFound`.
    fn alias(&self, hardware: &HardwareName, name: &AliasName) -> Result<Alias>;

    /// The aliases of a hardware target, by name.
    ///
    /// # Errors
    /// `NotFound` for the hardware target.
    fn aliases(&self, hardware: &HardwareName) -> Result<Vec<Alias>>;
}

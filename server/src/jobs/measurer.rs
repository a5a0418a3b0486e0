//! Who measures for a hardware target: the server on its own machine, or workers.

use lglp_engine::host::Machine;
use lglp_engine::measure::is_at_hand;
use lglp_registry::{Error, HardwareName, Result, Store, Worker};

/// Who measures for a hardware target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measurer {
    /// The server, on its own machine.
    Here,
    /// Workers, also where all of them are away just now.
    Workers,
}

impl Measurer {
    /// What a worker has brought along, workers measure, unless the owner of the server's machine says otherwise. Where workers
    /// have registered for another target they measure, too. Once all have signed off, the server does again, on a target
    /// that is its own machine; one that no worker ever came for it tries, and says what is wrong.
    pub(crate) fn of(store: &dyn Store, machine: &Machine, hardware: &HardwareName) -> Result<Self> {
        let target = match store.hardware(hardware) {
            // A measuring job creates it.
            Err(Error::NotFound { .. }) => return Ok(Self::Here),
            target => target?,
        };
        if target.by_workers && !machine.measures(hardware) {
            return Ok(Self::Workers);
        }
        let workers = store.workers()?;
        // One on another machine than the target's is nobody's measurer.
        let is_own = |worker: &&Worker| worker.hardware == *hardware && worker.difference.is_none();
        let mut own = workers.iter().filter(is_own).peekable();
        if own.peek().is_none() {
            return Ok(Self::Here);
        }
        if own.any(|worker| !worker.signed_off) {
            return Ok(Self::Workers);
        }
        Ok(if is_at_hand(&target) { Self::Here } else { Self::Workers })
    }
}

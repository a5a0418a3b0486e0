//! Units of work.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use lglp_engine::host::GivenUp;

/// Some milliseconds of work, and how whoever waits for it hears of it.
pub trait Unit: Any + Send + Sync {
    /// Does the work, and tells what came out.
    fn run(&self);

    /// Tells that nothing comes out. May be called while [`Self::run`] hangs.
    fn fail(&self, lost: Lost);

    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool {
        true
    }

    /// Asked before it runs: whether it does the work of another unit of its account, too, which waits behind it and is taken out of
    /// the queue then.
    fn take_on(&self, _other: &Arc<dyn Unit>) -> bool {
        false
    }
}

/// Why nothing comes out of a unit.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    /// A plugin did not come back in time.
    #[error(
        "{} of the plugin `{}` has not come back after {} s; {} is in quarantine",
        .call.component, .call.plugin, .deadline.as_secs_f64(), .call.quarantined
    )]
    Overdue { call: GivenUp, deadline: Duration },
    /// The server ends.
    #[error("the server is stopping; ask again when it is back")]
    Stopping,
    /// Whoever asked has gone.
    #[error("nobody waits for it any more")]
    Unwanted,
    #[error("the work on this request was cut off; the log tells why")]
    Panicked,
}

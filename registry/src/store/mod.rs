//! What a registry can be asked: a trait for each kind of thing that it keeps, and two sums of them.
//!
//! [`Registry`] is what a command may ask, of a registry in a folder or of a server elsewhere alike. [`Store`] is that and what only the
//! process does that holds the registry: work on jobs and deal with workers, store reports, count, watch, deliver, admit.

mod aliases;
mod audit;
mod blobs;
mod datasets;
mod exclusions;
mod gates;
mod hardware;
mod jobs;
mod leasing;
mod maintenance;
mod measurements;
mod tokens;
mod traffic;
mod usage;
mod validations;
mod versions;
mod watching;
mod webhooks;
mod workers;

use std::ops::ControlFlow;

pub use aliases::Aliases;
pub use audit::Audit;
pub use blobs::Blobs;
pub use datasets::Datasets;
pub use exclusions::Exclusions;
pub use gates::Gates;
pub use hardware::HardwareTargets;
pub use jobs::Jobs;
pub use leasing::Leasing;
pub use maintenance::Maintenance;
pub use measurements::Measurements;
pub use tokens::{Issuing, Tokens};
pub use traffic::Routing;
pub use usage::{Counting, Usage};
pub use validations::{Reporting, Validations};
pub use versions::Versions;
pub use watching::{Watcher, Watching};
pub use webhooks::{Delivering, Webhooks};
pub use workers::Workers;

/// Who is shown records one at a time, and says when it has seen enough.
pub type Visitor<'a, T> = &'a mut dyn FnMut(T) -> ControlFlow<()>;

/// Shows records until the visitor has seen enough; an implementation that holds them all at once need not do better.
fn show<T>(records: impl IntoIterator<Item = T>, visitor: Visitor<'_, T>) -> ControlFlow<()> {
    records.into_iter().try_for_each(visitor)
}

/// What idempotency keys begin with that a program gives itself: their answers are kept for good. All others are kept for
/// seven days.
pub const LASTING_KEY: &str = "lglp:";

/// A trait that is several others, and that whatever has all of them has.
macro_rules! sum {
    ($(#[$doc:meta])* $sum:ident = $($part:ident),+ $(,)?) => {
        $(#[$doc])*
        pub trait $sum: $($part +)+ {}

        impl<T: $($part +)+> $sum for T {}
    };
}

sum! {
    /// What may be asked of a registry, whether it lies in a folder here or behind a server.
    ///
    /// Every operation may be called from any thread and blocks until it is done. An operation that writes returns `Ok`
    /// only once the write is durable; a reader may see it a moment earlier. The crate's documentation lists what else an
    /// implementation promises. Any operation may fail with [`Error::Io`](crate::Error::Io),
    /// [`Error::Storage`](crate::Error::Storage) or [`Error::CorruptRecord`](crate::Error::CorruptRecord), and any that
    /// writes with [`Error::WritesStopped`](crate::Error::WritesStopped), [`Error::DiskFull`](crate::Error::DiskFull) or
    /// [`Error::Busy`](crate::Error::Busy); the other errors are named at each.
    Registry = HardwareTargets, Measurements, Exclusions, Datasets, Blobs, Versions, Aliases, Gates, Validations, Jobs, Routing, Usage, Audit, Webhooks, Tokens, Maintenance,
}

sum! {
    /// What the process asks of a registry that holds it, under the promises of [`Registry`].
    Store = Registry, Leasing, Workers, Reporting, Counting, Watching, Delivering, Issuing,
}

/// Every trait of this crate, for those who have a registry and not a `dyn` of one.
pub mod prelude {
    pub use super::{
        Aliases, Audit, Blobs, Counting, Datasets, Delivering, Exclusions, Gates, HardwareTargets, Issuing, Jobs,
        Leasing, Maintenance, Measurements, Registry, Reporting, Routing, Store, Tokens, Usage, Validations, Versions,
        Watching, Webhooks, Workers,
    };
}

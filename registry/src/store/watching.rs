//! Watchers.

use std::sync::Arc;

use crate::{Change, Result};

/// Who is told of changes.
pub type Watcher = Arc<dyn Fn(&Change) + Send + Sync>;

/// Being told of changes in this process.
pub trait Watching: Send + Sync {
    /// From now on calls `watcher` with every change that this value makes and logs, once it can be read and before the
    /// call that made it returns, on the thread of that call. Watchers of changes that are made at once are called in
    /// any order: they read the record rather than believe the change. A watcher must not write.
    ///
    /// # Errors
    /// The common ones.
    fn watch(&self, watcher: Watcher) -> Result<()>;
}

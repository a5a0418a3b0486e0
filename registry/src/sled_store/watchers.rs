//! Who is told of changes in this process.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use crate::{Change, Result, SledStore, Watcher, Watching};

/// The watchers of a store.
#[derive(Default)]
pub(super) struct Watchers(RwLock<Vec<Watcher>>);

impl Watchers {
    pub(super) fn add(&self, watcher: Watcher) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(watcher);
    }

    pub(super) fn tell(&self, change: &Change) {
        for watcher in &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            watcher(change);
        }
    }
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let watchers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        write!(f, "{} watchers", watchers.len())
    }
}

impl Watching for SledStore {
    fn watch(&self, watcher: Watcher) -> Result<()> {
        self.watchers.add(watcher);
        Ok(())
    }
}

//! What was worked out once and is asked for again: operators and layers that training lacked come again in network after network.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::fast::RandomState;

/// How many are kept; what comes later is worked out each time. A basis of 400 columns makes them 16 MiB.
const KEPT: usize = 4096;

/// Values that follow from their keys.
#[derive(Debug)]
pub(crate) struct Memo<K, V>(RwLock<HashMap<K, Arc<V>, RandomState>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Eq + Hash, V> Memo<K, V> {
    /// The value of a key, which `work` gives.
    pub(crate) fn get(&self, key: K, work: impl FnOnce() -> V) -> Arc<V> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.clone();
        }
        let value = Arc::new(work());
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < KEPT {
            known.insert(key, value.clone());
        }
        value
    }
}

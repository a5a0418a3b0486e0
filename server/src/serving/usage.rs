//! How many predictions were served: counted in memory on the request path, added up in the registry now and then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lglp_registry::{Counting, Error, HardwareName};

/// Time between two additions to the registry: what a kill can lose of the count.
pub(crate) const FLUSH_INTERVAL: Duration = Duration::from_secs(10);

/// Predictions served since the last flush.
pub struct Usage {
    store: Arc<dyn Counting>,
    pending: Mutex<BTreeMap<HardwareName, u64>>,
}

impl Usage {
    /// Counts for a registry; nothing was served yet.
    pub fn new(store: Arc<dyn Counting>) -> Self {
        Self {
            store,
            pending: Mutex::default(),
        }
    }

    /// Counts predictions that were served. The registry has them after the next flush.
    pub fn add(&self, hardware: &HardwareName, predictions: u64) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        *pending.entry(hardware.clone()).or_default() += predictions;
    }

    /// Adds what was served to the registry. Blocks; what cannot be written is kept for the next time.
    pub fn flush(&self) {
        let pending = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        for (hardware, predictions) in pending {
            match self.store.count_predictions(&hardware, predictions) {
                // Of a target that was deleted nothing is counted.
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => {
                    tracing::warn!(%hardware, predictions, "cannot count served predictions: {error}");
                    self.add(&hardware, predictions);
                }
            }
        }
    }
}

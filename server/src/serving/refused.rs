//! Versions that could not be used, remembered a while: whoever asks for one again and again does not have it read again and
//! again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lglp_engine::predictor::ModelError;
use lglp_registry::HardwareName;

use super::table::Key;

/// How long a version that was refused is not tried again.
pub(crate) const REFUSED_FOR: Duration = Duration::from_secs(30);

/// What was refused lately, and why.
#[derive(Default)]
pub(super) struct Refused(Mutex<HashMap<Key, (Instant, ModelError)>>);

impl Refused {
    /// Why a version was refused lately.
    pub(super) fn lately(&self, key: &Key) -> Option<ModelError> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, error) = refused.get(key)?;
        (at.elapsed() < REFUSED_FOR).then(|| error.clone())
    }

    /// Forgets all versions of a hardware target.
    pub(super) fn forget(&self, hardware: &HardwareName) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.retain(|(target, _), _| target != hardware);
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Remembers why, where it is the version that is at fault.
    pub(super) fn note(&self, key: &Key, error: &ModelError) {
        if !error.is_the_versions() {
            return;
        }
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.retain(|_, (at, _)| at.elapsed() < REFUSED_FOR);
        refused.insert(key.clone(), (Instant::now(), error.clone()));
    }
}

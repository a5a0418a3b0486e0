//! On whose behalf plugins are called: one [`Tenant`] for each version, whether it is loaded, being loaded, or hung before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lglp_engine::host::Tenant;

use super::table::Key;

/// The tenants of versions that are in use.
#[derive(Default)]
pub(super) struct Tenants(Mutex<BTreeMap<Key, Arc<Tenant>>>);

impl Tenants {
    /// The tenant of a version: the same one as long as anybody holds it, a call that hangs included.
    pub(super) fn of(&self, key: &Key) -> Arc<Tenant> {
        let mut tenants = self.lock();
        tenants.retain(|other, tenant| other == key || Arc::strong_count(tenant) > 1);
        let (hardware, version) = key;
        let new = || Tenant::new(format!("version {version} of `{hardware}`"));
        tenants.entry(key.clone()).or_insert_with(new).clone()
    }

    /// Those in quarantine by name, and why.
    pub(super) fn quarantined(&self) -> BTreeMap<String, String> {
        let tenants = self.lock();
        let of = |tenant: &Arc<Tenant>| Some((tenant.name().to_owned(), tenant.quarantine()?));
        tenants.values().filter_map(of).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Arc<Tenant>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

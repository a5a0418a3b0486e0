//! How many connections there may be: in all, and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::api::subscriber::block;

/// How many connections there may be at once, and how long idle ones keep their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From all addresses together.
    pub in_all: usize,
    /// From one address of IPv4, or one /64 network of IPv6.
    pub per_address: usize,
    /// Silence after an answer, until the connection is closed.
    pub keep_alive: Duration,
}

/// Why there is no place for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// Nobody gets one.
    InAll,
    /// The address has all that it may have.
    Address,
}

/// The connections that there are.
pub struct Places {
    limits: Limits,
    /// How many each address has; never 0, so that there are no more entries than connections.
    taken: Mutex<HashMap<IpAddr, usize>>,
    open: Gauge,
    refused: Counter,
}

impl Places {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            taken: Mutex::default(),
            open: Gauge::default(),
            refused: Counter::default(),
        }
    }

    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Adds what is counted here to what `/metrics` tells.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("connections", "Connections that are open", self.open.clone());
        let help = "Connections closed at once, since there were too many, from their address or in all";
        registry.register("connections_refused", help, self.refused.clone());
    }

    /// A place for a connection from there, given back when it is dropped.
    pub fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let address = block(address);
        // Counts are right after every single step: a panic under the lock leaves nothing half done.
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(&address).copied().unwrap_or_default();
        let open = self.open.get() as usize;
        let full = match (open >= self.limits.in_all, own >= self.limits.per_address) {
            (true, _) => Some(Full::InAll),
            (_, true) => Some(Full::Address),
            _ => None,
        };
        if let Some(full) = full {
            self.refused.inc();
            return Err(full);
        }
        taken.insert(address, own + 1);
        self.open.inc();
        let places = self.clone();
        Ok(Place { places, address })
    }
}

/// One connection's place.
pub struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                taken.remove(&self.address);
            }
        }
        self.places.open.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_share_and_places_come_back() {
        let limits = Limits {
            in_all: 3,
            per_address: 2,
            keep_alive: Duration::ZERO,
        };
        let places = Arc::new(Places::new(limits));
        let take = |address: &str| places.take(address.parse().expect("an address"));
        let held = (take("10.0.0.1").ok(), take("::ffff:10.0.0.1").ok());
        assert!(held.0.is_some() && held.1.is_some());
        assert_eq!(
            take("10.0.0.1").err(),
            Some(Full::Address),
            "mapped addresses are the same"
        );
        let other = take("2001:db8::1");
        assert!(other.is_ok());
        assert_eq!(take("10.0.0.2").err(), Some(Full::InAll));
        drop(other);
        assert!(take("10.0.0.2").is_ok());
        drop(held);
        assert!(take("10.0.0.1").is_ok());
        assert!(places.taken.lock().expect("no panic").is_empty());
        assert_eq!((places.open.get(), places.refused.get()), (0, 2));
    }
}

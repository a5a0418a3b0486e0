//! Lock-out: whoever sends bad tokens too often is not looked at for a while.
//!
//! It does not protect the tokens: 256 random bits cannot be guessed at any rate, so a good token is admitted from a
//! locked-out address too, and nobody can lock others out by sending bad ones from an address that they share, such as
//! a proxy's. It keeps a broken client from filling logs unnoticed, and tells its owner by 429 and a counter.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::api::subscriber::block;

/// Bad tokens that an address may send within [`PERIOD`].
pub(super) const ALLOWED: usize = 10;

/// See [`ALLOWED`].
pub(super) const PERIOD: Duration = Duration::from_secs(60);

/// Addresses remembered at most, some 300 bytes each.
const ADDRESSES: usize = 4096;

/// What follows from a bad token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is one of those allowed.
    Tolerated,
    /// There were too many.
    LockedOut {
        /// Until one more is allowed, if none is sent meanwhile.
        wait: Duration,
        /// Whether this one began the lock-out.
        begins: bool,
    },
}

/// The latest bad tokens by address.
#[derive(Default)]
pub(super) struct LockOut(Mutex<HashMap<IpAddr, Recent>>);

#[derive(Default)]
struct Recent {
    /// When the latest ones came, at most [`ALLOWED`].
    at: VecDeque<Instant>,
    locked_out: bool,
}

impl LockOut {
    /// Counts a bad token.
    pub(super) fn bad_token(&self, address: IpAddr, now: Instant) -> Verdict {
        let address = block(address);
        // Counts are right after every single step: a panic under the lock leaves nothing half done.
        let mut addresses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() >= ADDRESSES && !addresses.contains_key(&address) {
            make_room(&mut addresses, now);
        }
        addresses.entry(address).or_default().bad_token(now)
    }
}

impl Recent {
    fn bad_token(&mut self, now: Instant) -> Verdict {
        while self
            .at
            .front()
            .is_some_and(|first| now.duration_since(*first) >= PERIOD)
        {
            self.at.pop_front();
        }
        if self.at.len() < ALLOWED {
            self.at.push_back(now);
            self.locked_out = false;
            return Verdict::Tolerated;
        }
        // It counts as well: who goes on at this rate stays out.
        self.at.pop_front();
        self.at.push_back(now);
        let begins = !std::mem::replace(&mut self.locked_out, true);
        let wait = self
            .at
            .front()
            .map_or(PERIOD, |first| PERIOD - now.duration_since(*first));
        Verdict::LockedOut { wait, begins }
    }
}

/// Forgets addresses that have been quiet for a period, or else the quieter half: many at once, so that one bad token seldom
/// costs more than another.
fn make_room(addresses: &mut HashMap<IpAddr, Recent>, now: Instant) {
    let latest = |recent: &Recent| recent.at.back().copied();
    addresses.retain(|_, recent| latest(recent).is_some_and(|at| now.duration_since(at) < PERIOD));
    if addresses.len() < ADDRESSES {
        return;
    }
    let mut by_age: Vec<_> = addresses
        .iter()
        .map(|(address, recent)| (latest(recent), *address))
        .collect();
    by_age.sort_unstable();
    for (_, address) in &by_age[..ADDRESSES / 2] {
        addresses.remove(address);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    const ADDRESS: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

    #[test]
    fn the_eleventh_bad_token_within_a_minute_is_refused_until_a_minute_has_passed() {
        let lock_out = LockOut::default();
        let start = Instant::now();
        let bad = |second: u64| lock_out.bad_token(ADDRESS, start + Duration::from_secs(second));
        for second in 0..10 {
            assert_eq!(bad(second), Verdict::Tolerated);
        }
        // The second of the eleven came at 1 s: at 61 s it does not count any more.
        let wait = Duration::from_secs(51);
        assert_eq!(bad(10), Verdict::LockedOut { wait, begins: true });
        let wait = Duration::from_secs(51);
        assert_eq!(bad(11), Verdict::LockedOut { wait, begins: false });
        assert_eq!(bad(62), Verdict::Tolerated, "after the wait");
        let wait = Duration::from_secs(2);
        assert_eq!(bad(62), Verdict::LockedOut { wait, begins: true });
    }

    #[test]
    fn whoever_goes_on_stays_out() {
        let lock_out = LockOut::default();
        let start = Instant::now();
        for second in 0..600 {
            let verdict = lock_out.bad_token(ADDRESS, start + Duration::from_secs(second));
            assert_eq!(verdict == Verdict::Tolerated, second < 10, "second {second}");
        }
    }

    #[test]
    fn addresses_are_counted_apart_and_networks_of_ipv6_together() {
        let lock_out = LockOut::default();
        let now = Instant::now();
        let bad = |address: &str| lock_out.bad_token(address.parse().unwrap(), now) == Verdict::Tolerated;
        for host in 1..=10 {
            assert!(bad(&format!("2001:db8::{host}")));
        }
        assert!(!bad("2001:db8::ffff"));
        assert!(bad("2001:db8:0:1::1") && bad("192.0.2.1"));
        for _ in 0..9 {
            assert!(bad("::ffff:192.0.2.1"));
        }
        assert!(!bad("192.0.2.1"), "an IPv4 address may be written as one of IPv6");
    }

    #[test]
    fn memory_is_bounded_and_the_quietest_are_forgotten_first() {
        let lock_out = LockOut::default();
        let start = Instant::now();
        for number in 0..3 * ADDRESSES as u32 {
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(number));
            lock_out.bad_token(address, start + Duration::from_millis(number.into()));
        }
        let addresses = lock_out.0.lock().unwrap();
        assert!((ADDRESSES / 2..=ADDRESSES).contains(&addresses.len()));
        let kept = |number: u32| addresses.contains_key(&IpAddr::V4(std::net::Ipv4Addr::from_bits(number)));
        assert!(kept(3 * ADDRESSES as u32 - 1) && !kept(0));
    }
}

//! Who is at an address, as far as the server tells people apart by it.

use std::net::{IpAddr, Ipv6Addr};

/// What one subscriber has: an address of IPv4, a /64 network of IPv6.
pub(super) fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let network = v6.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        v4 => v4,
    }
}

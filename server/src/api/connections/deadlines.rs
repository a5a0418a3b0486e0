//! How long a connection may be without a request.

use std::time::Duration;

/// Time that a connection has to begin its first request, whatever it sends meanwhile: half of a head, or what HTTP/2 calls pings.
/// It is longer than the limits above, which are told in the protocol's own words.
pub(super) const BEGIN: Duration = Duration::from_secs(30);

/// Time that it has beyond the silence that it is allowed, to begin another one.
pub(super) const BEGIN_ANOTHER: Duration = Duration::from_secs(15);

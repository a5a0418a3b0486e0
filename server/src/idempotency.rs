//! Idempotency keys of the program's own: clients can neither take nor guess their way into them.

/// What every key of the program's own begins with. Requests with such a key are refused.
pub const OWN: &str = lglp_registry::LASTING_KEY;

/// A key of the program's own.
pub fn own_key(what: &str) -> String {
    format!("{OWN}{what}")
}

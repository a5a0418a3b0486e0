//! Tokens that are not admitted.

/// Why a bearer is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    Unknown,
    Revoked,
}

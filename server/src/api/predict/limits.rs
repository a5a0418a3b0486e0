//! How much one request may ask.

/// Architectures of one request at most.
pub(crate) const BATCH_LIMIT: usize = 10_000;

/// Networks of one request at most.
pub(super) const NETWORK_LIMIT: usize = 100;

/// Operators of all networks of one request at most: the largest networks have some thousands.
pub(super) const OPERATOR_LIMIT: usize = 200_000;

/// Bytes of a document at most: what as many of the largest architectures take, written with Python's separators, and more.
pub(super) const PREDICT_LIMIT: usize = 32 << 20;

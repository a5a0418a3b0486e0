//! How much one request may ask.

/// Architectures of one request at most.
pub(crate) const BATCH_LIMIT: usize = 10_000;

/// Bytes of a body at most: what as many of the largest architectures take, written with Python's separators, and more.
pub(crate) const PREDICT_LIMIT: usize = 32 << 20;

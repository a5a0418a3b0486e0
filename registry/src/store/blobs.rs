//! Blobs.

use crate::{Digest, Result};

/// Content of any size, named by its digest.
pub trait Blobs: Send + Sync {
    /// Stores a blob. Storing the same bytes again is a no-op.
    ///
    /// # Errors
    /// The common ones.
    fn put_blob(&self, bytes: &[u8]) -> Result<Digest>;

    /// The content of a blob, verified against its digest.
    ///
    /// # Errors
    /// `NotFound`; `CorruptBlob`.
    fn get_blob(&self, digest: &Digest) -> Result<Vec<u8>>;

    /// The size of a blob, bytes. Where that is known without reading it, its content is not looked at.
    ///
    /// # Errors
    /// `NotFound`.
    fn blob_size(&self, digest: &Digest) -> Result<u64> {
        self.get_blob(digest).map(|content| content.len() as u64)
    }
}

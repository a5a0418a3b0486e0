//! Blobs.

use super::SledStore;
use crate::{Blobs, Digest, Error, Result};

impl Blobs for SledStore {
    fn put_blob(&self, bytes: &[u8]) -> Result<Digest> {
        self.blobs.put(bytes)
    }

    fn get_blob(&self, digest: &Digest) -> Result<Vec<u8>> {
        self.blobs.get(digest)
    }

    fn blob_size(&self, digest: &Digest) -> Result<u64> {
        self.blobs.size(digest).ok_or_else(|| Error::not_found("blob", digest))
    }
}

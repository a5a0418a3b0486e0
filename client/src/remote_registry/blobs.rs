//! Content by its digest.

use lglp_openapi::measurements::BlobStored;
use lglp_registry::{Blobs, Digest, Error, Result};
use ureq::http::Method;

use super::{RemoteRegistry, error};
use crate::ClientError;

impl Blobs for RemoteRegistry {
    fn put_blob(&self, bytes: &[u8]) -> Result<Digest> {
        let failed = |e: ClientError| error("store a blob", "blob")(e);
        let stored: BlobStored = self
            .0
            .send_as(Method::POST, "/v1/blobs", "application/octet-stream", bytes.to_vec())
            .map_err(failed)?;
        stored.digest.parse()
    }

    fn get_blob(&self, digest: &Digest) -> Result<Vec<u8>> {
        let path = format!("/v1/blobs/{digest}");
        let bytes = self
            .0
            .bytes(Method::GET, &path, Vec::new())
            .map_err(error("read a blob", "blob"))?;
        let found = Digest::of(&bytes);
        if found == *digest {
            return Ok(bytes);
        }
        let (file, expected) = (path, digest.clone());
        Err(Error::CorruptBlob { file, expected, found })
    }
}

//! What versions learned from.

use lglp_openapi::measurements::FreezeDataset;
use lglp_registry::{Dataset, Datasets, Digest, Error, HardwareName, NewDataset, Result};
use ureq::http::Method;

use super::{RemoteRegistry, error};

impl Datasets for RemoteRegistry {
    fn freeze_dataset(&self, hardware: &HardwareName, new: &NewDataset, content: &[u8]) -> Result<Dataset> {
        let content = String::from_utf8(content.to_vec()).map_err(|e| Error::invalid("content", e.to_string()))?;
        let body = FreezeDataset {
            space: new.space.clone(),
            rows: new.rows,
            origin: new.origin.clone(),
            creator: new.creator.clone(),
            content,
        };
        let path = format!("/v1/{hardware}/datasets");
        self.0
            .send(Method::POST, &path, &[], &body)
            .map_err(error("freeze the dataset", "hardware target"))
    }

    fn dataset(&self, hardware: &HardwareName, digest: &Digest) -> Result<Dataset> {
        let found = self.datasets(hardware)?.into_iter().find(|d| d.digest == *digest);
        found.ok_or_else(|| Error::not_found("dataset", digest))
    }

    fn datasets(&self, hardware: &HardwareName) -> Result<Vec<Dataset>> {
        let path = format!("/v1/{hardware}/datasets");
        self.0.get(&path).map_err(error("list datasets", "hardware target"))
    }
}

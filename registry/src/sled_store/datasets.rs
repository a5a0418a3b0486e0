//! Datasets.

use serde_json::{Value, json};

use super::{SledStore, keys};
use crate::{Change, Dataset, Datasets, Digest, Error, HardwareName, HardwareTargets, NewDataset, Result, clock};

impl Datasets for SledStore {
    fn freeze_dataset(&self, hardware: &HardwareName, new: &NewDataset, content: &[u8]) -> Result<Dataset> {
        new.check()?;
        let digest = Digest::of(content);
        let key = keys::dataset(hardware, &digest);
        self.write(|changes| {
            changes.require("hardware target", hardware, &keys::hardware(hardware))?;
            if let Some(recorded) = changes.find::<Dataset>(&key)? {
                return match new.difference(&recorded) {
                    Some(field) => Err(Error::conflict(format!("dataset {digest}"), field)),
                    None => Ok(recorded),
                };
            }
            let blob = self.blobs.put(content)?;
            let NewDataset {
                space,
                rows,
                origin,
                creator,
            } = new.clone();
            let hardware = hardware.clone();
            let dataset = Dataset {
                digest,
                hardware,
                space,
                rows,
                origin,
                created_at: clock::now(),
                blob,
            };
            let change = Change::DatasetFrozen {
                hardware: dataset.hardware.clone(),
                dataset: dataset.digest.clone(),
            };
            changes.log(change, &creator, None, (Value::Null, json!(dataset)))?;
            changes.put(key, &dataset)?;
            Ok(dataset)
        })
    }

    fn dataset(&self, hardware: &HardwareName, digest: &Digest) -> Result<Dataset> {
        self.find(&keys::dataset(hardware, digest))?
            .ok_or_else(|| self.missing(hardware, "dataset", digest))
    }

    fn datasets(&self, hardware: &HardwareName) -> Result<Vec<Dataset>> {
        self.hardware(hardware)?;
        self.list(&keys::datasets(hardware))
    }
}

//! Reading: records below a prefix, in the order of their keys, one after the other.

use std::ops::{Bound, ControlFlow};

use super::SledStore;
use super::stored::decode;
use crate::storage::durable::storage;
use crate::storage::packing::Packed;
use crate::{Error, HardwareName, HardwareTargets as _, Result, Visitor};

/// Bytes of the records of one page of a log, before the last of them.
const PAGE_BYTES: usize = 8 << 20;

impl SledStore {
    /// A record, where there is one.
    pub(super) fn find<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let value = self.db.get(key).map_err(storage("read a record"))?;
        value.map(|bytes| decode(key, &Packed::new(bytes))).transpose()
    }

    /// That something of a hardware target is not there; or the target itself, where it is that.
    pub(super) fn missing(&self, hardware: &HardwareName, what: &'static str, id: impl std::fmt::Display) -> Error {
        self.hardware(hardware)
            .err()
            .unwrap_or_else(|| Error::not_found(what, id))
    }

    /// The keys and values below a prefix, in the order of the keys.
    pub(super) fn scan(&self, prefix: &str) -> impl Iterator<Item = Result<(String, Packed)>> + use<> {
        entries(self.db.scan_prefix(prefix))
    }

    /// As [`Self::scan`], those after a key of them.
    pub(super) fn scan_after(
        &self,
        prefix: &str,
        after: Option<String>,
    ) -> impl Iterator<Item = Result<(String, Packed)>> + use<> {
        let first = after.map_or(Bound::Included(prefix.to_owned()), Bound::Excluded);
        let prefix = prefix.to_owned();
        entries(self.db.range::<String, _>((first, Bound::Unbounded)))
            .take_while(move |entry| entry.as_ref().map_or(true, |(key, _)| key.starts_with(&prefix)))
    }

    /// The records below a prefix, in the order of their keys.
    pub(super) fn list<T: serde::de::DeserializeOwned>(&self, prefix: &str) -> Result<Vec<T>> {
        self.scan(prefix)
            .map(|entry| entry.and_then(|(key, bytes)| decode(&key, &bytes)))
            .collect()
    }
}

/// The first of some records that are no larger together than a page; at least one.
pub(super) fn page(
    records: impl Iterator<Item = Result<(String, Packed)>>,
) -> impl Iterator<Item = Result<(String, Packed)>> {
    let mut bytes = 0;
    records.take_while(move |record| {
        let fits = bytes < PAGE_BYTES;
        bytes += record.as_ref().map_or(0, |(_, record)| record.json_bytes());
        fits
    })
}

/// Shows records, each decoded when its turn has come.
pub(super) fn visit<T>(
    found: impl Iterator<Item = Result<(String, Packed)>>,
    decode: impl Fn(String, Packed) -> Result<T>,
    visitor: Visitor<'_, T>,
) -> Result<ControlFlow<()>> {
    for entry in found {
        let (key, bytes) = entry?;
        if visitor(decode(key, bytes)?).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Entries of the database, with keys as text.
pub(super) fn entries(
    iter: impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
) -> impl Iterator<Item = Result<(String, Packed)>> {
    iter.map(|entry| {
        let (key, bytes) = entry.map_err(storage("list records"))?;
        let key = String::from_utf8(key.to_vec()).map_err(|error| Error::CorruptRecord {
            key: String::from_utf8_lossy(error.as_bytes()).into_owned(),
            reason: "its key is not UTF-8".to_owned(),
        })?;
        Ok((key, Packed::new(bytes)))
    })
}

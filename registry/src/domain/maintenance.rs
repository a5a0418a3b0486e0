//! What looking after a registry brings to light.

use serde::{Deserialize, Serialize};

use crate::{AuditHead, Digest, HardwareName};

/// Which entries of the audit log to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditQuery {
    /// From which end.
    pub from: AuditFrom,
    /// Entries at most.
    pub limit: usize,
    /// Only those about this hardware target.
    pub hardware: Option<HardwareName>,
}

/// From which end to read the audit log. Either way, entries come oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFrom {
    /// The first entries from this sequence number on.
    Sequence(u64),
    /// The last entries before this sequence number; `u64::MAX` is the end of the log.
    Before(u64),
}

/// What collecting blobs removed, or would remove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// How many blobs no record names, and nobody put lately.
    pub count: u64,
    /// Their size, in bytes.
    pub bytes: u64,
}

/// What a check of the whole registry found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// How many records were read.
    pub records: u64,
    /// How many blobs were read and hashed.
    pub blobs: u64,
    /// Their size, in bytes.
    pub bytes: u64,
    /// The end of the audit log, where its chain holds.
    pub audit: Option<AuditHead>,
    /// Everything that is not as it should be.
    pub findings: Vec<Finding>,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The record, blob or audit entry.
    pub subject: String,
    /// What is wrong with it.
    pub fault: String,
}

/// The first file in a backup: what else is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// `lglp-registry-backup`.
    pub format: String,
    /// The format's version.
    pub version: u32,
    /// When the records were read, all of one moment; RFC 3339, UTC.
    pub created_at: String,
    /// The end of the audit log then.
    pub audit: AuditHead,
    /// The file of the records.
    pub records: RecordsPart,
    /// The blobs, by digest, which is the SHA-256 of each.
    pub blobs: Vec<BlobPart>,
}

/// The records in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordsPart {
    /// How many there are, one a line.
    pub count: u64,
    /// The file's size, in bytes.
    pub bytes: u64,
    /// The file's SHA-256.
    pub sha256: Digest,
}

/// A blob in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobPart {
    /// Its digest.
    pub digest: Digest,
    /// Its size, in bytes.
    pub bytes: u64,
}

impl Manifest {
    /// The size of everything that the manifest names, in bytes.
    pub fn bytes(&self) -> u64 {
        self.records.bytes + self.blobs.iter().map(|blob| blob.bytes).sum::<u64>()
    }
}

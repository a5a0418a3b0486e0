//! What looking after a registry brings to light.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::error::quoted;
use crate::{AuditEntry, AuditHead, Change, Digest, Error, HardwareName, Result, clock};

/// Which entries of the audit log to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditQuery {
    /// From which end.
    pub from: AuditFrom,
    /// Entries at most.
    pub limit: usize,
    /// Which of those there.
    pub filter: AuditFilter,
}

/// Which entries of the audit log are wanted: those of which all holds that is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only those about this hardware target.
    pub hardware: Option<HardwareName>,
    /// Only those of this kind of [`Change`], as in JSON: `alias_moved`.
    pub kind: Option<String>,
    /// Only what this person or program did.
    pub actor: Option<String>,
    /// Only those written at this time or later; RFC 3339.
    pub since: Option<String>,
    /// Only those written before this time; RFC 3339.
    pub until: Option<String>,
}

/// A filter whose values were read, so that entries can be asked one after the other.
pub(crate) struct Wanted<'a> {
    filter: &'a AuditFilter,
    since: Option<OffsetDateTime>,
    until: Option<OffsetDateTime>,
}

impl AuditFilter {
    /// Reads the values.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field: a kind of change that there is not, or no time.
    pub(crate) fn read(&self) -> Result<Wanted<'_>> {
        if let Some(kind) = self
            .kind
            .as_ref()
            .filter(|kind| !Change::kinds().contains(&kind.as_str()))
        {
            let known = Change::kinds().join(", ");
            return Err(Error::invalid(
                "kind",
                format!("expected one of {known}; got {}", quoted(kind)),
            ));
        }
        let time = |field, text: &Option<String>| text.as_deref().map(|text| clock::read(field, text)).transpose();
        Ok(Wanted {
            filter: self,
            since: time("since", &self.since)?,
            until: time("until", &self.until)?,
        })
    }
}

impl Wanted<'_> {
    /// Whether it asks anything.
    pub(crate) fn asks(&self) -> bool {
        *self.filter != AuditFilter::default()
    }

    pub(crate) fn takes(&self, entry: &AuditEntry) -> bool {
        let AuditFilter {
            hardware, kind, actor, ..
        } = self.filter;
        let at = || clock::read("at", &entry.at).ok();
        hardware.as_ref().is_none_or(|name| entry.change.is_about(name))
            && actor.as_ref().is_none_or(|actor| *actor == entry.actor)
            && kind.as_ref().is_none_or(|kind| entry.change.kind() == *kind)
            && self.since.is_none_or(|since| at().is_some_and(|at| at >= since))
            && self.until.is_none_or(|until| at().is_some_and(|at| at < until))
    }
}

/// From which end to read the audit log. Either way, entries come oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFrom {
    /// The first entries from this sequence number on.
    Sequence(u64),
    /// The last entries before this sequence number; `u64::MAX` is the end of the log.
    Before(u64),
}

/// What was removed, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Collected {
    /// Blobs that nothing names.
    pub count: u64,
    /// Their size, in bytes.
    pub bytes: u64,
}

/// What a check of the whole registry found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Verification {
    /// Records read back.
    pub records: u64,
    /// Blobs hashed.
    pub blobs: u64,
    /// Their size, in bytes.
    pub bytes: u64,
    /// The end of the audit log, where its chain holds.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub audit: Option<AuditHead>,
    /// Everything that is not as it should be; empty for a sound registry.
    pub findings: Vec<Finding>,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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

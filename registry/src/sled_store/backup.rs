//! Backing up a registry that is in use.
//!
//! The records are copied to a file while the writers wait; then the writers go on, and the archive is written from the
//! copy and the blobs. Blobs do not change, and those that a record names are never removed, so that all is of one moment.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{BufWriter, Seek as _, Write};

use super::{SledStore, keys};
use crate::storage::archive;
use crate::storage::files::failed;
use crate::storage::hashing::Hashing;
use crate::{AuditHead, BlobPart, Digest, Error, Manifest, RecordsPart, Result, clock};

impl SledStore {
    pub(super) fn write_backup(&self, out: &mut dyn Write) -> Result<()> {
        let (manifest, records) = self.snapshot()?;
        archive::write(out, &manifest, records, |digest| {
            let path = self.blobs.path(digest);
            File::open(&path).map_err(failed("open", &path))
        })
    }

    /// The records of one moment in a file without a name, and what belongs to them.
    fn snapshot(&self) -> Result<(Manifest, File)> {
        let path = self.blobs.temporary();
        let file = File::options().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(failed("create", &path))?;
        // It is gone with the last descriptor, however this process ends.
        fs::remove_file(&path).map_err(failed("remove", &path))?;
        let mut copy = Hashing::new(BufWriter::new(file));
        let mut count = 0;
        let mut named = BTreeSet::new();
        let (created_at, audit, stored) = {
            let _turn = self.settled_turn()?;
            self.require_whole()?;
            let stored: HashSet<Digest> = self.blobs.list()?.into_iter().filter_map(|blob| blob.digest).collect();
            for record in self.scan("") {
                let (key, record) = record?;
                let value = record.json(&key)?;
                count += 1;
                copy.write_all(&archive::line(&key, &value)?)
                    .map_err(failed("write", &path))?;
                named.extend(Digest::all_in(&value).filter(|digest| stored.contains(digest)));
            }
            let audit = self.find(keys::AUDIT_HEAD)?.unwrap_or_else(AuditHead::empty);
            (clock::now(), audit, stored)
        };
        let (copy, bytes, sha256) = copy.finish();
        let mut file = copy
            .into_inner()
            .map_err(|error| failed("write", &path)(error.into_error()))?;
        file.rewind().map_err(failed("read", &path))?;
        let named = self.follow_names(named, &stored)?;
        let blob = |digest: Digest| match self.blobs.size(&digest) {
            Some(bytes) => Ok(BlobPart { digest, bytes }),
            None => Err(Error::not_found("blob", digest)),
        };
        let manifest = Manifest {
            format: archive::FORMAT.to_owned(),
            version: archive::VERSION,
            created_at,
            audit,
            records: RecordsPart { count, bytes, sha256 },
            blobs: named.into_iter().map(blob).collect::<Result<_>>()?,
        };
        Ok((manifest, file))
    }
}

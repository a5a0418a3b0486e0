//! Tar archives of plain files that have one sequence of bytes: what is read is compared with what would be written.
//!
//! `tar::Archive` reads more than is wanted here: it follows extension headers, takes any padding, and stops at the first block
//! of zeros, whatever comes behind it.

use std::io::{self, Read, Write};

use tar::Header;

use super::backup_error::{bad, failed, unreadable};
use super::hashing::Hashing;
use crate::{Digest, Result};

/// Size of a header, and what contents are padded to, in bytes.
const BLOCK: usize = 512;

/// The header of an entry: a file of its owner's alone, without a time.
fn header(path: &str, bytes: u64) -> io::Result<Header> {
    let mut header = Header::new_gnu();
    header.set_path(path)?;
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_cksum();
    Ok(header)
}

/// Bytes of zeros after a content.
fn padding(bytes: u64) -> usize {
    (BLOCK - (bytes % BLOCK as u64) as usize) % BLOCK
}

/// Writes entries, one after another.
pub(crate) struct Writer<'a> {
    out: &'a mut dyn Write,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self { out }
    }

    /// Writes an entry of this size; the digest of its content.
    pub(crate) fn append(&mut self, path: &str, bytes: u64, content: impl Read) -> Result<Digest> {
        let head = header(path, bytes).map_err(failed)?;
        self.out.write_all(head.as_bytes()).map_err(failed)?;
        let mut content = Hashing::new(content.take(bytes));
        io::copy(&mut content, self.out).map_err(failed)?;
        let (_, found, digest) = content.finish();
        if found != bytes {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }
        self.out.write_all(&[0; BLOCK][..padding(bytes)]).map_err(failed)?;
        Ok(digest)
    }

    /// Ends the archive.
    pub(crate) fn finish(self) -> Result<()> {
        self.out.write_all(&[0; 2 * BLOCK]).map_err(failed)?;
        self.out.flush().map_err(failed)
    }
}

/// Reads entries that are known by name, one after another.
pub(crate) struct Reader<'a> {
    archive: &'a mut dyn Read,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(archive: &'a mut dyn Read) -> Self {
        Self { archive }
    }

    /// Reads an entry, which must have this name, by `read`, which must read all of it. What `read` gives, and the size and
    /// digest of the content.
    pub(crate) fn entry<T>(
        &mut self,
        path: &str,
        read: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<(T, u64, Digest)> {
        let mut head = [0; BLOCK];
        self.archive.read_exact(&mut head).map_err(unreadable)?;
        let found = Header::from_byte_slice(&head);
        let size = found.entry_size().map_err(unreadable)?;
        let expected = header(path, size).map_err(unreadable)?;
        if expected.as_bytes()[..] != head {
            let name = String::from_utf8_lossy(&found.path_bytes()).into_owned();
            let name: String = name.chars().take(100).collect();
            return Err(bad(format!("the header of {path} is {name:?}'s, or damaged")));
        }
        let mut content = Hashing::new(Read::take(&mut *self.archive, size));
        let result = read(&mut content)?;
        let (_, bytes, digest) = content.finish();
        if bytes != size {
            return Err(bad(format!("{path} has {bytes} bytes, and its header says {size}")));
        }
        let mut behind = vec![0; padding(size)];
        self.archive.read_exact(&mut behind).map_err(unreadable)?;
        if behind.iter().any(|byte| *byte != 0) {
            return Err(bad(format!("there is something behind {path}")));
        }
        Ok((result, bytes, digest))
    }

    /// Reads the end of the archive.
    pub(crate) fn finish(self) -> Result<()> {
        let mut end = [0; 2 * BLOCK];
        self.archive.read_exact(&mut end).map_err(unreadable)?;
        let behind = self.archive.read(&mut [0]).map_err(unreadable)?;
        if behind != 0 || end.iter().any(|byte| *byte != 0) {
            return Err(bad("it holds more than its manifest names".to_owned()));
        }
        Ok(())
    }
}

//! Space that the database holds ahead of what it writes, so that it never meets a full disk.
//!
//! sled cannot go on after a write that failed, and one of its threads that failed to write wakes nobody who waits for
//! it. So the blocks that a commit may need belong to the database file before the commit begins: they are allocated
//! behind its end, which leaves its size as it is (`fallocate` with `FALLOC_FL_KEEP_SIZE`). Where they cannot be, the commit
//! is refused while nothing has happened yet.
//!
//! What is held is also what an opener lives on where the disk is full: it gives it up first, and can then write down who
//! it is and where the database's log ends. Reads and predictions go on; writes wait for space.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{FallocateFlags, StatVfs, fallocate, fstatvfs, statvfs};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

/// Bytes held beyond what a commit brings along: sled writes whole segments of 512 KiB, moves pages out of those that it
/// empties, and writes its snapshot anew.
pub(crate) const HELD: u64 = 8 << 20;

/// Bytes that a commit makes sled write at most, for each byte of its records: the page that a record lies on is written
/// again, too.
const PER_BYTE: u64 = 4;

/// Bytes of a block, as `stat` counts them.
const BLOCK: u64 = 512;

/// Holds what a commit of so many bytes of records may need.
///
/// # Errors
/// `StorageFull`, `QuotaExceeded` or `FileTooLarge` where there is not so much; the system's others.
pub(crate) fn hold(database: &File, bytes: u64) -> io::Result<()> {
    let metadata = database.metadata()?;
    let end = metadata.len() + HELD + PER_BYTE * bytes;
    if getrlimit(Resource::Fsize).current.is_some_and(|limit| end > limit) {
        return Err(Errno::FBIG.into());
    }
    let held = metadata.blocks() * BLOCK;
    if held < end {
        match fallocate(database, FallocateFlags::KEEP_SIZE, 0, end) {
            Ok(()) => {}
            // Such a file system holds nothing ahead.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => return left(database, end.saturating_sub(held)),
            Err(error) => return Err(error.into()),
        }
    }
    // Records that are larger than a segment go to files of their own.
    left(database, bytes)
}

/// Fails with `StorageFull` where the file system of a file has less space.
fn left(file: &File, bytes: u64) -> io::Result<()> {
    enough(&fstatvfs(file)?, bytes)
}

/// Gives up what is held behind the end of a database that nobody has open.
///
/// # Errors
/// The system's.
pub(crate) fn give_up(path: &Path) -> io::Result<()> {
    match File::options().write(true).open(path) {
        // Cutting a file to the size that it has frees what lies behind.
        Ok(file) => file.set_len(file.metadata()?.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Fails with `StorageFull` where the file system of a folder has less space.
///
/// # Errors
/// The system's others.
pub(crate) fn require(folder: &Path, bytes: u64) -> io::Result<()> {
    enough(&statvfs(folder)?, bytes)
}

/// Bytes that are free for this user on the file system of a folder.
///
/// # Errors
/// The system's.
pub(crate) fn free(folder: &Path) -> io::Result<u64> {
    Ok(bytes_of(&statvfs(folder)?))
}

fn enough(told: &StatVfs, bytes: u64) -> io::Result<()> {
    if bytes_of(told) < bytes {
        return Err(Errno::NOSPC.into());
    }
    Ok(())
}

fn bytes_of(told: &StatVfs) -> u64 {
    told.f_bavail.saturating_mul(told.f_frsize)
}

/// Whether an error says that there is no space, for whatever reason.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull)
}

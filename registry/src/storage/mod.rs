//! What lies beneath the records: blobs in files, syncs and their order, packing, and backups in one file.

pub(crate) mod archive;
mod backup_error;
pub(crate) mod blobs;
mod committer;
pub(crate) mod disk;
pub(crate) mod durable;
pub(crate) mod files;
pub(crate) mod hashing;
pub(crate) mod packing;
pub(crate) mod space;
mod tarball;

pub use archive::check_backup;
pub use disk::{Disk, RealDisk};
pub use packing::unpack;

//! Bundles: one version in one file, to be carried from one registry to another.
//!
//! # Layout
//! A bundle is a tar archive in the ustar format, which any `tar` lists and `sha256sum -c SHA256SUMS` checks:
//!
//! | entry | holds |
//! | --- | --- |
//! | `manifest.json` | [`Manifest`]: format, hardware target, version with its whole content, dataset, blobs by role; one line of canonical JSON |
//! | `blobs/<hex>` | each blob that the manifest names, once, in the order of their first role; the name is its SHA-256 |
//! | `SHA256SUMS` | SHA-256 and name of every entry before it, as `sha256sum` writes them |
//!
//! then the two blocks of zeros that end a tar archive, and nothing more. Every header has mode 0644, owner 0 and time 0.
//!
//! So there is one sequence of bytes for a version, hardware target and dataset: exporting twice gives the same file, whose
//! SHA-256 names it. Reading accepts these bytes alone. Headers are compared with what the writer makes of their name and size,
//! padding must be zeros, names are those that the manifest demands: a link, a path that leaves the archive, an entry too many or
//! twice, a size beyond the file, or a flipped bit anywhere is an error before anything is taken over. Names from a bundle
//! never reach the file system.
//!
//! The checksums tell damage, not who wrote the file: whoever can write one can write its sums. For that, compare the SHA-256
//! of the whole file with one that came another way (`lglp models import --sha256`).

mod archive;
mod error;
mod export;
mod import;
mod manifest;

pub use error::BundleError;
pub use export::{Exported, export, export_to};
pub use import::{Imported, Importer, Terms};
pub use manifest::{Bundle, Manifest, NamedBlob};

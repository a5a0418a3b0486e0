//! What a bundle says it holds, and reading all of it.

use std::collections::BTreeMap;

use lglp_registry::{Dataset, Digest, HardwareTarget, NewHardware, NewVersion, Version, canonical_json, check_time};
use serde::{Deserialize, Serialize};

use super::BundleError;
use super::archive::{Entry, pack, unpack};

const FORMAT: &str = "lglp-bundle";
const FORMAT_VERSION: u32 = 1;
const MANIFEST: &str = "manifest.json";

/// The first entry of a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `lglp-bundle`.
    pub format: String,
    /// 1. A reader refuses what is above the one it knows.
    pub format_version: u32,
    /// The program that exported it, with its version.
    pub exporter: String,
    /// The hardware target that the version belongs to.
    pub hardware: HardwareTarget,
    /// The version with its content, and in it the plugins that it was fitted with.
    pub version: Version,
    /// The dataset that it was fitted on.
    pub dataset: Dataset,
    /// Every blob that comes with it.
    pub blobs: Vec<NamedBlob>,
}

/// A blob of a bundle. Several roles may share one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedBlob {
    /// `artifacts.regressor`, ..., `training_log`, `dataset`.
    pub role: String,
    /// Digest of its content; names its entry in the bundle.
    pub sha256: Digest,
    /// Size of its content, bytes.
    pub bytes: u64,
}

/// What is read before anything else, whatever the format.
#[derive(Deserialize)]
struct Format {
    format: String,
    format_version: u32,
}

/// A bundle that is whole and fits together.
pub struct Bundle<'a> {
    /// The SHA-256 of the whole file.
    pub digest: Digest,
    /// What it holds, checked against the blobs.
    pub manifest: Manifest,
    blobs: BTreeMap<Digest, &'a [u8]>,
}

impl Manifest {
    pub(super) fn new(hardware: HardwareTarget, version: Version, dataset: Dataset, blobs: Vec<NamedBlob>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            exporter: concat!("lglp ", env!("CARGO_PKG_VERSION")).to_owned(),
            hardware,
            version,
            dataset,
            blobs,
        }
    }

    /// Every blob of a version that travels, by role.
    pub(super) fn roles(content: &NewVersion) -> Vec<(String, &Digest)> {
        let dataset = std::iter::once(("dataset".to_owned(), &content.dataset));
        content.blobs().chain(dataset).collect()
    }

    /// The names of a bundle's entries after the manifest, with the blobs' digests.
    fn entries(&self) -> Vec<(String, &Digest)> {
        let mut entries: Vec<(String, &Digest)> = Vec::new();
        for blob in &self.blobs {
            if !entries.iter().any(|(_, digest)| **digest == blob.sha256) {
                entries.push((format!("blobs/{}", blob.sha256.hex()), &blob.sha256));
            }
        }
        entries
    }

    /// The bundle of this manifest and its blobs.
    pub(super) fn bundle(&self, blobs: &BTreeMap<Digest, Vec<u8>>) -> Result<Vec<u8>, BundleError> {
        self.check()?;
        let text = canonical_json(self)?;
        let mut entries = vec![(MANIFEST.to_owned(), text.as_slice())];
        for (name, digest) in self.entries() {
            let blob = blobs.get(digest);
            let blob = blob.ok_or_else(|| BundleError::damaged(format!("it lacks the blob {digest}")))?;
            entries.push((name, blob));
        }
        pack(&entries)
    }

    /// Checks that the parts belong together.
    fn check(&self) -> Result<(), BundleError> {
        let bad = |problem: String| Err(BundleError::damaged(format!("{MANIFEST}: {problem}")));
        let Self {
            hardware,
            version,
            dataset,
            ..
        } = self;
        let content = &version.content;
        // Registries number from 1, and nobody's past has another number.
        let numbers = content.imported.iter().map(|origin| origin.version);
        if numbers.chain([version.version]).any(|number| number == 0) {
            return bad("a version has the number 0; they begin at 1".to_owned());
        }
        let digest = Digest::of(&canonical_json(content)?);
        if digest != version.digest {
            return bad(format!(
                "the version's content has the digest {digest}, not {}",
                version.digest
            ));
        }
        if version.hardware != hardware.name || dataset.hardware != hardware.name {
            return bad(format!("not all of it is of the hardware target `{}`", hardware.name));
        }
        if dataset.digest != content.dataset || dataset.blob != dataset.digest || !dataset.suits(&content.space) {
            return bad("the dataset is not the one that the version was fitted on".to_owned());
        }
        let named = self.blobs.iter().map(|blob| (blob.role.as_str(), &blob.sha256));
        let roles = Self::roles(content);
        if !named.eq(roles.iter().map(|(role, digest)| (role.as_str(), *digest))) {
            return bad("`blobs` are not those of the version and its dataset".to_owned());
        }
        let invalid = |error: lglp_registry::Error| BundleError::damaged(format!("{MANIFEST}: {error}"));
        for created_at in [&hardware.created_at, &version.created_at, &dataset.created_at] {
            check_time("created_at", created_at).map_err(invalid)?;
        }
        content.check().map_err(invalid)?;
        describe(hardware).check().map_err(invalid)
    }
}

/// What creates a hardware target like this one.
pub(super) fn describe(target: &HardwareTarget) -> NewHardware {
    let HardwareTarget {
        name,
        runtime,
        settings,
        fingerprint,
        reference,
        confirmed: _,
        by_workers,
        created_at: _,
        created_by: _,
    } = target.clone();
    NewHardware {
        name,
        runtime,
        settings,
        fingerprint,
        reference,
        by_workers,
    }
}

impl<'a> Bundle<'a> {
    /// Reads a bundle and checks all of it.
    ///
    /// # Errors
    /// [`BundleError::Damaged`] for every file but one that an export makes; [`BundleError::NewerFormat`].
    pub fn read(bytes: &'a [u8]) -> Result<Self, BundleError> {
        let entries = unpack(bytes)?;
        let Some((first, blobs)) = entries.split_first().filter(|(first, _)| first.name == MANIFEST) else {
            return Err(BundleError::damaged(format!("its first entry is not {MANIFEST}")));
        };
        let manifest = manifest(first)?;
        manifest.check()?;
        let expected = manifest.entries();
        if !blobs
            .iter()
            .map(|entry| &entry.name)
            .eq(expected.iter().map(|(name, _)| name))
        {
            return Err(BundleError::damaged(format!(
                "its entries are not those that {MANIFEST} names"
            )));
        }
        if let Some(entry) = blobs.iter().find(|entry| entry.name[6..] != *entry.digest.hex()) {
            return Err(BundleError::damaged(format!(
                "`{}` has not the SHA-256 of its name",
                entry.name
            )));
        }
        let blobs: BTreeMap<Digest, &[u8]> = blobs
            .iter()
            .map(|entry| (entry.digest.clone(), entry.content))
            .collect();
        let size = |digest: &Digest| blobs.get(digest).map(|blob| blob.len() as u64);
        if let Some(blob) = manifest
            .blobs
            .iter()
            .find(|blob| size(&blob.sha256) != Some(blob.bytes))
        {
            return Err(BundleError::damaged(format!(
                "the blob of {} has another size",
                blob.role
            )));
        }
        Ok(Self {
            digest: Digest::of(bytes),
            manifest,
            blobs,
        })
    }

    /// A blob that the manifest names.
    pub(super) fn blob(&self, digest: &Digest) -> Result<&'a [u8], BundleError> {
        let blob = self.blobs.get(digest).copied();
        blob.ok_or_else(|| BundleError::damaged(format!("it lacks the blob {digest}")))
    }

    /// Every blob.
    pub(super) fn blobs(&self) -> impl Iterator<Item = &'a [u8]> {
        self.blobs.values().copied()
    }
}

fn manifest(entry: &Entry<'_>) -> Result<Manifest, BundleError> {
    let unreadable = |error: serde_json::Error| BundleError::damaged(format!("{MANIFEST}: {error}"));
    let Format { format, format_version } = serde_json::from_slice(entry.content).map_err(unreadable)?;
    if format != FORMAT {
        return Err(BundleError::damaged(format!("its format is `{format}`")));
    }
    if format_version > FORMAT_VERSION {
        return Err(BundleError::NewerFormat {
            found: format_version,
            supported: FORMAT_VERSION,
        });
    }
    let manifest: Manifest = serde_json::from_slice(entry.content).map_err(unreadable)?;
    // One content has one sequence of bytes: another order, white space or a field that nobody reads is another file.
    if canonical_json(&manifest)? != entry.content {
        return Err(BundleError::damaged(format!(
            "{MANIFEST} is not written as an export writes it, in canonical JSON"
        )));
    }
    Ok(manifest)
}

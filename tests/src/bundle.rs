//! Bundles taken apart and put together again, as somebody does who wants another one to look whole.

use lglp_registry::{Digest, canonical_json};
use serde_json::{Value, json};

/// Name and content.
pub type Entry = (String, Vec<u8>);

/// The entries of an archive, read by the tar crate, which is not what reads them in lglp.
pub fn entries(bundle: &[u8]) -> Vec<Entry> {
    let mut archive = tar::Archive::new(bundle);
    let entry = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.expect("an entry");
        let name = String::from_utf8(entry.path_bytes().into_owned()).expect("UTF-8");
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).expect("its content");
        (name, content)
    };
    archive.entries().expect("an archive").map(entry).collect()
}

/// An archive as lglp writes it, but of any entries, with checksums that hold.
pub fn pack(parts: &[Entry]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut append = |name: &str, content: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_cksum();
        builder.append(&header, content).expect("an entry");
    };
    let mut sums = String::new();
    for (name, content) in parts {
        append(name, content);
        sums += &format!("{}  {name}\n", Digest::of(content).hex());
    }
    append("SHA256SUMS", sums.as_bytes());
    builder.into_inner().expect("an archive")
}

/// A bundle whose fitted state of a role is another one, with a change to the version's content, and every digest redone.
pub fn with_state(bundle: &[u8], role: &str, state: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut parts = entries(bundle);
    drop(parts.pop());
    let mut manifest: Value = serde_json::from_slice(&parts[0].1).expect("JSON");
    let content = &mut manifest["version"]["content"];
    let before = content["artifacts"][role].as_str().expect("a digest").to_owned();
    let digest = Digest::of(state);
    content["artifacts"][role] = json!(digest);
    change(content);
    let version = Digest::of(&canonical_json(content).expect("JSON"));
    manifest["version"]["digest"] = json!(version);
    for blob in manifest["blobs"].as_array_mut().expect("blobs") {
        if blob["sha256"] == before.as_str() {
            blob["sha256"] = json!(digest);
            blob["bytes"] = json!(state.len());
        }
    }
    let name = format!("blobs/{}", before.trim_start_matches("sha256:"));
    for part in &mut parts {
        if part.0 == name {
            *part = (format!("blobs/{}", digest.hex()), state.to_vec());
        }
    }
    parts[0].1 = canonical_json(&manifest).expect("JSON");
    pack(&parts)
}

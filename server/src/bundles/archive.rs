//! The outer layer of a bundle: named entries in a tar archive, closed by their checksums.
//!
//! `tar::Archive` reads more than is wanted here: it follows extension headers and stops at the first block of zeros, whatever
//! comes behind it. So blocks are walked here, and each header compared with the one that [`pack`] makes.

use lglp_registry::Digest;
use tar::Header;

use super::BundleError;

/// The entry that closes an archive.
const SUMS: &str = "SHA256SUMS";

/// Size of a header, and what contents are padded to, in bytes.
const BLOCK: usize = 512;

/// What ends an archive, in bytes of zeros.
const END: usize = 2 * BLOCK;

/// One entry of an archive whose checksums hold.
pub(super) struct Entry<'a> {
    pub name: String,
    pub content: &'a [u8],
    pub digest: Digest,
}

/// The archive of some entries, in their order. Names are short relative paths.
pub(super) fn pack(entries: &[(String, &[u8])]) -> Result<Vec<u8>, BundleError> {
    let mut archive = Vec::with_capacity(entries.iter().map(|(_, content)| content.len() + END).sum());
    let mut sums = String::new();
    for (name, content) in entries {
        append(&mut archive, name, content)?;
        sums += &sum(&Digest::of(content), name);
    }
    append(&mut archive, SUMS, sums.as_bytes())?;
    archive.resize(archive.len() + END, 0);
    Ok(archive)
}

fn append(archive: &mut Vec<u8>, name: &str, content: &[u8]) -> Result<(), BundleError> {
    archive.extend_from_slice(header(name, content.len() as u64)?.as_bytes());
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    Ok(())
}

/// The header of an entry: a plain file that belongs to nobody and has no time.
fn header(name: &str, size: u64) -> Result<Header, BundleError> {
    let mut header = Header::new_ustar();
    let refused = |error: std::io::Error| BundleError::damaged(format!("{name:?} is no name of an entry: {error}"));
    header.set_path(name).map_err(refused)?;
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}

/// A line of `SHA256SUMS`.
fn sum(digest: &Digest, name: &str) -> String {
    format!("{}  {name}\n", digest.hex())
}

/// The entries of an archive, which must be what [`pack`] makes of them, byte for byte.
pub(super) fn unpack(archive: &[u8]) -> Result<Vec<Entry<'_>>, BundleError> {
    let mut entries = Vec::new();
    let mut rest = archive;
    loop {
        let at = archive.len() - rest.len();
        let cut_off = || BundleError::damaged(format!("it ends at byte {}, in the middle of it", archive.len()));
        let (head, after) = rest.split_at_checked(BLOCK).ok_or_else(cut_off)?;
        if head.iter().all(|byte| *byte == 0) {
            if rest.len() == END && rest.iter().all(|byte| *byte == 0) {
                break;
            }
            return Err(if rest.len() < END {
                cut_off()
            } else {
                BundleError::damaged(format!("something follows its end at byte {at}"))
            });
        }
        let (name, size) = describe(head).ok_or_else(|| foreign(at))?;
        let content = usize::try_from(size).ok().and_then(|size| after.get(..size));
        let content = content.ok_or_else(|| {
            let left = after.len();
            BundleError::damaged(format!("`{name}` should have {size} bytes, and {left} are left"))
        })?;
        let padded = content.len().next_multiple_of(BLOCK);
        let padding = after.get(content.len()..padded).ok_or_else(cut_off)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(BundleError::damaged(format!("there is something behind `{name}`")));
        }
        rest = &after[padded..];
        let digest = Digest::of(content);
        entries.push(Entry { name, content, digest });
    }
    check_sums(&mut entries)?;
    Ok(entries)
}

/// Name and size in a header; `None` for one that [`pack`] would not have made.
fn describe(head: &[u8]) -> Option<(String, u64)> {
    let found = Header::from_byte_slice(head);
    let name = String::from_utf8(found.path_bytes().into_owned()).ok()?;
    let size = found.entry_size().ok()?;
    let same = header(&name, size).is_ok_and(|expected| expected.as_bytes()[..] == *head);
    same.then_some((name, size))
}

fn foreign(at: usize) -> BundleError {
    BundleError::damaged(format!(
        "the header at byte {at} is none of a bundle's: damaged, a link, a path out of the bundle, or of another program"
    ))
}

/// Takes the last entry off, which must hold the checksums of the others.
fn check_sums(entries: &mut Vec<Entry<'_>>) -> Result<(), BundleError> {
    let sums = entries.pop().filter(|last| last.name == SUMS);
    let sums = sums.ok_or_else(|| BundleError::damaged(format!("its last entry is not {SUMS}")))?;
    let mut lines = sums.content.split_inclusive(|byte| *byte == b'\n');
    for entry in &*entries {
        if lines.next() != Some(sum(&entry.digest, &entry.name).as_bytes()) {
            return Err(BundleError::damaged(format!(
                "`{}` has not the SHA-256 that {SUMS} says",
                entry.name
            )));
        }
    }
    match lines.next() {
        None => Ok(()),
        Some(_) => Err(BundleError::damaged(format!("{SUMS} names entries that are not there"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Vec<u8> {
        let entries = [
            ("manifest.json".to_owned(), b"{}".as_slice()),
            ("blobs/x".to_owned(), &[7; 512]),
            ("blobs/y".to_owned(), b"".as_slice()),
        ];
        pack(&entries).unwrap()
    }

    #[test]
    fn what_is_packed_is_unpacked_here_and_by_any_tar() {
        let archive = archive();
        let entries = unpack(&archive).unwrap();
        let names: Vec<&str> = entries.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(names, ["manifest.json", "blobs/x", "blobs/y"]);
        assert_eq!(entries.iter().map(|e| e.content.len()).collect::<Vec<_>>(), [2, 512, 0]);
        let mut foreign = tar::Archive::new(archive.as_slice());
        let sizes: Vec<u64> = foreign.entries().unwrap().map(|e| e.unwrap().size()).collect();
        assert_eq!(sizes[..3], [2, 512, 0]);
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let whole = archive();
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << bit;
                assert!(unpack(&damaged).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn every_other_length_is_refused() {
        let whole = archive();
        for length in 0..whole.len() {
            assert!(unpack(&whole[..length]).is_err(), "{length} bytes");
        }
        for more in [1, BLOCK, END, 20 * BLOCK] {
            let mut longer = whole.clone();
            longer.resize(whole.len() + more, 0);
            assert!(unpack(&longer).is_err(), "{more} zeros more");
        }
    }

    /// Archives that other programs would take, made with the tar crate.
    #[test]
    fn foreign_entries_are_refused() {
        let with = |change: &dyn Fn(&mut Header)| {
            let mut header = header("manifest.json", 0).unwrap();
            change(&mut header);
            header.set_cksum();
            let mut archive = header.as_bytes().to_vec();
            let sums = sum(&Digest::of(b""), &String::from_utf8_lossy(&header.path_bytes()));
            append(&mut archive, SUMS, sums.as_bytes()).unwrap();
            archive.resize(archive.len() + END, 0);
            archive
        };
        let named = |name: &'static str| {
            move |header: &mut Header| {
                let field = &mut header.as_ustar_mut().unwrap().name;
                field.fill(0);
                field[..name.len()].copy_from_slice(name.as_bytes());
            }
        };
        assert!(unpack(&with(&|_| ())).is_ok());
        assert!(unpack(&with(&|h| h.set_size(u64::MAX >> 1))).is_err());
        assert!(unpack(&with(&|h| h.set_size(8_000_000_000))).is_err());
        for kind in [
            tar::EntryType::Symlink,
            tar::EntryType::Link,
            tar::EntryType::XHeader,
            tar::EntryType::Directory,
        ] {
            assert!(unpack(&with(&|h| h.set_entry_type(kind))).is_err(), "{kind:?}");
        }
        for name in ["/etc/passwd", "../x", "a/../x", "a//b", "./a", ""] {
            assert!(unpack(&with(&named(name))).is_err(), "{name:?}");
        }
        assert!(unpack(&with(&|h| h.set_mtime(1))).is_err());
    }
}

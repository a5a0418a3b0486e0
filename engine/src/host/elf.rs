//! What is seen of a library without loading it.

use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, elf};

/// Why bytes are no library that this machine can load, as far as that is seen without loading it.
pub(super) fn not_loadable(bytes: &[u8]) -> Option<String> {
    if bytes.is_empty() {
        return Some("it is empty".to_owned());
    }
    if !bytes.starts_with(&elf::ELFMAG) {
        return Some("it is no shared library: it does not begin as ELF files do".to_owned());
    }
    let cut_off = || Some("it is cut off: a part of the library is missing".to_owned());
    let Ok(header) = elf::FileHeader64::<Endianness>::parse(bytes) else {
        return Some("it is no shared library of 64 bits".to_owned());
    };
    let Ok(endian) = header.endian() else { return cut_off() };
    let (machine, own) = (header.e_machine(endian), own_machine());
    if own.is_some_and(|own| own != machine) {
        return Some(format!("it is for another processor (ELF machine {machine})"));
    }
    if header.e_type(endian) != elf::ET_DYN {
        return Some("it is no shared library, but an object or a program".to_owned());
    }
    let length = bytes.len() as u64;
    let Ok(segments) = header.program_headers(endian, bytes) else {
        return cut_off();
    };
    let is_there = |segment: &elf::ProgramHeader64<Endianness>| {
        let end = segment.p_offset(endian).checked_add(segment.p_filesz(endian));
        end.is_some_and(|end| end <= length)
    };
    match segments.iter().all(is_there) {
        true => None,
        false => cut_off(),
    }
}

/// The number that ELF has for this machine's processor.
fn own_machine() -> Option<u16> {
    match std::env::consts::ARCH {
        "x86_64" => Some(elf::EM_X86_64),
        "aarch64" => Some(elf::EM_AARCH64),
        "riscv64" => Some(elf::EM_RISCV),
        _ => None,
    }
}

/// `DT_NEEDED` entries of a 64-bit ELF file; `None` where it is none.
pub(super) fn needed(bytes: &[u8]) -> Option<Vec<String>> {
    let header = elf::FileHeader64::<Endianness>::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, bytes).ok()?;
    let (entries, strings) = sections.dynamic(endian, bytes).ok()??;
    let strings = sections.strings(endian, bytes, strings).ok()?;
    let names = entries
        .iter()
        .filter(|entry| entry.tag32(endian) == Some(elf::DT_NEEDED))
        .filter_map(|entry| entry.string(endian, strings).ok())
        .filter_map(|name| String::from_utf8(name.to_vec()).ok());
    Some(names.collect())
}

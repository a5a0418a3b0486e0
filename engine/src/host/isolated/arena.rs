//! Memory that the host shares with a process: inputs and outputs of a call lie in it, one behind another.
//!
//! Its size is fixed and sealed when it is made, so that a process that means harm cannot take pages away from under the host. Pages
//! that nobody wrote to take no memory.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, RawFd};

use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, memfd_create};

/// Bytes that arrays begin at multiples of.
const ALIGNMENT: usize = 64;

/// Bytes that stay in memory between calls at most.
pub(super) const KEPT: usize = 16 << 20;

/// The shared memory of one process.
pub(super) struct Arena {
    file: File,
    map: MmapRaw,
}

/// Where an array lies: offset and bytes.
pub(super) type Place = (usize, usize);

impl Arena {
    /// One of so many bytes.
    pub(super) fn new(bytes: usize) -> std::io::Result<Self> {
        let memory = memfd_create("lglp-arena", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let file = File::from(memory);
        file.set_len(bytes as u64)?;
        fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        Self::of(file, bytes)
    }

    /// That of a descriptor which a parent made.
    pub(super) fn of(file: File, bytes: usize) -> std::io::Result<Self> {
        let map = MmapOptions::new().len(bytes).map_raw(&file)?;
        Ok(Self { file, map })
    }

    pub(super) fn descriptor(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    /// Places for arrays of these lengths, one behind another; none where they are too large together.
    pub(super) fn places(&self, lengths: impl Iterator<Item = usize>) -> Option<Vec<Place>> {
        let mut end = 0usize;
        let place = |length: usize| {
            let begin = end.checked_next_multiple_of(ALIGNMENT)?;
            end = begin.checked_add(length)?;
            (end <= self.len()).then_some((begin, length))
        };
        lengths.map(place).collect()
    }

    /// Copies an array to its place.
    pub(super) fn write(&mut self, (begin, length): Place, bytes: &[u8]) {
        assert!(bytes.len() == length && begin + length <= self.len());
        // SAFETY: within the map, which nothing in this process refers into.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.map.as_mut_ptr().add(begin), length) }
    }

    /// Fills a place with zeros.
    pub(super) fn clear(&mut self, (begin, length): Place) {
        assert!(begin + length <= self.len());
        // SAFETY: as above.
        unsafe { std::ptr::write_bytes(self.map.as_mut_ptr().add(begin), 0, length) }
    }

    /// Copies an array from its place.
    pub(super) fn read(&self, (begin, length): Place, bytes: &mut [u8]) {
        assert!(bytes.len() == length && begin + length <= self.len());
        // SAFETY: as above; the other side may write meanwhile, and spoils no more than these bytes, of which any are good.
        unsafe { std::ptr::copy_nonoverlapping(self.map.as_ptr().add(begin), bytes.as_mut_ptr(), length) }
    }

    /// Gives back the memory behind what stays.
    pub(super) fn release(&self) {
        if self.len() > KEPT {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // Where it cannot be given back, it stays.
            let _ = fallocate(self.file.as_fd(), flags, KEPT as u64, (self.len() - KEPT) as u64);
        }
    }

    /// The arrays at some places, for a call.
    ///
    /// # Safety
    /// No two places overlap, and the parent, which waits for the answer, touches none.
    pub(super) unsafe fn arrays(&mut self, inputs: &[Place], outputs: &[Place]) -> (Vec<&[u8]>, Vec<&mut [u8]>) {
        let at = |(begin, length): &Place| {
            assert!(begin.checked_add(*length).is_some_and(|end| end <= self.len()));
            // SAFETY: within the map.
            (unsafe { self.map.as_mut_ptr().add(*begin) }, *length)
        };
        let input = |place: &Place| {
            let (first, length) = at(place);
            // SAFETY: by the contract of this function nobody writes there.
            unsafe { std::slice::from_raw_parts(first.cast_const(), length) }
        };
        let output = |place: &Place| {
            let (first, length) = at(place);
            // SAFETY: by the contract of this function nobody else refers to it.
            unsafe { std::slice::from_raw_parts_mut(first, length) }
        };
        (inputs.iter().map(input).collect(), outputs.iter().map(output).collect())
    }
}

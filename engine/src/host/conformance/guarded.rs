//! Memory between two pages that nobody may touch: whoever reads or writes beyond its end is ended by the system.

use std::ops::{Deref, DerefMut};
use std::ptr::{NonNull, null_mut};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
use rustix::param::page_size;

use crate::host::PluginError;

/// Which side of a value lies against a page that nobody may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Against {
    /// What reads or writes before it is noticed.
    Begin,
    /// What reads or writes behind it is noticed.
    End,
}

impl Against {
    pub(super) const BOTH: [Self; 2] = [Self::Begin, Self::End];
}

/// Numbers in guarded memory.
pub(super) struct Guarded<T> {
    pages: NonNull<u8>,
    bytes: usize,
    first: NonNull<T>,
    len: usize,
}

impl<T: Copy> Guarded<T> {
    /// A copy of some numbers.
    pub(super) fn copy(values: &[T], against: Against) -> Result<Self, PluginError> {
        Self::mapped(values, against, false).map_err(no_memory)
    }

    /// The same of numbers that nobody may write to either.
    pub(super) fn read_only(values: &[T], against: Against) -> Result<Self, PluginError> {
        Self::mapped(values, against, true).map_err(no_memory)
    }

    fn mapped(values: &[T], against: Against, is_read_only: bool) -> std::io::Result<Self> {
        let (page, size) = (page_size(), size_of_val(values));
        let inside = size.next_multiple_of(page).max(page);
        let bytes = inside + 2 * page;
        // SAFETY: a mapping of its own.
        let pages =
            unsafe { mmap_anonymous(null_mut(), bytes, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE) }?;
        let pages = NonNull::new(pages.cast::<u8>()).expect("a mapping is somewhere");
        for guard in [0, page + inside] {
            // SAFETY: a whole page of the mapping.
            unsafe { mprotect(pages.as_ptr().add(guard).cast(), page, MprotectFlags::empty()) }?;
        }
        let offset = match against {
            Against::Begin => page,
            Against::End => page + inside - size,
        };
        // SAFETY: within the mapping; sizes of numbers divide that of a page, so that it is aligned.
        let first = unsafe { pages.add(offset).cast::<T>() };
        // SAFETY: as many values fit there, and it is nobody else's.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), first.as_ptr(), values.len()) };
        if is_read_only {
            // SAFETY: the pages between the two that nobody may touch.
            unsafe { mprotect(pages.as_ptr().add(page).cast(), inside, MprotectFlags::READ) }?;
        }
        Ok(Self {
            pages,
            bytes,
            first,
            len: values.len(),
        })
    }
}

fn no_memory(error: std::io::Error) -> PluginError {
    PluginError::Rejected(format!("no memory to check it with: {error}"))
}

impl<T> Deref for Guarded<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: written when it was made, and nobody else's.
        unsafe { std::slice::from_raw_parts(self.first.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.first.as_ptr(), self.len) }
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping is used no more. Where it cannot be given back, it stays.
        let _ = unsafe { munmap(self.pages.as_ptr().cast(), self.bytes) };
    }
}

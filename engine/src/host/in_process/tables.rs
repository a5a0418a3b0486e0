//! Tables of callbacks from plugins that were built for an earlier minor version of the ABI.

use std::mem::MaybeUninit;

/// A table, of which the plugin knows so many bytes; what it does not know is null.
///
/// # Safety
/// `table` leads to so many bytes of a `T`. The callbacks that every version has are among them, and those after are options.
pub(super) unsafe fn whole<T>(table: *const T, known: usize) -> T {
    let mut whole = MaybeUninit::<T>::zeroed();
    // SAFETY: by the contract of this function; zeros are null for options of callbacks.
    unsafe {
        std::ptr::copy_nonoverlapping(table.cast::<u8>(), whole.as_mut_ptr().cast::<u8>(), known);
        whole.assume_init()
    }
}

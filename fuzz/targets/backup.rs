//! Backups: refused, or whole.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|archive: &[u8]| {
    let _ = lglp_registry::check_backup(&mut &*archive);
});

//! What the definitions of all spaces have to keep.

use super::SpaceError;

/// Layers, or decisions, of an architecture at most: every row of a batch holds all of them.
pub(super) const MAX_SLOTS: usize = 4096;

pub(super) fn ensure(holds: bool, message: impl FnOnce() -> String) -> Result<(), SpaceError> {
    if holds { Ok(()) } else { Err(SpaceError(message())) }
}

pub(super) fn check_name(name: &str) -> Result<(), SpaceError> {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    ensure(!name.is_empty() && name.bytes().all(is_allowed), || {
        format!("name {name:?} may hold a-z, 0-9 and '-' only")
    })
}

/// A list of choices holds 1 to 254 distinct values: a row stores their 1-based index in a byte.
pub(super) fn choice_list<T: PartialEq + std::fmt::Debug>(name: &str, values: &[T]) -> Result<(), SpaceError> {
    ensure(!values.is_empty() && values.len() < 255, || {
        format!("{name} must hold 1 to 254 values")
    })?;
    for (i, v) in values.iter().enumerate() {
        ensure(!values[..i].contains(v), || format!("{name} holds {v:?} twice"))?;
    }
    Ok(())
}

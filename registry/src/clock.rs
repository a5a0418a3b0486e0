//! Times, as RFC 3339 text in UTC.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::error::quoted;
use crate::{Error, Result};

/// Now; RFC 3339, UTC.
pub fn now() -> String {
    text(OffsetDateTime::now_utc())
}

/// Some seconds from now.
pub(crate) fn after(seconds: u32) -> String {
    text(OffsetDateTime::now_utc() + Duration::from_secs(seconds.into()))
}

/// Whether a time that [`after`] gave is over.
pub(crate) fn is_over(time: &str) -> bool {
    OffsetDateTime::parse(time, &Rfc3339).is_ok_and(|time| time <= OffsetDateTime::now_utc())
}

fn text(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).expect("the present has an RFC 3339 form")
}

/// Checks that a time sent by a caller is RFC 3339.
///
/// # Errors
/// [`Error::Invalid`], naming the field.
pub fn check(field: &str, text: &str) -> Result<()> {
    read(field, text).map(drop)
}

/// Reads a time sent by a caller; the error names the field.
pub(crate) fn read(field: &str, text: &str) -> Result<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|error| {
        Error::invalid(
            field,
            format!("expected an RFC 3339 time, got {}: {error}", quoted(text)),
        )
    })
}

/// How long ago a recorded time is, in hours; none where it is no time.
pub(crate) fn hours_since(text: &str) -> Option<f64> {
    let then = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some((OffsetDateTime::now_utc() - then).as_seconds_f64() / 3600.0)
}

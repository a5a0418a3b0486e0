//! The time, as records and requests write it.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Now; RFC 3339, UTC.
pub fn now() -> String {
    OffsetDateTime::now_utc()
        .format(&Rfc3339)
        .expect("the present has four digits of years")
}

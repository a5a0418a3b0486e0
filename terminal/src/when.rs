//! Times as people read them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A recorded time, RFC 3339 in UTC, as the clock on the wall shows it, with its distance from UTC: `2026-11-26 14:05:10 +01:00`.
/// What is no time stays as it is.
pub fn when(recorded: &str) -> String {
    shown(recorded, TimeZone::system())
}

fn shown(recorded: &str, zone: TimeZone) -> String {
    match recorded.parse::<Timestamp>() {
        Ok(at) => at.to_zoned(zone).strftime("%F %T %:z").to_string(),
        Err(_) => recorded.to_owned(),
    }
}

/// A time that a person gave, as it is recorded: RFC 3339, or `2026-11-26` and `2026-11-26 14:05` by the clock on the wall.
pub fn given(text: &str) -> Result<String, String> {
    read(text, TimeZone::system()).ok_or_else(|| {
        format!("expected a time such as 2026-11-26, 2026-11-26 14:05 or 2026-11-26T13:05:10Z, got {text:?}")
    })
}

fn read(text: &str, zone: TimeZone) -> Option<String> {
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => text.parse::<DateTime>().ok()?.to_zoned(zone).ok()?.timestamp(),
    };
    Some(at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vienna() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone")
    }

    /// `lglp models` printed `2026-05-03T12:22:07.123456789Z`, and `lglp audit` cut the zone off.
    #[test]
    fn times_are_local_to_the_second_with_their_offset() {
        assert_eq!(
            shown("2026-05-03T12:22:07.123456789Z", vienna()),
            "2026-05-03 14:22:07 +02:00"
        );
        assert_eq!(shown("2026-12-31T23:30:00Z", vienna()), "2027-01-01 00:30:00 +01:00");
        assert_eq!(
            shown("2026-12-31T23:30:00Z", TimeZone::UTC),
            "2026-12-31 23:30:00 +00:00"
        );
        assert_eq!(shown("never", vienna()), "never");
    }

    #[test]
    fn a_day_begins_where_the_person_is() {
        let recorded = |text| read(text, vienna());
        assert_eq!(recorded("2026-05-03").as_deref(), Some("2026-05-02T22:00:00Z"));
        assert_eq!(recorded("2026-05-03 14:05").as_deref(), Some("2026-05-03T12:05:00Z"));
        assert_eq!(
            recorded("2026-05-03T12:05:10Z").as_deref(),
            Some("2026-05-03T12:05:10Z")
        );
        assert_eq!(
            recorded("2026-05-03T14:05:10+02:00").as_deref(),
            Some("2026-05-03T12:05:10Z")
        );
        assert_eq!(recorded("yesterday"), None);
    }
}

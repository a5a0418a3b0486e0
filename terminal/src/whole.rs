//! Whole numbers of the command line. Programs that keep numbers in data frames write 3 as 3.0.

use std::ffi::OsStr;
use std::ops::RangeBounds;

use clap::builder::{RangedU64ValueParser, TypedValueParser};
use clap::{Arg, Command, Error};
use lglp_sdk::strict;

/// Reads a whole number.
#[derive(Clone)]
pub struct Whole<T: TryFrom<u64>>(RangedU64ValueParser<T>);

/// Reads any number that the type holds.
pub fn whole<T: TryFrom<u64>>() -> Whole<T> {
    Whole(RangedU64ValueParser::new())
}

impl<T: TryFrom<u64>> Whole<T> {
    /// Only those within a range.
    pub fn range(self, range: impl RangeBounds<u64>) -> Self {
        Self(self.0.range(range))
    }
}

impl<T> TypedValueParser for Whole<T>
where
    T: TryFrom<u64, Error: std::error::Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let plain = value.to_str().map_or(value, |text| OsStr::new(strict::plain(text)));
        self.0.parse_ref(command, argument, plain)
    }
}

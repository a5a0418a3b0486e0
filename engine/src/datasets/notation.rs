//! How a table is written: what stands between cells, and how numbers are written in them.

use csv::ReaderBuilder;

/// What stands between cells, and between the whole and the fraction of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notation {
    /// What stands between cells; a comma by default.
    pub delimiter: Delimiter,
    /// What stands before the fraction of a number; a point by default.
    pub decimal: Decimal,
}

/// One byte of ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimiter(u8);

/// The mark before the fraction of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decimal {
    /// As in `12.5`.
    Point,
    /// As in `12,5`.
    Comma,
}

impl Default for Notation {
    fn default() -> Self {
        Self {
            delimiter: Delimiter::COMMA,
            decimal: Decimal::Point,
        }
    }
}

impl Delimiter {
    const COMMA: Self = Self(b',');

    /// What else tables are delimited by.
    const USUAL: [Self; 4] = [Self::COMMA, Self(b';'), Self(b'\t'), Self(b'|')];

    /// The byte that stands between cells.
    pub fn byte(self) -> u8 {
        self.0
    }

    /// What a table seems to be delimited by, since its first line has a column of that name then.
    pub(crate) fn of_header(self, text: &[u8], column: &str) -> Option<Self> {
        let others = Self::USUAL.into_iter().filter(|other| *other != self);
        others.into_iter().find(|other| {
            let mut reader = ReaderBuilder::new()
                .delimiter(other.0)
                .trim(csv::Trim::All)
                .from_reader(text);
            reader
                .headers()
                .is_ok_and(|names| names.iter().any(|name| name == column))
        })
    }
}

impl std::fmt::Display for Delimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            b'\t' => f.write_str("tab"),
            other => write!(f, "'{}'", char::from(other)),
        }
    }
}

impl std::str::FromStr for Delimiter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.as_bytes() {
            b"tab" | b"\\t" => Ok(Self(b'\t')),
            [byte @ (b'\t' | b' '..=b'~')] if !byte.is_ascii_alphanumeric() && !b"\".-+".contains(byte) => {
                Ok(Self(*byte))
            }
            _ => Err("expected one mark, like ';', or the word tab".into()),
        }
    }
}

impl std::str::FromStr for Decimal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "." => Ok(Self::Point),
            "," => Ok(Self::Comma),
            _ => Err("expected '.' or ','".into()),
        }
    }
}

impl Decimal {
    /// The number of a cell. A mark that is not this one may stand between thousands, so that nobody can tell what is meant.
    pub fn number(self, cell: &str) -> Option<f64> {
        match self {
            Self::Point => cell.parse().ok(),
            Self::Comma if cell.contains('.') => None,
            Self::Comma => cell.replacen(',', ".", 1).parse().ok(),
        }
    }

    /// What to do about a cell that is no number but would be one by the other mark; else nothing.
    pub fn advice(self, cell: &str) -> &'static str {
        match self {
            _ if self.number(cell).is_some() => "",
            Self::Point if Self::Comma.number(cell).is_some() => {
                "; if its comma begins the fraction, add --decimal ','; if it stands between thousands, take it out"
            }
            Self::Comma if Self::Point.number(cell).is_some() => "; its point is no decimal mark by --decimal ','",
            _ => "",
        }
    }
}

/// Whether a cell says that there is nothing, as spreadsheets, data frames and Python do, or as the table does: `0`, `0.0`.
pub(super) fn is_nothing(cell: &str, absent: &str, decimal: Decimal) -> bool {
    let words = ["", "none", "null", "nan"];
    let same_number = || {
        let (cell, absent) = (decimal.number(cell), decimal.number(absent));
        cell.is_some() && cell == absent
    };
    cell == absent || words.contains(&cell.to_ascii_lowercase().as_str()) || same_number()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_decimal_mark() {
        let (point, comma) = (Decimal::Point, Decimal::Comma);
        for (cell, by_point, by_comma) in [
            ("12.5", Some(12.5), None),
            ("12,5", None, Some(12.5)),
            ("12", Some(12.0), Some(12.0)),
            ("1e3", Some(1000.0), Some(1000.0)),
            ("1.234,5", None, None),
            ("1,234,5", None, None),
            ("fast", None, None),
            ("", None, None),
        ] {
            assert_eq!((point.number(cell), comma.number(cell)), (by_point, by_comma), "{cell}");
        }
        assert!(point.advice("12,5").contains("--decimal ','"));
        assert!(comma.advice("12.5").contains("no decimal mark"));
        assert_eq!((point.advice("fast"), comma.advice("1.234,5")), ("", ""));
        // A kernel of `0`, which is none of 3, 5 and 7, was said to have a comma.
        assert_eq!((point.advice("0"), comma.advice("0")), ("", ""));
    }

    #[test]
    fn delimiters_are_marks_and_found_by_the_column_that_is_missed() {
        let read = |text: &str| text.parse::<Delimiter>().map(Delimiter::byte);
        assert_eq!(
            [read(";"), read("tab"), read("\\t"), read("\t")],
            [Ok(b';'), Ok(b'\t'), Ok(b'\t'), Ok(b'\t')]
        );
        for none in ["", ";;", "a", "0", "\"", "ö", ".", "\n"] {
            assert!(read(none).is_err(), "{none:?}");
        }
        let comma = Delimiter::COMMA;
        let found = |text: &str| comma.of_header(text.as_bytes(), "ms").map(|found| found.to_string());
        assert_eq!(found("a; ms ;b\n1;2;3").as_deref(), Some("';'"));
        assert_eq!(found("a\t\"ms\"\n").as_deref(), Some("tab"));
        assert_eq!(found("a;b"), None);
    }

    #[test]
    fn nothing_has_many_names() {
        for cell in ["0", "0.0", "-0", "", "None", "null", "NaN", "nan"] {
            assert!(is_nothing(cell, "0", Decimal::Point), "{cell}");
        }
        for cell in ["3", "x", "0,0"] {
            assert!(!is_nothing(cell, "0", Decimal::Point), "{cell}");
        }
        assert!(is_nothing("0,0", "0", Decimal::Comma) && is_nothing("-", "-", Decimal::Point));
        assert!(!is_nothing("0", "", Decimal::Point), "this table leaves cells empty");
    }
}

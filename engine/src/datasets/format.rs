//! Files that are given for a table of text, and are none.

use lglp_sdk::utf8;

/// What a file is instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text in UTF-16.
    Utf16,
    /// A spreadsheet program's workbook, or a ZIP archive, which begins alike.
    Workbook,
    /// A Parquet file.
    Parquet,
    /// Something that gzip compressed.
    Gzip,
}

impl Format {
    /// Tells by the first bytes; `None` where they may be those of a table.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            // A workbook of today is an archive; one of before begins as all documents of its time.
            [b'P', b'K', 3, 4, ..] | [0xD0, 0xCF, 0x11, 0xE0, ..] => Some(Self::Workbook),
            [b'P', b'A', b'R', b'1', ..] => Some(Self::Parquet),
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            other => utf8::is_utf16(other).then_some(Self::Utf16),
        }
    }

    /// What it is, and what to do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Utf16 => "UTF-16; save it as UTF-8",
            Self::Workbook => "a workbook or an archive; save its sheet as CSV, or unpack it",
            Self::Parquet => "Parquet; save it as CSV",
            Self::Gzip => "compressed; unpack it",
        }
    }
}

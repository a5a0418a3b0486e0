//! Which line of a file a record of a table begins on.

/// Counts lines as editors do: they end with LF, CR LF or CR. The crate `csv` counts LF alone, and has a record begin with the
/// blank lines before it, and with the LF of the CR LF that ends the last one.
pub(super) struct Lines<'a> {
    text: &'a [u8],
    /// Up to where lines were counted: no end of a line goes on from there.
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The line, from 1, of the record that `csv` found at this byte. Records come in their order.
    pub(super) fn of_record(&mut self, byte: u64) -> u64 {
        let found = usize::try_from(byte).map_or(self.text.len(), |byte| byte.min(self.text.len()));
        let blank = self.text[found..]
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let begins = found + blank.count();
        let before = &self.text[self.at.min(begins)..begins];
        let (mut ends, mut last) = (0, b' ');
        for byte in before {
            ends += u64::from(*byte == b'\r' || (*byte == b'\n' && last != b'\r'));
            last = *byte;
        }
        self.at = begins;
        self.line += ends;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line of each record after the header.
    fn lines(text: &str) -> Vec<u64> {
        let mut lines = Lines::of(text.as_bytes());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let records = reader.records();
        records
            .map(|record| lines.of_record(record.expect("a record").position().expect("a place").byte()))
            .collect()
    }

    /// Of a table from a spreadsheet every fault was told one line off, and of one from an old Mac all on line 1.
    #[test]
    fn lines_are_counted_as_editors_count_them() {
        for end in ["\n", "\r\n", "\r"] {
            assert_eq!(lines(&["a,b", "1,2", "3,4", "5,6", ""].join(end)), [2, 3, 4], "{end:?}");
            assert_eq!(lines(&["a,b", "", "1,2", "", "", "3,4"].join(end)), [3, 6], "{end:?}");
            let quoted = ["a,b", "1,\"two", "and", "three\"", "4,5", "6,7"].join(end);
            assert_eq!(lines(&quoted), [2, 5, 6], "{end:?}");
        }
        assert_eq!(lines("a\n1\r\n2\r3\n"), [2, 3, 4], "mixed");
    }
}

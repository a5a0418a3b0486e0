//! Lines of the log. What was sent by others can stand in them, so they have an end.

use std::io::{self, Write};

/// Bytes of a line at most.
const LONGEST: usize = 8 << 10;

/// Writes each event, which comes as a whole, as far as a line may go.
pub struct Lines<W>(pub W);

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        if event.len() <= LONGEST {
            self.0.write_all(event)?;
        } else {
            let end = (LONGEST - 3..=LONGEST).rev().find(|end| event[*end] & 0xC0 != 0x80);
            self.0.write_all(&event[..end.unwrap_or(LONGEST)])?;
            writeln!(self.0, "… ({} bytes in all)", event.len())?;
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(event: &str) -> String {
        let mut lines = Lines(Vec::new());
        lines.write_all(event.as_bytes()).expect("a vector takes it");
        String::from_utf8(lines.0).expect("it is cut between characters")
    }

    #[test]
    fn a_line_ends_after_some_kilobytes() {
        assert_eq!(written("INFO started\n"), "INFO started\n");
        for pad in 0..4 {
            let long = format!("{}{}\n", "a".repeat(pad), "€".repeat(1_000_000));
            let line = written(&long);
            assert!(line.len() < LONGEST + 40, "{}", line.len());
            assert!(line.ends_with(&format!("€… ({} bytes in all)\n", long.len())));
        }
    }
}

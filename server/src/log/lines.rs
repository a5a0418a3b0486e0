//! Lines of the log. What was sent by others can stand in them, so they have an end, and an event is one line.

use std::io::{self, Write};

/// Bytes of a line at most.
const LONGEST: usize = 8 << 10;

/// Writes each event, which comes as a whole, as far as a line may go. Its own line breaks are escaped: none passes for another
/// event. `tracing` does the same with what commands a terminal.
pub(super) struct Lines<W>(pub W);

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = event.strip_suffix(b"\n").unwrap_or(event);
        let cut = text.len() > LONGEST;
        let end = match cut {
            true => (LONGEST - 3..=LONGEST).rev().find(|end| text[*end] & 0xC0 != 0x80),
            false => None,
        };
        let end = end.unwrap_or(text.len().min(LONGEST));
        let mut line = Vec::with_capacity(end);
        for byte in &text[..end] {
            match byte {
                b'\n' | b'\r' => write!(line, "\\u{{{byte:x}}}")?,
                _ => line.push(*byte),
            }
        }
        if cut {
            write!(line, "… ({} bytes in all)", event.len())?;
        }
        line.push(b'\n');
        self.0.write_all(&line)?;
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

    /// What a plugin said at its end wrote a line of its own into the log.
    #[test]
    fn an_event_is_one_line() {
        assert_eq!(
            written("WARN a\r\nINFO promoted\n"),
            "WARN a\\u{d}\\u{a}INFO promoted\n"
        );
        assert_eq!(written("INFO started"), "INFO started\n");
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

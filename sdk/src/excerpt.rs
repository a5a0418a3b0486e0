//! What was sent, as far as an error repeats it. Whoever sends 60 MiB where a name belongs must not get them back, nor fill a
//! log or a record with them.

use std::fmt::{self, Display, Formatter, Write};

use crate::{Printable, count};

/// Characters of a value that are quoted.
pub const QUOTED: usize = 120;

/// Characters of a whole message, quotations included.
pub const MESSAGE: usize = 2000;

/// The beginning of a text, and how long all of it is where that is not all: `aaaaa… (62914560 bytes in all)`. Anything that can
/// be displayed can be cut without being written out first.
pub struct Excerpt<T> {
    value: T,
    most: usize,
}

impl<T: Display> Excerpt<T> {
    /// [`QUOTED`] characters at most, in one line and fit for a terminal.
    pub fn of(value: T) -> Excerpt<Printable<T>> {
        Excerpt::within(Printable::of(value), QUOTED)
    }

    /// That many characters at most, and what tells of the rest.
    pub fn within(value: T, most: usize) -> Self {
        Self { value, most }
    }
}

impl<T: Display> Display for Excerpt<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut cut = Cut {
            out: f,
            left: self.most,
            bytes: 0,
            is_cut: false,
        };
        write!(cut, "{}", self.value)?;
        let Cut { bytes, is_cut, .. } = cut;
        if is_cut {
            write!(f, "… ({} in all)", count(bytes, "byte"))?;
        }
        Ok(())
    }
}

/// A message of at most that many characters, cut only where it is longer.
pub fn shortened(message: String, most: usize) -> String {
    if message.len() <= most {
        message
    } else {
        Excerpt::within(message, most).to_string()
    }
}

/// Passes on what still fits and counts the rest.
struct Cut<'a, 'b> {
    out: &'a mut Formatter<'b>,
    /// Characters.
    left: usize,
    /// Of everything.
    bytes: usize,
    is_cut: bool,
}

impl Write for Cut<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes += text.len();
        if self.is_cut {
            return Ok(());
        }
        match text.char_indices().nth(self.left) {
            None => {
                self.left -= text.chars().count();
                self.out.write_str(text)
            }
            Some((end, _)) => {
                self.is_cut = true;
                self.out.write_str(&text[..end])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_and_what_does_not_is_cut_between_characters() {
        assert_eq!(Excerpt::within("größer", 6).to_string(), "größer");
        assert_eq!(Excerpt::within("größer", 3).to_string(), "grö… (8 bytes in all)");
        assert_eq!(Excerpt::within("", 0).to_string(), "");
        assert_eq!(Excerpt::within("a", 0).to_string(), "… (1 byte in all)");
        let pieces = format_args!("{}{}{}", "ab", "cd", "ef").to_string();
        assert_eq!(Excerpt::within(pieces, 3).to_string(), "abc… (6 bytes in all)");
        let value = serde_json::json!({ "name": "x".repeat(1000) });
        let text = Excerpt::of(&value).to_string();
        assert!(
            text.starts_with("{\"name\":\"xxx") && text.ends_with("… (1011 bytes in all)"),
            "{text}"
        );
        assert_eq!(text.chars().count(), QUOTED + "… (1011 bytes in all)".chars().count());
    }

    /// An architecture's name rang the bell of whoever read the error.
    #[test]
    fn what_is_quoted_commands_no_terminal() {
        assert_eq!(Excerpt::of("a\x07\nb").to_string(), r"a\u{7}\u{a}b");
    }

    #[test]
    fn messages_are_cut_where_they_are_too_long_alone() {
        assert_eq!(shortened("short".into(), 5), "short");
        assert_eq!(shortened("longer".into(), 4), "long… (6 bytes in all)");
        assert_eq!(shortened("ééé".into(), 3), "ééé", "characters count, not bytes");
    }
}

//! Text that others wrote, fit for a terminal and a log.

use std::fmt::{self, Display, Formatter, Write};

/// Shows a value with each character that would command a terminal, forge a line or turn the order of writing around as
/// `\u{1b}`. Records keep what was sent; this is for the moment at which a person reads it.
pub struct Printable<T> {
    value: T,
    /// Whether line breaks stay.
    breaks: bool,
}

impl<T: Display> Printable<T> {
    /// In one line.
    pub fn of(value: T) -> Self {
        Self { value, breaks: false }
    }

    /// With the line breaks that it has: for messages that are the program's own.
    pub fn lines(value: T) -> Self {
        Self { value, breaks: true }
    }
}

impl<T: Display> Display for Printable<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let breaks = self.breaks;
        write!(Escaping { out: f, breaks }, "{}", self.value)
    }
}

struct Escaping<'a, 'b> {
    out: &'a mut Formatter<'b>,
    breaks: bool,
}

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        let breaks = self.breaks;
        while let Some((at, c)) = rest
            .char_indices()
            .find(|(_, c)| commands(*c) && !(breaks && *c == '\n'))
        {
            self.out.write_str(&rest[..at])?;
            write!(self.out, "{}", c.escape_unicode())?;
            rest = &rest[at + c.len_utf8()..];
        }
        self.out.write_str(rest)
    }
}

/// C0, DEL and C1, the separators of lines and paragraphs, and what turns the direction of writing.
fn commands(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A worker's reason set the title of its reader's terminal, cleared the screen, and wrote "promoted" on a line of its own.
    #[test]
    fn what_commands_a_terminal_is_shown_and_not_obeyed() {
        let shown = |text: &str| Printable::of(text).to_string();
        assert_eq!(shown("\x1b]0;title\x07 \x1b[2J"), r"\u{1b}]0;title\u{7} \u{1b}[2J");
        assert_eq!(shown("slow\r\npromoted"), r"slow\u{d}\u{a}promoted");
        assert_eq!(shown("\0\t\x7f\u{85}\u{9b}31m"), r"\u{0}\u{9}\u{7f}\u{85}\u{9b}31m");
        assert_eq!(shown("a\u{202e}b\u{2066}c\u{2069}d"), r"a\u{202e}b\u{2066}c\u{2069}d");
        assert_eq!(shown("a\u{2028}b\u{2029}c"), r"a\u{2028}b\u{2029}c");
    }

    #[test]
    fn what_is_harmless_stays() {
        for text in ["", "größer, 大, 👩\u{200d}🔬, עברית", r"\u{1b} as text"] {
            assert_eq!(Printable::of(text).to_string(), text);
        }
        assert_eq!(Printable::lines("a\nb\x1b").to_string(), "a\nb\\u{1b}");
        assert_eq!(Printable::of(format_args!("{}{}", "a\n", 1)).to_string(), r"a\u{a}1");
    }
}

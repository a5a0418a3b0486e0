//! JSON that is written as it mostly is, read straight from its text: no escapes in names, no signs, fractions or exponents in whole
//! numbers. Whatever is not taken here (`None`) is for `serde_json` to read, or to refuse with a reason.

mod brackets;

use brackets::{end_of, quote_in};

/// Numbers of so many digits fit.
const DIGITS: usize = 9;

/// A place in a text.
pub struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// At the beginning of a text.
    pub const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is no white space.
    pub fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                _ => return Some(*byte),
            }
        }
        None
    }

    /// Takes this byte.
    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.peek()?;
        self.text[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    /// That nothing follows.
    pub fn end(&mut self) -> Option<()> {
        self.peek().is_none().then_some(())
    }

    /// Takes a whole number.
    pub fn number(&mut self) -> Option<u32> {
        self.peek()?;
        let rest = &self.text[self.at..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let begins_with_zero = digits > 1 && rest[0] == b'0';
        if digits == 0 || digits > DIGITS || begins_with_zero || matches!(rest.get(digits), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        self.at += digits;
        Some(
            rest[..digits]
                .iter()
                .fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0')),
        )
    }

    /// Takes `true` or `false`.
    pub fn boolean(&mut self) -> Option<bool> {
        match self.peek()? {
            b't' => self.word(b"true").map(|()| true),
            _ => self.word(b"false").map(|()| false),
        }
    }

    /// Takes `null`.
    pub fn null(&mut self) -> Option<()> {
        self.word(b"null")
    }

    /// Takes a value as text. It is one value where the text is JSON, which nobody has looked at then.
    pub fn value(&mut self) -> Option<&'a [u8]> {
        let first = self.peek()?;
        let begin = self.at;
        match first {
            b'{' | b'[' => self.at += end_of(&self.text[begin..])?,
            b'"' => self.skip_string()?,
            _ => {
                let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
                self.at += self.text[begin..].iter().position(is_end)?;
            }
        }
        (self.at > begin).then(|| &self.text[begin..self.at])
    }

    fn skip_string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.text.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    fn name(&mut self) -> Option<&'a [u8]> {
        self.take(b'"')?;
        let rest = &self.text[self.at..];
        // One with an escape is none that anybody asks for.
        let length = quote_in(rest)?;
        self.at += length + 1;
        self.take(b':')?;
        Some(&rest[..length])
    }

    /// Goes through an object; `field` is given each name, and takes the value.
    pub fn object(&mut self, mut field: impl FnMut(&mut Self, &'a [u8]) -> Option<()>) -> Option<()> {
        self.take(b'{')?;
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            let name = self.name()?;
            field(self, name)?;
            if self.take(b'}').is_some() {
                return Some(());
            }
            self.take(b',')?;
        }
    }

    /// Goes through an array; `item` is given each place, and takes the value. How many there were.
    pub fn array(&mut self, mut item: impl FnMut(&mut Self, usize) -> Option<()>) -> Option<usize> {
        self.take(b'[')?;
        if self.take(b']').is_some() {
            return Some(0);
        }
        for at in 0.. {
            item(self, at)?;
            if self.take(b']').is_some() {
                return Some(at + 1);
            }
            self.take(b',')?;
        }
        None
    }
}

/// Puts a value where none is yet: a field that comes twice is a fault.
pub fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

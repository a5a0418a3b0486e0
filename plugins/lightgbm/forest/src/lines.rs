//! Lines of a model text, their fields and numbers.

use std::str::FromStr;

use crate::error::{FormatError, quoted};

/// A place in a text.
pub(crate) struct Lines<'a> {
    rest: &'a str,
    /// Bytes before `rest`.
    offset: usize,
    /// The line that was read last, counted from 1.
    line: usize,
    /// The tree that is being read.
    pub tree: Option<usize>,
}

/// The value of a field, and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    pub value: &'a str,
    pub name: &'static str,
    line: usize,
    tree: Option<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            offset: 0,
            line: 0,
            tree: None,
        }
    }

    /// Bytes that have been read.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// An error at the line that was read last.
    pub(crate) fn error(&self, problem: impl Into<String>) -> FormatError {
        FormatError {
            line: self.line.max(1),
            tree: self.tree,
            field: "",
            problem: problem.into(),
        }
    }

    /// The next line, which must be whole.
    pub(crate) fn next(&mut self) -> Result<&'a str, FormatError> {
        self.line += 1;
        let Some((line, rest)) = self.rest.split_once('\n') else {
            return Err(self.error("the text ends here, in the middle of it"));
        };
        self.rest = rest;
        self.offset += line.len() + 1;
        Ok(line)
    }

    /// Reads a line that must be this one.
    pub(crate) fn expect(&mut self, expected: &str) -> Result<(), FormatError> {
        let line = self.next()?;
        if line == expected {
            return Ok(());
        }
        let expected = if expected.is_empty() { "an empty line" } else { expected };
        Err(self.error(format!("{} stands where {expected} is expected", quoted(line))))
    }

    /// The next line, which must give this field.
    pub(crate) fn field(&mut self, name: &'static str) -> Result<Field<'a>, FormatError> {
        let line = self.next()?;
        let value = line.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
        let value = value.ok_or_else(|| self.error(format!("{} stands where {name}= is expected", quoted(line))))?;
        let (line, tree) = (self.line, self.tree);
        Ok(Field {
            value,
            name,
            line,
            tree,
        })
    }
}

impl<'a> Field<'a> {
    pub(crate) fn error(&self, problem: impl Into<String>) -> FormatError {
        FormatError {
            line: self.line,
            tree: self.tree,
            field: self.name,
            problem: problem.into(),
        }
    }

    /// Refuses every value but one.
    pub(crate) fn must_be(&self, expected: &str, why: &str) -> Result<(), FormatError> {
        if self.value == expected {
            return Ok(());
        }
        Err(self.error(format!("is {}, not {expected}: {why}", quoted(self.value))))
    }

    /// The value as a number.
    pub(crate) fn number<T: FromStr>(&self) -> Result<T, FormatError> {
        self.parse(self.value)
    }

    /// The value as exactly `count` texts with a space between two.
    pub(crate) fn texts(&self, count: usize) -> Result<impl Iterator<Item = &'a str>, FormatError> {
        let found = match self.value {
            "" => 0,
            some => some.bytes().filter(|byte| *byte == b' ').count() + 1,
        };
        if found != count {
            return Err(self.error(format!("has {found} values; expected: {count}")));
        }
        Ok(self.value.split(' ').take(count))
    }

    /// The value as exactly `count` numbers with a space between two.
    pub(crate) fn numbers<T: FromStr>(&self, count: usize) -> Result<Vec<T>, FormatError> {
        self.texts(count)?.map(|text| self.parse(text)).collect()
    }

    fn parse<T: FromStr>(&self, text: &str) -> Result<T, FormatError> {
        let refused = |_| self.error(format!("{} is not a number that may stand here", quoted(text)));
        text.parse().map_err(refused)
    }
}

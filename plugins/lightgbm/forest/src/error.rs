use std::fmt;

/// Says what is wrong with a model text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FormatError {
    /// The line at fault, counted from 1.
    pub line: usize,
    /// The tree that the line belongs to, counted from 0.
    pub tree: Option<usize>,
    /// The field at fault, under LightGBM's name; empty where the line has none.
    pub field: &'static str,
    /// What is wrong there, in words.
    pub problem: String,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(tree) = self.tree {
            write!(f, ", tree {tree}")?;
        }
        if !self.field.is_empty() {
            write!(f, ", {}", self.field)?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// A quotation of a text from outside, cut to what a message can hold.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST {
        return format!("`{}`", text.escape_debug());
    }
    let start: String = text.chars().take(MOST).collect();
    format!("`{}...`", start.escape_debug())
}

//! Texts with decisions in braces.

use crate::Excerpt;

/// A text with decisions in braces, taken apart.
pub(crate) struct Template<'a> {
    /// What comes before the first decision.
    begin: &'a str,
    /// Each decision, and the text behind it.
    parts: Vec<(&'a str, &'a str)>,
}

/// Takes a text apart.
///
/// # Errors
/// What is wrong with it, for people.
pub(crate) fn template(text: &str) -> Result<Template<'_>, String> {
    let mut pieces = text.split('{');
    let begin = pieces.next().unwrap_or_default();
    let parts: Option<Vec<(&str, &str)>> = pieces.map(|piece| piece.split_once('}')).collect();
    let parts = parts.ok_or_else(|| format!("{text:?}: a brace is not closed"))?;
    let all_but_last = parts.split_last().map_or(&[][..], |(_, before)| before);
    if parts.is_empty() || all_but_last.iter().any(|(_, behind)| behind.is_empty()) {
        return Err(format!(
            "{text:?} must hold decisions in braces, with something between any two"
        ));
    }
    if begin.contains('@') || parts.iter().any(|(_, behind)| behind.contains('@')) {
        return Err(format!("{text:?} holds an `@`, which tells canonical text apart"));
    }
    Ok(Template { begin, parts })
}

impl<'a> Template<'a> {
    /// The decisions that are told.
    pub(crate) fn decisions(&self) -> impl Iterator<Item = &'a str> {
        self.parts.iter().map(|(decision, _)| *decision)
    }

    /// Each decision with what stands behind it, where something does.
    pub(crate) fn separators(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.parts.iter().copied().filter(|(_, behind)| !behind.is_empty())
    }

    /// What a text tells of each decision: the shortest that what follows it stands behind.
    ///
    /// # Errors
    /// Where the text is of another form.
    pub(super) fn read<'t>(&self, text: &'t str) -> Result<Vec<(&'a str, &'t str)>, String> {
        let missing = |what: &str, rest: &str| format!("{} begins where {what:?} is expected", Excerpt::of(rest));
        let mut rest = text.strip_prefix(self.begin).ok_or_else(|| missing(self.begin, text))?;
        let mut words = Vec::with_capacity(self.parts.len());
        for (decision, behind) in &self.parts {
            let end = if behind.is_empty() {
                Some(rest.len())
            } else {
                rest.find(behind)
            };
            let end = end.ok_or_else(|| format!("`{decision}` is to end before {behind:?}, which does not come"))?;
            words.push((*decision, &rest[..end]));
            rest = &rest[end + behind.len()..];
        }
        match rest {
            "" => Ok(words),
            rest => Err(format!("{} comes behind the end", Excerpt::of(rest))),
        }
    }
}

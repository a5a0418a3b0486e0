//! Canonical text: one line per architecture, for command lines, file names and digests.

use std::fmt::Write;

use super::super::ArchitectureError;
use super::draft::{self, Draft, DraftBlock, DraftLayer, ReadablePlaces};
use crate::architecture::Architecture;
use crate::space::ChainSpace;

pub(in crate::forms) fn write(space: &ChainSpace, architecture: &Architecture) -> String {
    let mut text = String::new();
    write_draft(&mut text, space, &draft::of(space, architecture)).expect("a string takes every text");
    text
}

fn write_draft(text: &mut String, space: &ChainSpace, draft: &Draft) -> std::fmt::Result {
    write!(text, "{}@{}", space.name, draft.resolution)?;
    for block in &draft.blocks {
        write!(text, "/s{}{}", block.stride, if block.se { "-se" } else { "" })?;
        for layer in &block.layers {
            let shortcut = if layer.shortcut == Some(true) { "i" } else { "" };
            write!(text, "-k{}e{}{shortcut}", layer.kernel, layer.expansion)?;
        }
    }
    Ok(())
}

pub(in crate::forms) fn read(space: &ChainSpace, text: &str) -> Result<Architecture, ArchitectureError> {
    let fail = |message: String| ArchitectureError::new("", message);
    let malformed = |part: &str| {
        fail(format!(
            "{part:?} does not belong in canonical text; it reads like {}@{}/s2-se-k3e4-k5e6i/s1-k7e3/...",
            space.name, space.choices.resolution[0]
        ))
    };
    let mut parts = text.trim().split('/');
    let head = parts.next().unwrap_or_default();
    let (name, resolution) = head.split_once('@').ok_or_else(|| malformed(head))?;
    if name != space.name {
        return Err(fail(format!(
            "an architecture of the space `{name}`, where one of `{}` is expected",
            space.name
        )));
    }
    let resolution = resolution.parse().map_err(|_| malformed(head))?;
    let blocks = parts
        .map(|part| read_block(part).ok_or_else(|| malformed(part)))
        .collect::<Result<Vec<_>, _>>()?;
    if blocks.len() != space.blocks.len() {
        return Err(fail(format!(
            "{} blocks; the space `{}` has {}",
            blocks.len(),
            space.name,
            space.blocks.len()
        )));
    }
    draft::finish(space, &Draft { resolution, blocks }, &ReadablePlaces)
}

fn read_block(part: &str) -> Option<DraftBlock> {
    let mut words = part.split('-').peekable();
    let stride = words.next()?.strip_prefix('s')?.parse().ok()?;
    let se = words.next_if_eq(&"se").is_some();
    let layers = words.map(read_layer).collect::<Option<_>>()?;
    Some(DraftBlock { stride, se, layers })
}

fn read_layer(word: &str) -> Option<DraftLayer> {
    let (word, shortcut) = match word.strip_suffix('i') {
        Some(rest) => (rest, true),
        None => (word, false),
    };
    let (kernel, expansion) = word.strip_prefix('k')?.split_once('e')?;
    Some(DraftLayer {
        kernel: kernel.parse().ok()?,
        expansion: expansion.parse().ok()?,
        shortcut: Some(shortcut),
    })
}

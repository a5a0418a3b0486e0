//! What a server may send a worker to measure.

use std::collections::VecDeque;

use lglp_openapi::workers::{Batch, BatchItem};

/// Architectures that a server may send at a time.
const MOST: usize = 128;

/// Characters of what an architecture's measurement is to say.
const FLAGS: usize = 1000;

/// Bytes of an architecture's text, or of a network's name.
const TEXT: usize = 16 << 10;

/// The architectures of a batch, where a server sent what a worker can keep: every measurement carries its flags along.
pub(crate) fn admitted(batch: &Batch) -> Result<VecDeque<BatchItem>, String> {
    let items = &batch.items;
    if items.len() > MOST {
        return Err(format!(
            "the server sent {} architectures at a time; expected {MOST} at most",
            items.len()
        ));
    }
    let texts = |item: &BatchItem| item.architecture.len().max(item.name.as_ref().map_or(0, String::len));
    if let Some(length) = items.iter().map(texts).max().filter(|length| *length > TEXT) {
        return Err(format!(
            "the server sent a text of {length} bytes; expected {TEXT} at most"
        ));
    }
    let flags = |item: &BatchItem| item.flags.iter().map(String::len).sum::<usize>();
    match items.iter().map(flags).max() {
        Some(length) if length > FLAGS => Err(format!(
            "the server sent flags of {length} bytes; expected {FLAGS} at most"
        )),
        _ => Ok(items.iter().cloned().collect()),
    }
}

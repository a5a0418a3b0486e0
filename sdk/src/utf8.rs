//! Files and bodies as text: UTF-8, with or without the mark that some programs begin it with.

use crate::strict::without_mark;

/// Bytes that are no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotUtf8 {
    /// As editors and shells of Windows write it.
    #[error("this is UTF-16; save it as UTF-8")]
    Utf16,
    /// Neither UTF-8 nor UTF-16: a text in an older encoding, or no text at all.
    #[error("line {line} is not UTF-8; save it as UTF-8")]
    Other {
        /// Line of the first byte at fault, from 1.
        line: usize,
    },
}

/// A text without its mark.
///
/// # Errors
/// [`NotUtf8`].
pub fn text(bytes: &[u8]) -> Result<&str, NotUtf8> {
    if is_utf16(bytes) {
        return Err(NotUtf8::Utf16);
    }
    let bytes = without_mark(bytes);
    std::str::from_utf8(bytes).map_err(|error| NotUtf8::Other {
        line: 1 + bytes[..error.valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count(),
    })
}

/// Whether a text is UTF-16: it begins with that mark, or its first letter has two bytes, of which one is nothing.
pub fn is_utf16(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=0xff, ..] | [1..=0xff, 0, ..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_left_out_and_utf_16_is_told() {
        assert_eq!(text("\u{feff}größer".as_bytes()), Ok("größer"));
        assert_eq!(text(b""), Ok(""));
        assert_eq!(text(b"ab\ncd\n\xe4"), Err(NotUtf8::Other { line: 3 }));
        let words: Vec<u16> = "\u{feff}{".encode_utf16().collect();
        let bytes = |order: fn(u16) -> [u8; 2]| words.iter().flat_map(|word| order(*word)).collect::<Vec<u8>>();
        for (little, big) in [
            (bytes(u16::to_le_bytes), bytes(u16::to_be_bytes)),
            (
                bytes(u16::to_le_bytes).split_off(2),
                bytes(u16::to_be_bytes).split_off(2),
            ),
        ] {
            assert_eq!((text(&little), text(&big)), (Err(NotUtf8::Utf16), Err(NotUtf8::Utf16)));
        }
    }
}

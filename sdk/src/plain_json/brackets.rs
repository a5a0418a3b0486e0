//! Where a bracket is closed: 64 bytes at a time, since of a body that is all that is to be known at first.

/// Bytes that are looked at at once.
const BLOCK: usize = 64;

/// Of a block, a bit for each byte that is such a character.
#[derive(Default)]
struct Marks {
    quotes: u64,
    opening: u64,
    closing: u64,
    escapes: u64,
}

/// Behind the bracket that closes the one that a text begins with; none where none does. That brackets are of one kind is not looked at.
pub(super) fn end_of(text: &[u8]) -> Option<usize> {
    let (mut depth, mut is_in_string) = (0, false);
    let (blocks, _) = text.as_chunks::<BLOCK>();
    for (number, block) in blocks.iter().enumerate() {
        let Marks {
            quotes,
            opening,
            closing,
            escapes,
        } = Marks::of(block);
        let at = number * BLOCK;
        if escapes != 0 {
            return byte_by_byte(text, at, depth, is_in_string);
        }
        let inside = parities(quotes) ^ if is_in_string { u64::MAX } else { 0 };
        is_in_string = inside >> (BLOCK - 1) == 1;
        let (opening, closing) = (opening & !inside, closing & !inside);
        if depth > closing.count_ones() {
            depth = depth + opening.count_ones() - closing.count_ones();
            continue;
        }
        let mut brackets = opening | closing;
        while brackets != 0 {
            let bit = brackets.trailing_zeros();
            if opening >> bit & 1 == 1 {
                depth += 1;
            } else {
                depth -= 1;
                if depth == 0 {
                    return Some(at + bit as usize + 1);
                }
            }
            brackets &= brackets - 1;
        }
    }
    byte_by_byte(text, blocks.len() * BLOCK, depth, is_in_string)
}

fn byte_by_byte(text: &[u8], from: usize, mut depth: u32, mut is_in_string: bool) -> Option<usize> {
    let mut bytes = text.iter().enumerate().skip(from);
    while let Some((at, byte)) = bytes.next() {
        match (is_in_string, byte) {
            (true, b'\\') => {
                bytes.next();
            }
            (_, b'"') => is_in_string = !is_in_string,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Of each bit, whether an odd number of bits is set up to it, itself included.
fn parities(bits: u64) -> u64 {
    [1, 2, 4, 8, 16, 32]
        .into_iter()
        .fold(bits, |parities, shift| parities ^ parities << shift)
}

impl Marks {
    #[cfg(target_arch = "x86_64")]
    fn of(block: &[u8; BLOCK]) -> Self {
        // SAFETY: every processor of this kind has SSE2.
        unsafe { Self::of_by_sse2(block) }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "sse2")]
    fn of_by_sse2(block: &[u8; BLOCK]) -> Self {
        use std::arch::x86_64::{
            __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
        };

        let mut marks = Self::default();
        for (number, part) in block.as_chunks::<16>().0.iter().enumerate() {
            // SAFETY: there are 16 bytes, wherever they lie.
            let bytes = unsafe { _mm_loadu_si128(part.as_ptr().cast::<__m128i>()) };
            // A bit is all that tells [ and ] from { and }.
            let folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
            let bits = |of: __m128i, byte: u8| {
                let same = _mm_movemask_epi8(_mm_cmpeq_epi8(of, _mm_set1_epi8(byte.cast_signed())));
                u64::from(same.cast_unsigned()) << (16 * number)
            };
            marks.quotes |= bits(bytes, b'"');
            marks.escapes |= bits(bytes, b'\\');
            marks.opening |= bits(folded, b'{');
            marks.closing |= bits(folded, b'}');
        }
        marks
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn of(block: &[u8; BLOCK]) -> Self {
        let mut marks = Self::default();
        for (bit, byte) in block.iter().enumerate() {
            marks.quotes |= u64::from(*byte == b'"') << bit;
            marks.escapes |= u64::from(*byte == b'\\') << bit;
            marks.opening |= u64::from(byte | 0x20 == b'{') << bit;
            marks.closing |= u64::from(byte | 0x20 == b'}') << bit;
        }
        marks
    }
}

/// Where the first quotation mark is, of those that names end with: soon.
pub(super) fn quote_in(text: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    for (number, part) in text.as_chunks::<8>().0.iter().take(2).enumerate() {
        // The lowest byte that is zero then has its high bit set, and none below it.
        let other = u64::from_le_bytes(*part) ^ (ONES * u64::from(b'"'));
        let zeros = other.wrapping_sub(ONES) & !other & (ONES << 7);
        if zeros != 0 {
            return Some(8 * number + zeros.trailing_zeros() as usize / 8);
        }
    }
    text.iter().position(|byte| *byte == b'"')
}

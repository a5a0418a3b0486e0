//! How many there are of a thing, in words.

use std::fmt::Display;

/// `1 measurement`, `2 measurements`, `0 entries`: a number and a regular noun, which is given in the singular.
pub fn count<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    if number == N::from(1) {
        return format!("{number} {noun}");
    }
    let consonant = |stem: &&str| !stem.ends_with(['a', 'e', 'i', 'o', 'u']);
    match noun.strip_suffix('y').filter(consonant) {
        Some(stem) => format!("{number} {stem}ies"),
        None if noun.ends_with(['s', 'x']) || noun.ends_with("ch") => format!("{number} {noun}es"),
        None => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn one_is_singular() {
        assert_eq!(count(1_usize, "measurement"), "1 measurement");
        assert_eq!(count(0_u64, "measurement"), "0 measurements");
        assert_eq!(count(2_u32, "audit entry"), "2 audit entries");
        assert_eq!(count(1_u32, "audit entry"), "1 audit entry");
        assert_eq!(count(3_usize, "day"), "3 days");
        assert_eq!(count(3_usize, "batch"), "3 batches");
    }
}

//! Thousands of mutations of the real text.

use proptest::prelude::*;
use proptest::sample::Index;

use super::sizes::with_sizes;
use super::{TEXT, load};

#[derive(Clone, Debug)]
enum Mutation {
    FlipBit(Index, u8),
    Delete(Index, usize),
    Duplicate(Index, usize),
    Insert(Index, Vec<u8>),
    Truncate(Index),
    SwapNumbers(Index, Index),
    Number(Index, String),
    DeleteLine(Index),
    DuplicateLine(Index),
    SwapLines(Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    use Mutation::*;
    let at = any::<Index>;
    let number = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| n.to_string()),
        (-20..20i32).prop_map(|n| n.to_string()),
        prop::sample::select(vec![
            "nan", "inf", "-inf", "1e999", "2000", "99999999", "-0", "", "0x10", "1e308"
        ])
        .prop_map(str::to_owned),
    ];
    prop_oneof![
        1 => (at(), 0..8u8).prop_map(|(at, bit)| FlipBit(at, bit)),
        1 => (at(), 1..200usize).prop_map(|(at, length)| Delete(at, length)),
        1 => (at(), 1..200usize).prop_map(|(at, length)| Duplicate(at, length)),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Insert(at, bytes)),
        1 => at().prop_map(Truncate),
        3 => (at(), at()).prop_map(|(a, b)| SwapNumbers(a, b)),
        6 => (at(), number).prop_map(|(at, number)| Number(at, number)),
        1 => at().prop_map(DeleteLine),
        1 => at().prop_map(DuplicateLine),
        1 => (at(), at()).prop_map(|(a, b)| SwapLines(a, b)),
    ]
}

/// Where numbers stand: after a `=` or a space, up to a space or the end of the line.
fn numbers(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices(['=', ' ']) {
        let rest = &text[start + 1..];
        let end = start + 1 + rest.find([' ', '\n']).unwrap_or(rest.len());
        found.push(start + 1..end);
    }
    found
}

fn with_line(text: &str, change: impl FnOnce(&mut Vec<&str>)) -> Vec<u8> {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if !lines.is_empty() {
        change(&mut lines);
    }
    lines.concat().into_bytes()
}

fn mutate(bytes: &[u8], mutation: &Mutation) -> Vec<u8> {
    let mut out = bytes.to_vec();
    if out.is_empty() {
        return out;
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    let range = |at: &Index, length: usize| {
        let at = at.index(bytes.len());
        at..(at + length).min(bytes.len())
    };
    match mutation {
        Mutation::FlipBit(at, bit) => out[at.index(bytes.len())] ^= 1 << bit,
        Mutation::Delete(at, length) => drop(out.drain(range(at, *length))),
        Mutation::Duplicate(at, length) => {
            let range = range(at, *length);
            let copy = bytes[range.clone()].to_vec();
            drop(out.splice(range.start..range.start, copy));
        }
        Mutation::Insert(at, more) => {
            let at = at.index(bytes.len());
            drop(out.splice(at..at, more.iter().copied()));
        }
        Mutation::Truncate(at) => out.truncate(at.index(bytes.len())),
        Mutation::SwapNumbers(a, b) => {
            let numbers = numbers(&text);
            if numbers.is_empty() {
                return out;
            }
            let (a, b) = (a.get(&numbers).clone(), b.get(&numbers).clone());
            let (a, b) = if a.start <= b.start { (a, b) } else { (b, a) };
            if a.end <= b.start {
                let (first, second) = (&text[a.clone()], &text[b.clone()]);
                let (before, between, after) = (&text[..a.start], &text[a.end..b.start], &text[b.end..]);
                out = [before, second, between, first, after].concat().into_bytes();
            }
        }
        Mutation::Number(at, number) => {
            let numbers = numbers(&text);
            if !numbers.is_empty() {
                let at = at.get(&numbers);
                out = [&text[..at.start], number, &text[at.end..]].concat().into_bytes();
            }
        }
        Mutation::DeleteLine(at) => {
            out = with_line(&text, |lines| {
                lines.remove(at.index(lines.len()));
            });
        }
        Mutation::DuplicateLine(at) => {
            out = with_line(&text, |lines| {
                let at = at.index(lines.len());
                lines.insert(at, lines[at]);
            });
        }
        Mutation::SwapLines(a, b) => {
            out = with_line(&text, |lines| {
                let count = lines.len();
                lines.swap(a.index(count), b.index(count));
            });
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_text_is_refused_or_predicts(mutations in prop::collection::vec(mutation(), 1..4)) {
        let text = mutations.iter().fold(TEXT.as_bytes().to_vec(), |text, mutation| mutate(&text, mutation));
        let _ = load(&text);
        // The same behind sizes that fit, which most mutations break.
        if let Ok(text) = std::str::from_utf8(&text) {
            let _ = load(with_sizes(text).as_bytes());
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(load(&bytes).is_err());
    }
}

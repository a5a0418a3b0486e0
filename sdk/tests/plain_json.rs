//! What is read straight from the text of JSON is what the reader of all of JSON reads.

mod chains;

use chains::{once_for_all, spaces};
use lglp_sdk::plain_json::Scanner;
use lglp_sdk::{Architecture, Sampler, SearchSpace, strict};
use proptest::prelude::*;
use serde_json::Value;

/// An architecture in the form of Once-for-All, as its own sampler writes it.
fn lists(space: &SearchSpace, architecture: &Architecture) -> Value {
    let mut lists = once_for_all(space, architecture);
    lists["wid"] = Value::Null;
    lists
}

fn with_all_of_json(space: &SearchSpace, text: &[u8]) -> Option<Architecture> {
    let value = strict::from_slice::<Value>(text).ok()?;
    space.architecture_from_json(&value).ok()
}

/// Pieces of text that faults are made of.
const PIECES: [&str; 24] = [
    "",
    "0",
    "1",
    "3",
    "9",
    "-",
    ".0",
    "e1",
    " ",
    "\n",
    "\t",
    ",",
    ":",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "true",
    "false",
    "null",
    "\"d\": [2], ",
    "\"stride\": 1, ",
    "\\u0064",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn usual_texts_are_read(seed: u64) {
        for space in spaces() {
            let architecture = Sampler::new(&space, seed).next().expect("samplers never end");
            for value in [space.architecture_to_json(&architecture), lists(&space, &architecture)] {
                let expected = space.architecture_from_json(&value).ok();
                let texts = [value.to_string(), serde_json::to_string_pretty(&value).expect("JSON")];
                for text in texts {
                    prop_assert_eq!(&space.architecture_from_plain_json(text.as_bytes()), &expected, "{}", text);
                }
            }
        }
    }

    /// A fault that is taken for something is a wrong number, which nobody notices.
    #[test]
    fn what_is_read_of_other_texts_is_what_they_say(
        seed: u64,
        is_readable: bool,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..4, 0..PIECES.len()), 1..4),
    ) {
        for space in spaces() {
            let architecture = Sampler::new(&space, seed).next().expect("samplers never end");
            let value = match is_readable {
                true => space.architecture_to_json(&architecture),
                false => lists(&space, &architecture),
            };
            let mut text = value.to_string().into_bytes();
            for (at, removed, piece) in &changes {
                let at = at.index(text.len());
                let end = (at + removed).min(text.len());
                text.splice(at..end, PIECES[*piece].bytes());
                if text.is_empty() {
                    text.push(b' ');
                }
            }
            if let Some(read) = space.architecture_from_plain_json(&text) {
                let shown = String::from_utf8_lossy(&text).into_owned();
                prop_assert_eq!(Some(read), with_all_of_json(&space, &text), "{}", shown);
            }
        }
    }
}

/// Any JSON, with strings that hold what opens and ends.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        r#"([\[\]{}",:\\ é]|[a-z]{1,20}){0,12}"#.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 80, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::btree_map(r#"([\[\]{}"\\]|[a-z]{1,9}){0,4}"#, inner, 0..8)
                .prop_map(|fields| fields.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn values_are_told_apart(values in proptest::collection::vec(anything(), 0..6), is_pretty: bool) {
        let written = |value: &Value| match is_pretty {
            true => serde_json::to_string_pretty(value).expect("JSON"),
            false => value.to_string(),
        };
        let texts: Vec<String> = values.iter().map(written).collect();
        let body = format!("[{}]", texts.join(" , "));
        let (mut found, mut scanner) = (Vec::new(), Scanner::new(body.as_bytes()));
        let count = scanner.array(|scanner, _| {
            found.push(String::from_utf8(scanner.value()?.to_vec()).ok()?);
            Some(())
        });
        prop_assert_eq!(count, Some(texts.len()), "{}", body);
        prop_assert_eq!(scanner.end(), Some(()));
        prop_assert_eq!(found, texts);
        // What is cut off is no value.
        let mut cut = Scanner::new(&body.as_bytes()[..body.len() - 1]);
        prop_assert_eq!(cut.value(), None);
    }
}

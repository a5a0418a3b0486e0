//! Every way of writing an architecture means the same one, and nothing outside of a space gets in.

mod chains;

use std::collections::BTreeSet;
use std::path::Path;

use chains::{once_for_all, space, spaces};
use lglp_sdk::{Architecture, Sampler, SearchSpace, literal, strict};
use proptest::prelude::*;
use serde_json::{Value, json};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn text_json_and_rows_round_trip(seed: u64) {
        for space in spaces() {
            let architecture = Sampler::new(&space, seed).next().expect("samplers never end");
            let text = space.canonical_text(&architecture);
            prop_assert_eq!(&space.architecture_from_text(&text).expect("text"), &architecture);
            let readable = space.architecture_to_json(&architecture);
            prop_assert_eq!(&space.architecture_from_json(&readable).expect("JSON"), &architecture);
            prop_assert_eq!(&space.architecture_from_json(&json!(text)).expect("text in JSON"), &architecture);
            prop_assert_eq!(&space.architecture_from_row(architecture.row()).expect("a row"), &architecture);
            prop_assert_eq!(architecture.row().len(), space.row_len());
        }
    }

    /// What the Once-for-All form says is kept, and what it leaves out is the space's default.
    #[test]
    fn the_once_for_all_form_keeps_depths_kernels_and_expansions(seed: u64) {
        for space in spaces() {
            let sampled = Sampler::new(&space, seed).next().expect("samplers never end");
            let form = once_for_all(&space, &sampled);
            let read = space.architecture_from_json(&form).expect("the defaults keep the constraints");
            prop_assert_eq!(once_for_all(&space, &read), form);
            let chain = space.chain().expect("a chain");
            prop_assert_eq!(chain.resolution(&read), chain.resolution(&sampled));
            for layer in chain.layers(&read) {
                let default = chain.blocks[layer.block].default.se;
                prop_assert_eq!(layer.se, default.unwrap_or(layer.se));
            }
        }
    }

    /// Bytes from another process: any row is either refused or an architecture that can be written and read again.
    #[test]
    fn arbitrary_rows_are_refused_or_valid(bytes in proptest::collection::vec(0u8..5, 0..220)) {
        for space in spaces() {
            for row in [&bytes[..], &bytes[..bytes.len().min(space.row_len())]] {
                if let Ok(architecture) = space.architecture_from_row(row) {
                    let text = space.canonical_text(&architecture);
                    prop_assert_eq!(space.architecture_from_text(&text).expect("text"), architecture);
                }
            }
        }
    }

    /// A row that is nearly one of the space: most are refused, some are others of the space, and the check of rows, which looks at bytes
    /// alone, lets none in that text could not say.
    #[test]
    fn rows_with_some_other_bytes_are_refused_or_valid(
        seed: u64,
        others in proptest::collection::vec((0usize..400, 0u8..8), 1..4),
    ) {
        for space in spaces() {
            let sampled = Sampler::new(&space, seed).next().expect("samplers never end");
            let mut row = sampled.row().to_vec();
            for (at, byte) in &others {
                let length = row.len();
                row[at % length] = *byte;
            }
            if let Ok(architecture) = space.architecture_from_row(&row) {
                let text = space.canonical_text(&architecture);
                prop_assert_eq!(&space.architecture_from_text(&text).expect("text"), &architecture);
                prop_assert_eq!(architecture.row(), &row[..]);
            }
        }
    }

    /// A reader of text from the network must end in an error, never in a panic.
    #[test]
    fn arbitrary_text_does_not_panic(text in "(mobilenetv3@)?[0-9]{0,4}(/s[0-9]?(-se)?(-k[0-9]e[0-9]i?){0,6}){0,12}") {
        for space in spaces() {
            if let Ok(architecture) = space.architecture_from_text(&text) {
                prop_assert_eq!(space.canonical_text(&architecture), text.clone());
            }
        }
    }
}

proptest! {
    /// What is pasted may be anything; where it is JSON it means what JSON means.
    #[test]
    fn arbitrary_literals_do_not_panic(text in r#"([\[\](){}'",:\\ .0-9-]|None|True|null|é|a){0,40}"#) {
        let read = literal::read(&text);
        if let Ok(value) = strict::from_slice::<Value>(text.as_bytes()) {
            prop_assert_eq!(read.expect("JSON"), value);
        }
    }

    /// Whatever JSON has, Python's way of printing it is read as the same.
    #[test]
    fn python_prints_what_json_says(numbers in proptest::collection::vec(0u32..300, 0..6), word in "[ -~]{0,12}", flag: bool) {
        let value = json!({ "ks": numbers, "name": word, "se": flag, "wid": null, "pair": [[1], word] });
        let list: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let word = format!("'{}'", word.replace('\\', "\\\\").replace('\'', "\\'"));
        let flag = if flag { "True" } else { "False" };
        let text = format!(
            "{{'ks': [{}], 'name': {word}, 'se': {flag}, 'wid': None, 'pair': ((1,), {word})}}",
            list.join(", ")
        );
        prop_assert_eq!(literal::read(&text).expect("a literal"), value);
    }
}

/// Registries are keyed by these: a change of the canonical text would orphan every measurement ever made.
#[test]
fn canonical_texts_and_digests_stay_what_they_are() {
    let space = space("mobilenetv3");
    let text = "mobilenetv3@160/s2-se-k5e6-k3e3i/s1-se-k3e6-k7e3i/s2-se-k7e6/s2-se-k3e3/s1-k3e4/s1-se-k3e3/s2-k3e4-k5e3\
                /s1-k5e3/s1-se-k5e4-k5e6i-k5e3/s1-se-k7e3";
    let architecture = space.architecture_from_text(text).expect("text");
    assert_eq!(space.canonical_text(&architecture), text);
    assert_eq!(
        space.architecture_to_json(&architecture)["blocks"][0],
        json!({
            "stride": 2, "se": true,
            "layers": [{ "kernel": 5, "expansion": 6, "shortcut": false }, { "kernel": 3, "expansion": 3, "shortcut": true }],
        })
    );
    assert_eq!(
        Sampler::new(&space, 2).next(),
        Some(architecture),
        "a seed stands for the same sequence for ever"
    );
}

/// Constraints of the space hold in every sample, and samples reach every resolution, depth and choice.
#[test]
fn samples_keep_the_constraints_and_cover_the_space() {
    let space = space("mobilenetv3");
    let (mut resolutions, mut depths, mut seen) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let chain = space.chain().expect("a chain");
    for architecture in Sampler::new(&space, 0).take(620) {
        resolutions.insert(chain.resolution(&architecture));
        let layers: Vec<_> = chain.layers(&architecture).collect();
        depths.insert(layers.len());
        let strided: Vec<usize> = layers.iter().filter(|l| l.stride == 2).map(|l| l.block).collect();
        assert_eq!(strided.len(), 4);
        assert!(strided.iter().filter(|block| **block < 4).count() >= 2);
        for layer in layers {
            assert!(!layer.shortcut || (layer.stride == 1 && layer.channels_in == layer.channels_out));
            seen.insert((layer.kernel, layer.expansion, layer.se, layer.shortcut));
        }
    }
    assert_eq!(resolutions, BTreeSet::from([160, 320, 512, 768, 1024]));
    assert_eq!(depths, (10..=40).collect());
    assert_eq!(seen.len(), 3 * 3 * 2 * 2);
}

/// Weighted draws keep to depth times resolution: over many, each resolution's share is its part of the sum of all, and deep
/// networks outnumber shallow ones in the same way.
#[test]
fn weighted_samples_are_in_proportion_to_depth_and_resolution() {
    let space = space("mobilenetv3");
    let drawn: Vec<Architecture> = Sampler::weighted(&space, 0).take(4000).collect();
    let share = |holds: &dyn Fn(&Architecture) -> bool| drawn.iter().filter(|a| holds(a)).count() as f64 / 4000.0;
    let chain = space.chain().expect("a chain");
    let all: u32 = chain.choices.resolution.iter().sum();
    for resolution in &chain.choices.resolution {
        let found = share(&|a| chain.resolution(a) == *resolution);
        let expected = f64::from(*resolution) / f64::from(all);
        assert!(
            (found - expected).abs() < 0.025,
            "{resolution}: {found} of the draws, expected {expected}"
        );
    }
    let deep = share(&|a| chain.layers(a).count() > 25);
    let expected = f64::from((26..=40).sum::<u32>()) / f64::from((10..=40).sum::<u32>());
    assert!(
        (deep - expected).abs() < 0.025,
        "{deep} of the draws are deep, expected {expected}"
    );
    assert_ne!(Sampler::new(&space, 0).next(), drawn.first().cloned());
}

/// An architecture in the Once-for-All form of its space.
fn pasted() -> Value {
    json!({ "r": [224], "d": [2, 3, 4, 2, 2], "ks": vec![5; 20], "e": vec![4; 20], "wid": null })
}

/// Once-for-All's samplers fill the slots past a depth with anything, and its tools call the resolution `image_size` and write widths
/// as a list: each of these was refused.
#[test]
fn the_once_for_all_form_is_read_as_its_tools_write_it() {
    let space = space("ofa-mobilenetv3");
    let expected = space.architecture_from_json(&pasted()).expect("an architecture");
    let with = |changes: &[(&str, Value)]| {
        let mut form = pasted();
        for (pointer, value) in changes {
            *form.pointer_mut(pointer).expect("a place") = value.clone();
        }
        form
    };
    let past = [json!(null), json!(0), json!(-9.5), json!("x"), json!([])];
    for odd in past {
        let changed = with(&[
            ("/ks/2", odd.clone()),
            ("/e/3", odd.clone()),
            ("/e/7", odd.clone()),
            ("/ks/19", odd),
        ]);
        assert_eq!(
            space.architecture_from_json(&changed).as_ref(),
            Ok(&expected),
            "{changed}"
        );
    }
    for (pointer, value) in [
        ("/wid", json!([null])),
        ("/r/0", json!(224.0)),
        ("/ks/0", json!(5.0)),
        ("/d/1", json!(3.0)),
    ] {
        let changed = with(&[(pointer, value)]);
        assert_eq!(
            space.architecture_from_json(&changed).as_ref(),
            Ok(&expected),
            "{changed}"
        );
    }
    let named = |size: Value| {
        let mut form = pasted();
        let fields = form.as_object_mut().expect("an object");
        fields.remove("r");
        fields.insert("image_size".into(), size);
        form
    };
    for size in [json!(224), json!([224]), json!(224.0)] {
        assert_eq!(space.architecture_from_json(&named(size)).as_ref(), Ok(&expected));
    }
    let mut both = named(json!(224));
    both["r"] = json!([224]);
    for (form, place) in [
        (named(json!(225)), "/image_size"),
        (named(json!([1, 2])), "/image_size"),
        (named(json!([225])), "/image_size/0"),
        (both, "/image_size"),
        (with(&[("/wid", json!([1.2]))]), "/wid"),
        (with(&[("/ks/1", json!(null))]), "/ks/1"),
        (with(&[("/ks/4", json!(9))]), "/ks/4"),
        (with(&[("/e/11", json!("x"))]), "/e/11"),
        (with(&[("/d/4", json!(1))]), "/d/4"),
        (with(&[("/d/4", json!("2"))]), "/d/4"),
        (with(&[("/r/0", json!(226))]), "/r/0"),
    ] {
        let error = space.architecture_from_json(&form).expect_err("a fault");
        assert_eq!(error.pointer, place, "{form}: {error}");
    }
}

/// A dictionary that was printed by Python, or JSON in a string, was "unknown text" that "does not belong in canonical text".
#[test]
fn strings_hold_canonical_text_json_or_python() {
    let space = space("ofa-mobilenetv3");
    let expected = space.architecture_from_json(&pasted()).expect("an architecture");
    let json = pasted().to_string();
    let python = json
        .replace('"', "'")
        .replace("null", "None")
        .replace("[224]", "(224,)");
    for text in [&json, &python, &space.canonical_text(&expected)] {
        assert_eq!(
            space.architecture_from_json(&json!(text)).as_ref(),
            Ok(&expected),
            "{text}"
        );
    }
    for (text, said) in [
        (
            json.replace("\"d\":", "\"d\""),
            "not readable as JSON: expected `:` at line 1 column",
        ),
        (
            json.replace('}', ""),
            "not readable as JSON: EOF while parsing an object at line 1 column",
        ),
        ("{'r': [224], 'r': [128]}".into(), "duplicate field `r`"),
        ("[1, 2]".into(), "not an array"),
        ("320".into(), "does not belong in canonical text"),
    ] {
        let error = space.architecture_from_json(&json!(text)).expect_err("a fault");
        assert!(error.message.contains(said), "{text}: {error}");
    }
}

#[test]
fn lists_tell_by_their_lengths_which_space_they_are_of() {
    let [ten, five, _] = spaces();
    let readable = |space: &SearchSpace| space.architecture_to_json(&Sampler::new(space, 1).next().expect("one"));
    for form in [pasted(), readable(&five), json!(pasted().to_string())] {
        assert!(five.has_shape_of(&form) && !ten.has_shape_of(&form), "{form}");
    }
    assert!(ten.has_shape_of(&readable(&ten)) && !five.has_shape_of(&readable(&ten)));
    let mut short = pasted();
    short["ks"] = json!(vec![3; 19]);
    assert!(five.has_shape_of(&short), "what one list lacks is for the space to say");
    for none in [
        json!({ "d": [2, 2, 2, 2, 2] }),
        json!([]),
        json!(7),
        json!("x"),
        json!("[1]"),
        json!({ "blocks": 5 }),
    ] {
        assert!(!five.has_shape_of(&none), "{none}");
    }
    assert_eq!(five.shape(), "5 blocks, 20 layers at most");
}

/// A file that says 3.0 says 3, whatever its author's program makes of whole numbers.
#[test]
fn whole_numbers_of_a_space_may_be_written_as_fractions() {
    let own = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/spaces/mobilenetv3.toml"));
    let own = own.expect("a space");
    let written = own
        .replace("[160, 320,", "[160.0, 320.0,")
        .replace("depth = [1,", "depth = [1.0,");
    assert_ne!(written, own);
    let read = SearchSpace::from_toml(&written).expect("a consistent space");
    assert_eq!(read.digest(), space("mobilenetv3").digest());
    assert!(SearchSpace::from_toml(&own.replace("[160, 320,", "[160.5, 320,")).is_err());
}

#[test]
fn spaces_with_faults_are_refused_with_the_place() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/spaces/mobilenetv3.toml"))
            .expect("a space");
    for (from, to, place) in [
        ("kernel = [3, 5, 7]", "kernel = [3, 4, 7]", "kernel"),
        ("kernel = [3, 5, 7]", "kernel = []", "kernel"),
        ("channels = [24, 32]", "channels = [24, 33]", "33"),
        ("channels = [32, 48]", "channels = [24, 48]", "24"),
        ("depth = [1, 2, 3, 4]", "depth = [0, 1]", "depth"),
        ("at_least = 4", "at_least = 11", "constraints"),
        ("stride = 2, se = false", "stride = 1, se = false", "constraints[0]"),
        (
            "stride = [1, 2]\nse = [false, true]\nshortcut = [false, true]\nwidth",
            "stride = [0, 1]\nse = [false, true]\nshortcut = [false, true]\nwidth",
            "choices.stride",
        ),
        (
            "kernel = 3, stride = 2, channels = 24",
            "kernel = 3, stride = 0, channels = 24",
            "network.stem[0]",
        ),
        ("title = ", "titel = ", "titel"),
        ("classes = 1000", "classes = 0", "classes"),
    ] {
        let fault = SearchSpace::from_toml(&text.replacen(from, to, 1))
            .expect_err(to)
            .to_string();
        assert!(fault.contains(place), "{to}: {fault}");
    }
}

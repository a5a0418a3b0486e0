//! Every way of writing an architecture means the same one, and nothing outside of a space gets in.

use std::collections::BTreeSet;
use std::path::Path;

use lglp_sdk::{Architecture, Sampler, SearchSpace};
use proptest::prelude::*;
use serde_json::{Value, json};

fn space(name: &str) -> SearchSpace {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../spaces/{name}.toml"));
    SearchSpace::from_toml(&std::fs::read_to_string(file).expect("a space")).expect("a consistent space")
}

fn spaces() -> [SearchSpace; 2] {
    ["mobilenetv3", "ofa-mobilenetv3"].map(space)
}

/// The Once-for-All form of an architecture; it knows neither strides nor squeeze-and-excitation nor shortcuts.
fn ofa(space: &SearchSpace, architecture: &Architecture) -> Value {
    let slots = space.slots();
    let (mut depths, mut kernels, mut expansions) = (vec![0; space.blocks.len()], vec![3; slots], vec![3; slots]);
    for layer in space.layers(architecture) {
        let slot = space.first_slot(layer.block) + depths[layer.block];
        (kernels[slot], expansions[slot]) = (layer.kernel, layer.expansion);
        depths[layer.block] += 1;
    }
    json!({ "r": [space.resolution(architecture)], "d": depths, "ks": kernels, "e": expansions })
}

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
            let form = ofa(&space, &sampled);
            let read = space.architecture_from_json(&form).expect("the defaults keep the constraints");
            prop_assert_eq!(ofa(&space, &read), form);
            prop_assert_eq!(space.resolution(&read), space.resolution(&sampled));
            for layer in space.layers(&read) {
                let default = space.blocks[layer.block].default.se;
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
    for architecture in Sampler::new(&space, 0).take(620) {
        resolutions.insert(space.resolution(&architecture));
        let layers = space.layers(&architecture);
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
    let all: u32 = space.choices.resolution.iter().sum();
    for resolution in &space.choices.resolution {
        let found = share(&|a| space.resolution(a) == *resolution);
        let expected = f64::from(*resolution) / f64::from(all);
        assert!(
            (found - expected).abs() < 0.025,
            "{resolution}: {found} of the draws, expected {expected}"
        );
    }
    let deep = share(&|a| space.layers(a).len() > 25);
    let expected = f64::from((26..=40).sum::<u32>()) / f64::from((10..=40).sum::<u32>());
    assert!(
        (deep - expected).abs() < 0.025,
        "{deep} of the draws are deep, expected {expected}"
    );
    assert_ne!(Sampler::new(&space, 0).next(), drawn.first().cloned());
}

#[test]
fn spaces_with_faults_are_refused_with_the_place() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../spaces/mobilenetv3.toml"))
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

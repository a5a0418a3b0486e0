//! Random networks: what is written is read, costs what it shall, and covers what people deploy.

use std::collections::{BTreeMap, BTreeSet};

use lglp_engine::networks::{Family, GivenNetwork, RandomNetwork, Rules, random};
use lglp_onnx::Network;
use lglp_registry::Measurement;
use lglp_sdk::plugin::abi::*;
use sha2::{Digest, Sha256};

fn read(family: Family, seed: u64) -> Network {
    let onnx = random(family, seed);
    lglp_onnx::read(onnx.into(), &BTreeMap::new()).unwrap_or_else(|error| panic!("{family}-{seed}: {error}"))
}

#[test]
fn a_random_network_has_one_name() {
    let network: RandomNetwork = "transformers-17".parse().expect("a name");
    assert_eq!((network.family, network.seed), (Family::Transformers, 17));
    assert_eq!(network.to_string(), "transformers-17");
    for other in [
        "transformers",
        "transformers-",
        "transformers-017",
        "transformers-+1",
        "networks-1",
        "convnets--1",
    ] {
        assert!(other.parse::<RandomNetwork>().is_err(), "{other}");
    }
}

#[test]
fn random_networks_are_read_and_cost_what_they_shall() {
    for family in Family::ALL {
        for seed in 0..40 {
            let network = read(family, seed);
            let operators = &network.operators;
            let macs: u64 = operators.iter().map(|operator| operator.macs).sum();
            let (most_macs, most_weights) = match family {
                Family::Backbones => (18_000_000_000, 400_000_000),
                _ => (6_000_000_000, 300_000_000),
            };
            assert!((30_000_000..=most_macs).contains(&macs), "{family}-{seed}: {macs}");
            let weights: u64 = operators.iter().map(|operator| operator.weight_bytes).sum();
            assert!(weights <= most_weights, "{family}-{seed}: {weights}");
            for (operator, origin) in operators.iter().zip(&network.origins) {
                assert_ne!(operator.kind, OPERATOR_OTHER, "{family}-{seed}: {origin:?}");
            }
        }
    }
}

/// What was not seen in some networks, nobody can learn.
#[test]
#[ignore = "takes long"]
fn all_that_networks_are_made_of_is_in_some() {
    const LEAST: u32 = 20;
    let mut kinds: BTreeMap<u32, u32> = BTreeMap::new();
    let mut activations: BTreeMap<u32, u32> = BTreeMap::new();
    for (family, count) in [(Family::Convnets, 400), (Family::Transformers, 150)] {
        for seed in 0..count {
            let operators = read(family, seed).operators;
            let distinct = |what: fn(&Operator) -> u32| operators.iter().map(what).collect::<BTreeSet<u32>>();
            for kind in distinct(|operator| operator.kind) {
                *kinds.entry(kind).or_default() += 1;
            }
            for activation in distinct(|operator| operator.activation) {
                *activations.entry(activation).or_default() += 1;
            }
        }
    }
    println!("kinds {kinds:?}, activations {activations:?}");
    for kind in OPERATOR_CONVOLUTION..=OPERATOR_RECURRENT {
        assert!(kinds.get(&kind) >= Some(&LEAST), "kind {kind}: {kinds:?}");
    }
    for activation in ACTIVATION_NONE..=ACTIVATION_EXPONENTIAL {
        let seen = activations.get(&activation);
        assert!(seen >= Some(&LEAST), "activation {activation}: {activations:?}");
    }
}

/// Measurements hold the tables that they were read with. A reader that makes others of the same networks predicts by what others learned: then the
/// tables of the shipped ones are to be read anew: `examples/read_anew.rs`.
#[test]
#[ignore = "takes long"]
fn shipped_tables_are_those_that_are_read_today() {
    let mut tables = BTreeMap::new();
    for hardware in ["epyc-1t", "zen5-1t"] {
        let file = format!("{}/../datasets/{hardware}/onnx/onnx.jsonl", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(file).expect("the shipped networks");
        for line in text.lines() {
            let measurement: Measurement = serde_json::from_str(line).expect("a measurement");
            let network = measurement.network.expect("what it computes");
            if let Some(other) = tables.insert(network.name.clone(), network.clone()) {
                assert_eq!(other, network, "{hardware}");
            }
        }
    }
    assert!(tables.len() > 700, "{}", tables.len());
    let rules = Rules::of("onnxruntime", ["avx512f"]);
    let others = tables.iter().filter(|(name, shipped)| {
        let network: RandomNetwork = name.parse().expect("a random network");
        let given = GivenNetwork::random(network).and_then(|given| given.load(rules.as_ref()));
        given.expect("it is read").network != **shipped
    });
    let others: Vec<&String> = others.map(|(name, _)| name).collect();
    assert!(others.is_empty(), "{} of {}: {others:?}", others.len(), tables.len());
}

/// Measurements are kept by the names of networks, and are of nothing else.
#[test]
fn a_name_means_the_same_bytes_for_ever() {
    let digest = |name: &str| {
        let network: RandomNetwork = name.parse().expect("a name");
        let digest = Sha256::digest(network.onnx());
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    for (name, expected) in PINNED {
        assert_eq!(digest(name), expected, "{name}");
    }
}

const PINNED: [(&str, &str); 11] = [
    (
        "convnets-0",
        "c17891cfcab27a0fcc8b550f399fe6b4903b34c789ac07b83ec58cbc7f67dfb7",
    ),
    (
        "convnets-7",
        "22c9cfd821a0e24d73746795918246ba43a073f82125362339a047d6b2ec710a",
    ),
    (
        "convnets-17",
        "e3e978019d7aecd1afe3f70ea744c5ff672000e7d208ce05f9cd25e9b2b8cac3",
    ),
    (
        "convnets-42",
        "9d7a13967c6c37ada3bf67cc320d562db5726f6eca77f01c1cabc7fee1767070",
    ),
    (
        "transformers-0",
        "dbd2a24292d37baabaf3bc877caede6a582f541a65d775e6f877f16055df10c6",
    ),
    (
        "transformers-3",
        "34fb5de46e041d7a548b786b63fb4dd070a97f78eb5ac96cdde645c707d310d2",
    ),
    (
        "transformers-17",
        "bbd2632bd0ac1d252503acbd6f4aa1500255be86b48785b2a3804c0547d891c1",
    ),
    (
        "transformers-42",
        "26e5f275ea843eee4f8cbedd73475feb682182966b8264f3736bd5437a596408",
    ),
    (
        "backbones-0",
        "46599ce8d8047d7ced61749cde39550ef184489df9095cf6aace853fdc2b3b8d",
    ),
    (
        "backbones-5",
        "eca68142d1b20c426e7e0ad032d0dae7defe9cbbb20dd03549c301f0c9b73f18",
    ),
    (
        "backbones-33",
        "6d0aa5df00d4ecfd6b63d61ebf1e3ca6f707a97995a66c44457e0ced7b411044",
    ),
];

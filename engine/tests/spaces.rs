//! Networks of the spaces that are shipped, against what is published of them.

use lglp_engine::networks::{self, Cost, NoNetwork};
use lglp_sdk::{Sampler, SearchSpace};
use serde_json::{Value, json};

fn space(name: &str) -> SearchSpace {
    let path = format!("{}/../catalog/spaces/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    SearchSpace::from_toml(&std::fs::read_to_string(path).expect("a file")).expect("a space")
}

fn cost(space: &str, architecture: &Value) -> Cost {
    let space = self::space(space);
    let architecture = space.architecture_from_json(architecture).expect("an architecture");
    networks::cost(&space, &architecture).expect("a network")
}

/// Batch normalisation is folded here, which takes some parameters away: 2 of each channel are published where 1 is counted.
#[test]
fn networks_cost_what_is_published_of_them() {
    let all = |count: usize, value: Value| vec![value; count];
    let cases = [
        // The benchmark's own table (github.com/D-X-Y/NAS-Bench-201) tells 220.12 M and 15.65 M of these two.
        (
            "nas-bench-201",
            json!("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"),
            220.12,
            1.53,
        ),
        (
            "nas-bench-201",
            json!("|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"),
            15.65,
            0.129,
        ),
        // DeiT-Tiny: 1.26 GMACs, 5.72 M parameters (github.com/huggingface/pytorch-image-models, results/benchmark-infer).
        (
            "vit",
            json!({
                "resolution": 224, "patch": 16, "hidden": 192, "depth": 12,
                "heads": all(12, json!(3)), "mlp_ratio": all(12, json!(4)),
            }),
            1_260.0,
            5.72,
        ),
        // ResNet-50-D, which is the space's network of ordinary depth, width and expansion: 4.35 GMACs, 25.6 M parameters (ibid.).
        (
            "ofa-resnet50",
            json!({ "r": 224, "d": [2, 1, 2, 2, 1], "w": all(6, json!(2)), "e": all(18, json!(0.25)) }),
            4_350.0,
            25.6,
        ),
        // BERT-base without its pooler's task: 11.2 GMACs of 128 tokens (85.1 M weights of its layers times 128, and attention), 109.5 M
        // parameters (Devlin et al., 2019, with 512 places; here are 128 of them and no types of tokens).
        (
            "bert",
            json!({
                "length": 128, "hidden": 768, "depth": 12,
                "heads": all(12, json!(12)), "intermediate": all(12, json!(3072)),
            }),
            11_174.0,
            109.2,
        ),
    ];
    for (space, architecture, million_macs, million_parameters) in cases {
        let cost = cost(space, &architecture);
        let (macs, parameters) = (cost.macs as f64 / 1e6, cost.parameters as f64 / 1e6);
        assert!(
            (macs / million_macs - 1.0).abs() < 0.01,
            "{space}: {macs} million multiply-accumulates"
        );
        assert!(
            (parameters / million_parameters - 1.0).abs() < 0.015,
            "{space}: {parameters} million parameters"
        );
    }
}

/// What does not lead from what goes in to what comes out is not computed; where nothing does, there are zeros.
#[test]
fn edges_that_lead_nowhere_cost_nothing() {
    let of = |edges: &str| cost("nas-bench-201", &json!(format!("nas-bench-201@{edges}")));
    let none = of("none,none,none,none,none,none");
    assert_eq!(of("nor_conv_3x3,none,none,none,none,none"), none);
    assert_eq!(of("none,nor_conv_3x3,nor_conv_3x3,none,none,none"), none);
    assert_eq!(of("none,none,nor_conv_3x3,none,nor_conv_3x3,nor_conv_3x3"), none);
    assert!(of("none,none,none,nor_conv_3x3,none,none").macs > none.macs);
}

#[test]
fn choices_that_do_not_go_together_are_told() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../catalog/spaces/vit.toml")).expect("a file");
    // Five heads do not share 192 features.
    let text = text.replace("features = \"heads.$ * 64\"", "features = \"hidden\"");
    let space = SearchSpace::from_toml(&text).expect("a space");
    let architecture = Sampler::new(&space, 0)
        .find(|one| matches!(networks::cost(&space, one), Err(NoNetwork::Impossible { .. })))
        .expect("most do not go together");
    let error = networks::cost(&space, &architecture)
        .expect_err("it makes none")
        .to_string();
    for words in [
        "vit@",
        "network.chain[1], repetition",
        "attention",
        "is no multiple of",
        "heads",
    ] {
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_space_without_networks_says_so() {
    let text = "name = \"plain\"\ntitle = \"t\"\n[[decisions]]\nname = \"op\"\nchoices = [1, 2]\n";
    let space = SearchSpace::from_toml(text).expect("a space");
    let architecture = Sampler::new(&space, 0).next().expect("an architecture");
    let error = networks::cost(&space, &architecture).expect_err("it has none");
    assert_eq!(error, NoNetwork::NotDefined { space: "plain".into() });
    assert!(error.to_string().contains("[network]"), "{error}");
}

/// Once-for-All rounds the width of a block, and what is inside of it from that.
#[test]
fn channels_are_rounded_as_once_for_all_does() {
    // `make_divisible` of Once-for-All's code, which is MobileNet's, by 8.
    let divisible = |channels: f64| {
        let nearest = (((channels + 4.0) as u32) / 8 * 8).max(8);
        if f64::from(nearest) < 0.9 * channels {
            nearest + 8
        } else {
            nearest
        }
    };
    let space = space("ofa-resnet50");
    for (number, width) in [0.65, 0.8, 1.0].into_iter().enumerate() {
        for expand in [0.2, 0.25, 0.35] {
            let form = json!({ "r": 224, "d": [0, 0, 0, 0, 0], "w": vec![number; 6], "e": vec![expand; 18] });
            let architecture = space.architecture_from_json(&form).expect("an architecture");
            let operators = networks::operators(&space, &architecture).expect("a network");
            let convolutions = operators
                .iter()
                .filter(|operator| operator.kernel == 3 && operator.groups == 1);
            // Two of the stem come first.
            let inner: Vec<u32> = convolutions.map(|operator| operator.channels_out).skip(2).collect();
            let expected =
                [(256.0, 2), (512.0, 2), (1024.0, 4), (2048.0, 2)]
                    .into_iter()
                    .flat_map(|(channels, depth)| {
                        let outer = divisible(channels * width);
                        vec![divisible((f64::from(outer) * expand).round()); depth]
                    });
            assert_eq!(inner, expected.collect::<Vec<_>>(), "width {width}, expand {expand}");
        }
    }
}

/// Encoded networks have as many steps as the longest has at most: what is fitted on shorter ones takes any.
#[test]
fn no_network_has_more_operators_than_its_space() {
    for name in ["nas-bench-201", "fbnet", "ofa-resnet50", "vit", "bert"] {
        let space = space(name);
        let most = networks::most_operators(&space).expect("it has networks");
        let drawn = Sampler::new(&space, 1)
            .take(40)
            .chain(Sampler::weighted(&space, 1).take(40));
        let longest = drawn
            .map(|one| networks::operators(&space, &one).expect("a network").len())
            .max();
        let longest = longest.expect("some were drawn");
        assert!(longest <= most && most < 8 * longest, "{name}: {longest} of {most}");
    }
    let fbnet = space("fbnet");
    let text = format!("fbnet@{}", vec!["k3_e1_g2"; 22].join(","));
    let longest = fbnet.architecture_from_text(&text).expect("an architecture");
    let longest = networks::operators(&fbnet, &longest).expect("a network").len();
    assert!(longest <= networks::most_operators(&fbnet).expect("it has networks"));
}

/// What a file asks for is bounded before memory is.
#[test]
fn networks_that_no_device_holds_are_refused() {
    let head = "name = \"large\"\ntitle = \"t\"\n[[decisions]]\nname = \"op\"\nchoices = [1]\n[network]\n";
    let cases = [
        (
            "input = { length = 1, vocabulary = 10000000, features = 100000 }\nblocks = { b = { steps = [{ op = \"layer-norm\" }] } }\n\
             chain = [{ run = [\"b\"] }]\n",
            "its weights take",
        ),
        (
            "input = { side = 70000 }\nblocks = { b = { steps = [{ op = \"tokens\" }] } }\nchain = [{ run = [\"b\"] }]\n",
            "more than",
        ),
        (
            "input = { side = 8 }\nblocks = { b = { steps = [{ op = \"conv\", kernel = 0 }] } }\nchain = [{ run = [\"b\"] }]\n",
            "kernel is 0; allowed: 1 to",
        ),
    ];
    for (network, words) in cases {
        let space = SearchSpace::from_toml(&format!("{head}{network}")).expect("a space");
        let architecture = Sampler::new(&space, 0).next().expect("an architecture");
        let error = networks::cost(&space, &architecture).expect_err(words).to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

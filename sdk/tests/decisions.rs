//! Spaces of decisions: what of their definitions is refused, and their forms of writing.

use std::collections::BTreeSet;
use std::path::Path;

use lglp_sdk::{Sampler, SearchSpace};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The spaces of decisions that are shipped.
fn shipped() -> Vec<SearchSpace> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/spaces");
    let files = std::fs::read_dir(folder).expect("a folder");
    let spaces = files.map(|file| {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("a text");
        SearchSpace::from_toml(&text).expect("a consistent space")
    });
    spaces.filter(|space| space.chain().is_none()).collect()
}

/// A space of everything that decisions may depend on, without networks.
const SMALL: &str = r#"
name = "small"
title = "A space for tests"
constraints = [{ of = ["layer"], values = ["conv"], at_least = 1 }]
forbidden = [{ depth = [3], wide = [true] }]

[[decisions]]
name = "depth"
choices = [1, 2, 3]

[[decisions]]
name = "wide"
choices = [false, true]

[[decisions]]
name = "layer"
repeat = "depth"
choices = ["conv", "pool", "skip"]

[[decisions]]
name = "ratio"
repeat = "depth"
when = { "layer.$" = ["conv"] }
choices = [0.25, 1.0]

[forms]
texts = ["d{depth}-{wide}:{layer.1}/{layer.2}/{layer.3}:{ratio.1}/{ratio.2}/{ratio.3}"]
"#;

fn small() -> SearchSpace {
    SearchSpace::from_toml(SMALL).expect("a consistent space")
}

/// A definition with one part of it changed.
fn changed(from: &str, to: &str) -> String {
    assert_eq!(SMALL.matches(from).count(), 1, "{from}");
    SMALL.replacen(from, to, 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn text_json_and_rows_round_trip(seed: u64) {
        for space in shipped().into_iter().chain([small()]) {
            for mut sampler in [Sampler::new(&space, seed), Sampler::weighted(&space, seed)] {
                let architecture = sampler.next().expect("samplers never end");
                let text = space.canonical_text(&architecture);
                prop_assert_eq!(&space.architecture_from_text(&text).expect("text"), &architecture);
                let readable = space.architecture_to_json(&architecture);
                prop_assert_eq!(&space.architecture_from_json(&readable).expect("JSON"), &architecture);
                prop_assert_eq!(&space.architecture_from_row(architecture.row()).expect("a row"), &architecture);
                prop_assert!(space.has_shape_of(&readable));
            }
        }
    }

    #[test]
    fn arbitrary_rows_are_refused_or_valid(bytes in proptest::collection::vec(0u8..4, 0..12)) {
        let space = small();
        for row in [&bytes[..], &bytes[..bytes.len().min(space.row_len())]] {
            if let Ok(architecture) = space.architecture_from_row(row) {
                let text = space.canonical_text(&architecture);
                prop_assert_eq!(space.architecture_from_text(&text).expect("text"), architecture);
            }
        }
    }

    #[test]
    fn arbitrary_texts_are_refused_or_valid(text in "small@[0-9a-z,.@]{0,40}|d[0-9]-(true|false|x):[a-z/]{0,20}:[0-9./]{0,20}") {
        let space = small();
        if let Ok(architecture) = space.architecture_from_text(&text) {
            prop_assert_eq!(&space.architecture_from_row(architecture.row()).expect("a row"), &architecture);
        }
    }
}

#[test]
fn a_definition_survives_the_way_to_a_plugin() {
    for space in shipped().into_iter().chain([small()]) {
        let read = SearchSpace::from_json(&space.to_json()).expect("a space");
        assert_eq!(read, space);
        assert_eq!(read.digest(), space.digest());
        let listed: SearchSpace = serde_json::from_value(json!(space)).expect("a space");
        assert_eq!(listed, space);
    }
}

/// Digests are kept with measurements and versions.
#[test]
fn digests_tell_what_they_depend_on() {
    let space = small();
    let other = |from, to| SearchSpace::from_toml(&changed(from, to)).expect("a space");
    let titled = other("A space for tests", "Another title");
    assert_eq!(titled.digest(), space.digest());
    let start = SMALL.find("[forms]").expect("it has forms");
    let plain = SearchSpace::from_toml(&SMALL[..start]).expect("a space");
    assert_eq!(plain.digest(), space.digest(), "forms of writing change no row");
    let further = other("choices = [0.25, 1.0]", "choices = [0.25, 0.5, 1.0]");
    assert_ne!(further.digest(), space.digest());
    assert_eq!(
        further.networks_digest(),
        space.networks_digest(),
        "texts name what they did"
    );
    let elsewhere = other("\"layer.$\" = [\"conv\"]", "\"layer.$\" = [\"conv\", \"pool\"]");
    assert_ne!(elsewhere.networks_digest(), space.networks_digest());
}

/// `forbidden` names a decision: it is renamed, too.
#[test]
fn what_is_renamed_is_renamed_wherever_it_is_named() {
    let text = changed("name = \"wide\"\n", "name = \"width\"\n");
    let error = SearchSpace::from_toml(&text).expect_err("it names `wide`").to_string();
    assert!(error.contains("`wide`") && error.contains("forbidden[0]"), "{error}");
}

#[test]
fn samples_keep_the_rules_and_cover_the_space() {
    let space = small();
    let all: BTreeSet<String> = Sampler::new(&space, 0)
        .take(20_000)
        .map(|architecture| space.canonical_text(&architecture))
        .collect();
    // By hand: of a layer, a convolution has two ratios, the other two have none, so that there are 4 ways; those without any
    // convolution, 2 to the power of the depth, break the rule. Three layers are never wide.
    let of_depth = |depth: u32| 4_usize.pow(depth) - 2_usize.pow(depth);
    assert_eq!(all.len(), 2 * of_depth(1) + 2 * of_depth(2) + of_depth(3));
    assert!((10f64.powf(space.architectures_log10()) / all.len() as f64 - 1.0).abs() < 0.1);
    let exact = shipped()
        .into_iter()
        .find(|space| space.name() == "nas-bench-201")
        .expect("it is shipped");
    assert!((10f64.powf(exact.architectures_log10()) - 15_625.0).abs() < 1e-6);
}

#[test]
fn forms_that_come_from_elsewhere_are_read() {
    let spaces = shipped();
    let space = |name: &str| spaces.iter().find(|space| space.name() == name).expect("it is shipped");
    let text = |name: &str, form: Value| {
        let architecture = space(name).architecture_from_json(&form).expect("an architecture");
        space(name).canonical_text(&architecture)
    };
    assert_eq!(
        text(
            "nas-bench-201",
            json!("|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|skip_connect~1|nor_conv_3x3~2|")
        ),
        "nas-bench-201@avg_pool_3x3,nor_conv_1x1,skip_connect,none,skip_connect,nor_conv_3x3"
    );
    let numbers: Vec<usize> = (0..22).map(|layer| layer % 9).collect();
    let fbnet = text("fbnet", json!({ "op_idx_list": numbers }));
    assert!(
        fbnet.starts_with("fbnet@k3_e1,k3_e1_g2,k3_e3,k3_e6,k5_e1,k5_e1_g2,k5_e3,k5_e6,skip,k3_e1,"),
        "{fbnet}"
    );
    assert_eq!(text("fbnet", json!(numbers)), fbnet, "a list alone");
    assert_eq!(
        text("fbnet", json!(format!("{numbers:?}"))),
        fbnet,
        "as a cell of a table holds it"
    );
    // What is written for layers that are not there is ignored, as Once-for-All's own code does.
    for side in ["r", "image_size"] {
        let mut expand = vec![0.35; 18];
        (expand[2], expand[3]) = (0.2, 0.2);
        let form = json!({ side: 160, "d": [0, 0, 1, 2, 0], "e": expand, "w": [0, 1, 2, 2, 1, 0] });
        assert_eq!(
            text("ofa-resnet50", form),
            "ofa-resnet50@160,0,0,1,2,0,0.65,0.8,1,1,0.8,0.65,0.35,0.35,0.35,0.35,0.35,0.35,0.35,0.35,0.35,0.35,0.35,0.35,0.35"
        );
    }
}

#[test]
fn faults_of_architectures_name_their_place_and_what_is_allowed() {
    let space = small();
    let cases = [
        (json!({ "depth": 4, "wide": false }), "/depth", "allowed: 1, 2, 3"),
        (
            json!({ "depth": 1, "wide": 1, "layer": ["conv"], "ratio": [1] }),
            "/wide",
            "allowed: false, true",
        ),
        (
            json!({ "depth": 2, "wide": true, "layer": ["conv"] }),
            "/layer/1",
            "missing",
        ),
        (
            json!({ "depth": 1, "wide": true, "layer": ["conv"] }),
            "/ratio/0",
            "allowed: 0.25, 1",
        ),
        (
            json!({ "depth": 1, "wide": true, "layer": ["conv", "pool"], "ratio": [1] }),
            "/layer/1",
            "leave it out",
        ),
        (
            json!({ "depth": 1, "wide": true, "layer": ["conv", "pool", "pool", "pool"], "ratio": [1] }),
            "/layer",
            "3 times at most",
        ),
        (
            json!({ "depth": 1, "wide": true, "layer": "conv" }),
            "/layer",
            "expected an array",
        ),
        (json!({ "deep": 1 }), "/deep", "known: depth, wide, layer, ratio"),
        (
            json!({ "depth": 1, "wide": true, "layer": ["pool"] }),
            "/layer/0",
            "at least 1",
        ),
        (
            json!({ "depth": 3, "wide": true, "layer": ["conv", "pool", "pool"], "ratio": [1] }),
            "/depth",
            "forbids that depth is 3 and wide is true",
        ),
        (json!("small@1,true,conv"), "", "`ratio.1` is missing"),
        (
            json!("small@1,true,conv,1,1"),
            "",
            "5 decisions; with these choices there are 4",
        ),
        (json!("small@1,true,stove,1"), "", "`layer.1` is stove"),
        (json!("other@1"), "", "space `other`"),
        (json!("d1-true:conv//1//"), "", "the text reads like d{depth}"),
        (json!(7), "", "a field for each decision"),
    ];
    for (given, pointer, words) in cases {
        let error = space.architecture_from_json(&given).expect_err("it is refused");
        assert_eq!(error.pointer, pointer, "{given}: {error}");
        assert!(error.to_string().contains(words), "{given}: {error}");
    }
    let told = space
        .architecture_from_json(&json!("d2-true:conv/pool/skip:1/0.25/1"))
        .expect("what is not there is ignored");
    assert_eq!(space.canonical_text(&told), "small@2,true,conv,pool,1");
}

#[test]
fn faults_of_definitions_name_the_field() {
    let cases = [
        (changed("name = \"depth\"", "name = \"de pth\""), "decisions[0].name"),
        (
            changed("choices = [1, 2, 3]", "choices = []"),
            "decision `depth`, choices",
        ),
        (changed("choices = [1, 2, 3]", "choices = [1, 2, 2.0]"), "twice"),
        (changed("\"skip\"]", "\"s kip\"]"), "decision `layer`, choices"),
        (changed("choices = [1, 2, 3]", "choices = [1, \"two\", 3]"), "no number"),
        (changed("choices = [1, 2, 3]", "choices = [1, 2, 2.5]"), "whole number"),
        (
            changed("repeat = \"depth\"\nchoices", "repeat = \"deep\"\nchoices"),
            "`deep`, which is no earlier decision",
        ),
        (changed("repeat = \"depth\"\nchoices", "repeat = 5000\nchoices"), "4096"),
        (
            changed("repeat = \"depth\"\nchoices", "repeat = \"depth - 1\"\nchoices"),
            "sum of products",
        ),
        (
            changed("\"layer.$\" = [\"conv\"]", "\"layer.$\" = [\"dense\"]"),
            "when.layer.1 holds dense",
        ),
        (changed("of = [\"layer\"]", "of = [\"layers\"]"), "constraints[0].of"),
        (
            changed("values = [\"conv\"]", "values = [\"dense\"]"),
            "constraints[0].values",
        ),
        (changed("at_least = 1", "at_least = 4"), "hardly any"),
        (changed("at_least = 1", "at_lest = 4"), "at_lest"),
        (
            changed("{layer.1}/{layer.2}", "{layer.1}{layer.2}"),
            "something between",
        ),
        (changed("{layer.1}/", "x/"), "tells `layer.1` 0 times"),
        (changed("d{depth}", "d{depth"), "forms.texts[0]"),
        (
            changed("name = \"ratio\"", "name = \"layer\""),
            "two decisions are called `layer`",
        ),
        (
            changed("name = \"ratio\"", "name = \"layer.1\""),
            "two decisions are called `layer.1`",
        ),
        (
            changed("of = [\"layer\"]", "of = [\"layer\", \"layer.2\"]"),
            "constraints[0].of names a decision twice",
        ),
        // A text of several meanings was read as the first.
        (
            changed("\"skip\"]", "\"skip/it\"]")
                .replace("skip/it", "skip-it")
                .replace("}/{layer.2}", "}-{layer.2}"),
            "nobody could tell",
        ),
        (changed("d{depth}", "[{depth}"), "begins as JSON does"),
        // It has no text, and encoders found no column.
        (
            changed("repeat = \"depth\"\nchoices", "repeat = 0\nchoices"),
            "never there",
        ),
    ];
    for (text, words) in cases {
        let error = SearchSpace::from_toml(&text).expect_err(words).to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

/// A space with networks, small enough to be changed.
const WITH_NETWORKS: &str = r#"
name = "nets"
title = "A space of networks"

[[decisions]]
name = "op"
repeat = 2
choices = ["conv", "pool"]

[[decisions]]
name = "act"
choices = ["relu", "swish"]

[network]
input = { side = 32 }

[network.blocks]
conv = { steps = [{ op = "conv", kernel = 3, channels = "width", activation = "act" }] }
pool = { steps = [{ op = "max-pool", kernel = 3 }] }
head = { steps = [{ op = "global-average-pool" }, { op = "linear", features = 10 }] }

[[network.chain]]
run = ["op.$"]
repeat = 2
with = { width = [8, 16] }

[[network.chain]]
run = ["head"]
"#;

#[test]
fn rules_are_about_what_is_there() {
    // One pool alone was allowed where two were not.
    let text = changed("{ depth = [3], wide = [true] }", "{ layer = [\"pool\"] }");
    let text = text.replacen("at_least = 1", "at_most = 3", 1);
    let space = SearchSpace::from_toml(&text).expect("a space");
    for (layers, is_allowed) in [
        ("1,true,pool", false),
        ("2,true,pool,pool", false),
        ("2,true,pool,skip", true),
    ] {
        let read = space.architecture_from_text(&format!("small@{layers}"));
        assert_eq!(read.is_ok(), is_allowed, "{layers}");
    }
    // Weighted draws never kept this one, and whoever asked for one waited for ever.
    let text = "name = \"few\"\ntitle = \"t\"\nconstraints = [{ of = [\"a\"], values = [1], at_most = 84 }]\n\
                [[decisions]]\nname = \"a\"\nrepeat = 200\nchoices = [0, 1]\n";
    let error = SearchSpace::from_toml(text)
        .expect_err("large ones break it")
        .to_string();
    assert!(error.contains("hardly any"), "{error}");
}

#[test]
fn faults_of_templates_name_the_field() {
    SearchSpace::from_toml(WITH_NETWORKS).expect("a consistent space");
    let cases = [
        (
            "channels = \"width\"",
            "channels = \"breadth\"",
            "network.chain[0], repetition 1: `breadth`",
        ),
        ("activation = \"act\"", "activation = \"op.1\"", "no activation"),
        ("\"swish\"]", "\"swoosh\"]", "no activation"),
        ("repeat = 2\nwith", "repeat = 3\nwith", "network.chain[0] runs `op.$`"),
        ("run = [\"head\"]", "run = [\"tail\"]", "network.chain[1] runs `tail`"),
        (
            "choices = [\"conv\", \"pool\"]",
            "choices = [\"conv\", \"dense\"]",
            "there is no such block",
        ),
        ("width = [8, 16]", "width = []", "network.chain[0].with.width is empty"),
        ("repeat = 2\nwith", "repeat = 100000\nwith", "4096"),
        ("op = \"max-pool\"", "op = \"maxpool\"", "maxpool"),
        ("op = \"max-pool\", kernel = 3", "op = \"max-pool\", size = 3", "size"),
        ("input = { side = 32 }", "input = { side = 32, length = 7 }", "input"),
        ("pool = { steps", "pool = { disconnected = true, steps", "disconnected"),
        ("channels = \"width\"", "channels = \"act\"", "may be a word"),
        // Each was taken, and left out a step, a number or a check.
        (
            "kernel = 3, channels",
            "when = { act = [\"tanh\"] }, kernel = 3, channels",
            "when.act holds tanh",
        ),
        (
            "kernel = 3, channels",
            "when = { width = [\"8\"] }, kernel = 3, channels",
            "must hold numbers",
        ),
        ("with = { width", "with = { in = 64, width", "`in` must be a name"),
        ("with = { width", "with = { act = 64, width", "`act` must be a name"),
        (
            "input = { side = 32 }",
            "input = { side = \"in\" }",
            "`in` is no decision",
        ),
        ("repeat = 2\nwith", "repeat = \"op.$\"\nwith", "repeat names `op.$`"),
        (
            "channels = \"width\"",
            "multiple_of = 4294967295, channels = \"width\"",
            "multiple_of",
        ),
        ("channels = \"width\"", "channels = \"width - 1\"", "sum of products"),
        ("input = { side = 32 }", "input = { sidee = 32 }", "an input is { side"),
        (
            "pool = { steps = [{ op = \"max-pool\", kernel = 3 }] }",
            "pool = { edges = [{ from = 0, to = 1000000000000, run = \"conv\" }] }",
            "256 at most",
        ),
    ];
    for (from, to, words) in cases {
        assert_eq!(WITH_NETWORKS.matches(from).count(), 1, "{from}");
        let text = WITH_NETWORKS.replacen(from, to, 1);
        let error = SearchSpace::from_toml(&text).expect_err(to).to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

//! Predictions by look-ups of the parts that networks have in common, against those of whole networks.

use std::collections::{BTreeMap, HashSet};

use lglp_engine::host::{ComponentKind, EncoderInstance, FittedInstance, PluginHost};
use lglp_engine::networks::{self, Cost, Parts, Rules};
use lglp_engine::predictor::{FittedModel, Fitting, Labelled, Recipe};
use lglp_sdk::plugin::Operator;
use lglp_sdk::{Architecture, Sampler, SearchSpace};
use lglp_tests::plugins::plugins_of;
use lglp_tests::{HARDWARE, Registry, program, readable, release, root, spaces};
use serde_json::{Value, json};

fn space(name: &str) -> SearchSpace {
    let text = std::fs::read_to_string(root().join(format!("catalog/spaces/{name}.toml"))).expect("a space");
    SearchSpace::from_toml(&text).expect("a consistent space")
}

fn nowhere(operator: &Operator) -> Operator {
    Operator {
        block: 0,
        layer: 0,
        ..*operator
    }
}

/// Where a part stands does not matter to what it does.
fn anywhere(operator: &Operator) -> Operator {
    Operator {
        block: operator.block.min(1),
        layer: operator.layer.min(1),
        ..*operator
    }
}

/// Those of runtimes that architectures are counted by, and none.
fn all_rules() -> [Option<Rules>; 3] {
    let of = |simd| Some(Rules::of("onnxruntime", [simd]).expect("rules"));
    [None, of("avx2"), of("avx512f")]
}

/// Versions that had learned from networks by rules of their runtime predicted an architecture some percent longer than its ONNX file, since
/// architectures were counted without them.
#[test]
fn an_architecture_is_executed_as_its_onnx_file_is() {
    for (name, rules) in spaces().iter().flat_map(|name| all_rules().map(|rules| (name, rules))) {
        let space = space(name);
        for one in &networks::some(&space, Sampler::new(&space, 5), 3) {
            let built = networks::build(&space, one, 1, 0).expect("a network");
            let read = lglp_onnx::read(built.onnx.into(), &BTreeMap::new()).expect("it is read");
            let of_file: Vec<Operator> = read.executed(rules.as_ref()).operators.iter().map(nowhere).collect();
            let of_space = networks::executed(&space, one, rules.as_ref()).expect("a network");
            assert_eq!(
                of_space.iter().map(nowhere).collect::<Vec<_>>(),
                of_file,
                "{}",
                space.canonical_text(one)
            );
        }
    }
}

#[test]
fn parts_make_the_networks_that_they_are_parts_of() {
    for (name, rules) in spaces().iter().flat_map(|name| all_rules().map(|rules| (name, rules))) {
        let space = space(name);
        let parts = Parts::new(&space, rules.as_ref());
        let some: Vec<Architecture> = Sampler::new(&space, 3).take(400).collect();
        let costs: Vec<Cost> = some
            .iter()
            .map(|one| networks::cost(&space, one).expect("a network"))
            .collect();
        // In portions: most parts of the later ones are known by then.
        for (some, costs) in some.chunks(50).zip(costs.chunks(50)) {
            assert_eq!(parts.costs(some.iter()), costs);
            let walks = parts.walks(some.iter()).expect("there is room");
            for (one, numbers) in some.iter().zip(walks.iter()) {
                let told = numbers.iter().flat_map(|number| parts.operators(*number));
                let whole = networks::executed(&space, one, rules.as_ref()).expect("a network");
                assert_eq!(
                    told.map(|operator| anywhere(&operator)).collect::<Vec<_>>(),
                    whole.iter().map(anywhere).collect::<Vec<_>>(),
                    "{}",
                    space.canonical_text(one)
                );
            }
        }
        // Networks that are no chains are one part each.
        if space.chain().is_none() {
            continue;
        }
        // A layer of a kind comes again in network after network.
        let walks = parts.walks(some.iter()).expect("there is room");
        let all: Vec<u32> = walks.iter().flatten().copied().collect();
        let distinct = all.iter().collect::<HashSet<_>>().len();
        assert!(
            2 * distinct < 3 * all.len() / 2,
            "{distinct} of {} parts of {name}",
            all.len()
        );
    }
}

#[test]
fn sums_over_parts_predict_what_whole_networks_do() {
    let host = PluginHost::open(&release().join("plugins"), &program()).expect("`make build`");
    let space = space("mobilenetv3");
    let path = root().join("datasets").join(HARDWARE).join("mobilenetv3.jsonl");
    let text = std::fs::read_to_string(path).expect("the shipped dataset");
    let rows: Vec<Value> = text
        .lines()
        .take(150)
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let read = |row: &Value| {
        let text = row["architecture"].as_str().expect("canonical text");
        space.architecture_from_text(text).expect("an architecture")
    };
    let architectures: Vec<Architecture> = rows.iter().map(read).collect();
    let labels: Vec<f64> = rows.iter().map(|row| row["latency_ms"].as_f64().expect("ms")).collect();
    let recipe = Recipe::load(&root().join("catalog/recipes"), "additive").expect("a recipe");
    let fitting = Fitting {
        recipe: &recipe,
        host: &host,
        space: &space,
        seed: 0,
        priors: &[],
    };
    let labelled = |from: usize, to: usize| Labelled {
        architectures: &architectures[from..to],
        labels: &labels[from..to],
        networks: &[],
    };
    let model = FittedModel::fit(fitting, labelled(0, 120), labelled(120, 150), &mut |_| true).expect("a model");

    // The same state, asked for whole networks.
    let handle = host
        .component(ComponentKind::Regressor, "additive")
        .expect("a regressor");
    let state = &model.save().expect("a state")["regressor"];
    let whole = FittedInstance::load(&handle, handle.state_version(), state).expect("it is read");
    let handle = host.component(ComponentKind::Encoder, "operators").expect("an encoder");
    let encoder = EncoderInstance::new(&handle, &space, &json!({})).expect("an encoder");
    assert!(whole.sums_lengths().expect("lengths").is_some(), "it offers sums");

    let some: Vec<Architecture> = Sampler::new(&space, 5).take(300).collect();
    let inputs = encoder.encode(some.iter()).expect("encoded");
    let wholes = whole
        .predict_spread(&inputs)
        .expect("predictions")
        .expect("it is offered");
    let values = model.predict(some.iter()).expect("predictions");
    let estimates = model.estimate(some.iter()).expect("predictions");
    for at in 0..some.len() {
        let (value, spread) = (wholes.predicted[at], wholes.spreads[at]);
        assert!(
            (values[at] - value).abs() <= 1e-12 * value,
            "{} for {value}",
            values[at]
        );
        assert_eq!(values[at], estimates[at].value, "with its spread it is the same");
        let told = estimates[at].spread.expect("a spread");
        assert!((told - spread).abs() <= 1e-5 * spread, "{told} for {spread}");
    }
    // Whatever else is asked for with it.
    let alone = model.estimate(some[17..18].iter()).expect("a prediction");
    assert_eq!(alone[0], estimates[17]);
    let mut reversed: Vec<Architecture> = some.clone();
    reversed.reverse();
    let mut reversed = model.estimate(reversed.iter()).expect("predictions");
    reversed.reverse();
    assert_eq!(reversed, estimates);
}

/// A registry with the plugin of regressors that are broken, and some measurements.
fn with_broken_regressors() -> Registry {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    let file = "liblglp_plugin_panicking.so";
    std::fs::copy(release().join(file), folder.join(file)).expect("`make build` builds it");
    registry.plugins = Some(folder);
    registry.import(60);
    registry
}

/// A plugin that means different things by its sums and by its predictions would be believed in one and judged by the other.
#[test]
fn a_regressor_that_disagrees_with_itself_is_refused() {
    let registry = with_broken_regressors();
    let said = registry.fails(&["train", "--hardware", HARDWARE, "--recipe", "sums-disagree"]);
    assert!(
        said.contains("it predicts")
            && said.contains("for a network, and")
            && said.contains("by the sums over its parts"),
        "{said}"
    );
}

/// What fails in a part fails no network that can be predicted as a whole. What was learned of features is not asked of operators:
/// a regressor behind an extractor was, and this one would have been refused for it.
#[test]
fn whole_networks_are_predicted_where_parts_are_not() {
    let registry = with_broken_regressors();
    for recipe in ["sums-fail", "sums-of-features"] {
        let version = registry.train(recipe);
        assert_eq!(version["content"]["recipe"]["name"], recipe);
    }
    registry.ok(&["promote", "--hardware", HARDWARE, "1"]);
    let server = registry.serve();
    let body = json!({ "architectures": [readable(160, 1, 3, 3)] }).to_string();
    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/predict"), &body);
    assert_eq!(status, 200, "{answer}");
}

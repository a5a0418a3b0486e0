//! The plugin `classical` against scikit-learn, on the shipped measurements, at both's defaults.

use lglp_engine::host::{ComponentKind, EncoderInstance, FitData, FittedInstance, LabelledRows, Matrix, PluginHost};
use lglp_engine::train::Metrics;
use lglp_sdk::{Architecture, SearchSpace};
use lglp_tests::{HARDWARE, program, reference, release, root};
use serde_json::{Value, json};

const TRAIN: usize = 400;
const TEST: usize = 120;

struct Part {
    inputs: Matrix,
    latencies_ms: Vec<f64>,
}

impl Part {
    fn rows(&self) -> Vec<&[f32]> {
        self.inputs.data.chunks_exact(self.inputs.shape.len()).collect()
    }
}

/// Shipped measurements, encoded: those to train on and those to test on.
fn parts(host: &PluginHost, encoding: &str) -> [Part; 2] {
    let space = std::fs::read_to_string(root().join("catalog/spaces/mobilenetv3.toml")).expect("a space");
    let space = SearchSpace::from_toml(&space).expect("a consistent space");
    let path = root().join("datasets").join(HARDWARE).join("mobilenetv3.jsonl");
    let text = std::fs::read_to_string(path).expect("the shipped dataset");
    let measurements: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let handle = host.component(ComponentKind::Encoder, encoding).expect("an encoder");
    let encoder = EncoderInstance::new(&handle, &space, &json!({ "sequence": false })).unwrap_or_else(|_| {
        EncoderInstance::new(&handle, &space, &json!({})).expect("an encoding that is flat anyway")
    });
    [(0, TRAIN), (TRAIN, TEST)].map(|(from, count)| {
        let rows = &measurements[from..from + count];
        let architecture = |m: &Value| {
            let text = m["architecture"].as_str().expect("canonical text");
            space.architecture_from_text(text).expect("an architecture")
        };
        let architectures: Vec<Architecture> = rows.iter().map(architecture).collect();
        Part {
            inputs: encoder.encode(architectures.iter()).expect("encoded"),
            latencies_ms: rows.iter().map(|m| m["latency_ms"].as_f64().expect("ms")).collect(),
        }
    })
}

/// Predictions of a regressor that was fitted, saved and loaded.
fn predictions(host: &PluginHost, regressor: &str, train: &Part, test: &Part) -> Vec<f64> {
    let handle = host
        .component(ComponentKind::Regressor, regressor)
        .expect("a regressor");
    let data = FitData {
        train: LabelledRows {
            inputs: &train.inputs,
            targets: &train.latencies_ms,
        },
        validation: LabelledRows {
            inputs: &test.inputs,
            targets: &test.latencies_ms,
        },
        seed: 0,
        progress: &mut |_| true,
    };
    let fitted = FittedInstance::fit(&handle, &json!({}), data).expect("fitted");
    let state = fitted.save().expect("saved");
    let loaded = FittedInstance::load(&handle, 1, &state).expect("loaded");
    let found = loaded.predict(&test.inputs).expect("predicted");
    assert_eq!(
        found,
        fitted.predict(&test.inputs).expect("predicted"),
        "{regressor}, loaded"
    );
    found
}

#[test]
#[ignore = "takes long"]
fn regressors_equal_scikit_learns() {
    let host = PluginHost::open(&release().join("plugins"), &program()).expect("`make build`");
    for encoding in ["A", "D"] {
        let [train, test] = &parts(&host, encoding);
        let input = json!({ "train": train.rows(), "targets": train.latencies_ms, "test": test.rows() });
        let expected = reference("classical.py", &[], &input.to_string());
        let expected: Value = serde_json::from_str(&expected).expect("JSON");
        let expected = |name: &str| -> Vec<Vec<f64>> { serde_json::from_value(expected[name].clone()).expect("rows") };
        for name in ["linear", "bayesian-ridge", "elastic-net"] {
            let found = predictions(&host, name, train, test);
            for (found, expected) in found.iter().zip(&expected(name)[0]) {
                let difference = (found - expected).abs() / expected.abs();
                assert!(difference <= 1e-4, "{name} on {encoding}: {found}, expected {expected}");
            }
        }
        for name in ["svr", "gbdt"] {
            let mse = |predicted: &[f64]| Metrics::of(&test.latencies_ms, predicted).mse;
            let found = mse(&predictions(&host, name, train, test));
            let expected: Vec<f64> = expected(name).iter().map(|p| mse(p)).collect();
            let close = expected.iter().any(|e| (found / e - 1.0).abs() <= 0.01);
            assert!(close, "{name} on {encoding}: MSE {found}, expected one of {expected:?}");
        }
    }
}

/// Which of several columns that part the training rows alike is split on makes no difference to these rows, only to others:
/// so on the training rows, predictions are equal whatever scikit-learn draws.
#[test]
#[ignore = "takes long"]
fn boosted_trees_fit_the_training_rows_as_scikit_learns_do() {
    let host = PluginHost::open(&release().join("plugins"), &program()).expect("`make build`");
    for encoding in ["A", "D"] {
        let [train, _] = parts(&host, encoding);
        let input = json!({ "train": train.rows(), "targets": train.latencies_ms, "test": train.rows() });
        let expected: Value = serde_json::from_str(&reference("classical.py", &[], &input.to_string())).expect("JSON");
        let expected: Vec<Vec<f64>> = serde_json::from_value(expected["gbdt"].clone()).expect("rows");
        let found = predictions(&host, "gbdt", &train, &train);
        for (found, expected) in found.iter().zip(&expected[0]) {
            assert!(
                (found / expected - 1.0).abs() <= 1e-9,
                "{encoding}: {found}, expected {expected}"
            );
        }
    }
}

//! Numbers against independent implementations: encodings, LSTM features, LightGBM's predictions, metrics.

use lglp_engine::host::{ComponentKind, EncoderInstance, FittedInstance, Matrix, PluginHost};
use lglp_engine::train::Metrics;
use lglp_sdk::plugin::Shape;
use lglp_sdk::{Architecture, Sampler, SearchSpace};
use lglp_tests::{Registry, program, reference, release, root, spaces};
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

fn host() -> PluginHost {
    PluginHost::open(&release().join("plugins"), &program()).expect("`make build` builds the plugins")
}

fn space(name: &str) -> SearchSpace {
    let text = std::fs::read_to_string(root().join(format!("catalog/spaces/{name}.toml"))).expect("a space");
    SearchSpace::from_toml(&text).expect("a consistent space")
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .expect("an array")
        .iter()
        .map(|v| v.as_f64().expect("a number"))
        .collect()
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(0.0f64, |m, e| m.max(e.abs()));
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance * e.abs().max(1e-3 * scale), "{f} is not {e}");
    }
}

#[test]
fn encodings_equal_a_second_implementation_in_python() {
    let host = host();
    let of_chains = [("A", 120), ("B", 256), ("C", 248), ("D", 1480)];
    for name in &spaces() {
        let space = space(name);
        let architectures: Vec<Architecture> = Sampler::new(&space, 3).take(60).collect();
        let lines: Vec<String> = architectures
            .iter()
            .map(|a| space.architecture_to_json(a).to_string())
            .collect();
        let encodings = match space.chain() {
            Some(_) => &of_chains[..],
            None => &[("decisions", 0)],
        };
        for (encoding, width) in encodings.iter().copied() {
            let handle = host.component(ComponentKind::Encoder, encoding).expect("an encoder");
            let encoder = EncoderInstance::new(&handle, &space, &json!({})).expect("default parameters");
            let encoded = encoder.encode(architectures.iter()).expect("encoded");
            if name == "mobilenetv3" {
                assert_eq!(
                    encoded.shape.len(),
                    width,
                    "the width that the paper gives for {encoding}"
                );
            }
            let path = root().join(format!("catalog/spaces/{name}.toml"));
            let expected = reference(
                "encodings.py",
                &[path.to_str().expect("UTF-8"), encoding],
                &lines.join("\n"),
            );
            for (row, line) in encoded.data.chunks_exact(encoded.shape.len()).zip(expected.lines()) {
                let expected: Vec<f32> = serde_json::from_str(line).expect("JSON");
                assert_eq!(row, expected, "{encoding} of {name}");
            }
        }
    }
}

#[test]
fn lstm_features_and_latencies_equal_pytorchs_for_the_same_weights() {
    let host = host();
    for name in ["lstm_3_bi", "lstm_1"] {
        let folder = root().join("tests/reference");
        let state = std::fs::read(folder.join(format!("{name}.safetensors"))).expect("the reference's weights");
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).expect("the reference's results");
        let expected: Value = serde_json::from_str(&text).expect("JSON");
        let side = |field: &str| expected[field].as_u64().expect("a number") as usize;
        let shape = Shape {
            steps: side("steps"),
            width: side("width"),
        };
        let rows = expected["ones"].as_array().expect("rows");
        let mut data = vec![0f32; rows.len() * shape.len()];
        for (row, ones) in rows.iter().enumerate() {
            for one in numbers(ones) {
                data[row * shape.len() + one as usize] = 1.0;
            }
        }
        let inputs = Matrix {
            data,
            rows: rows.len(),
            shape,
        };
        let load =
            |kind| FittedInstance::load(&host.component(kind, "lstm").expect("the plugin"), 1, &state).expect("state");
        let features = load(ComponentKind::FeatureExtractor)
            .extract(&inputs)
            .expect("features");
        for (row, expected) in features
            .data
            .chunks_exact(features.shape.len())
            .zip(expected["features"].as_array().expect("rows"))
        {
            let row: Vec<f64> = row.iter().map(|f| f64::from(*f)).collect();
            assert_close(&row, &numbers(expected), 1e-4);
        }
        let latencies = load(ComponentKind::Regressor).predict(&inputs).expect("latencies");
        assert_close(&latencies, &numbers(&expected["latencies_ms"]), 1e-4);
    }
}

#[test]
#[ignore = "takes long"]
fn lightgbm_predicts_what_its_python_package_predicts_for_the_same_model() {
    let registry = Registry::default();
    registry.import(150);
    let version = registry.train("lightgbm");
    let digest = version["content"]["artifacts"]["regressor"].as_str().expect("a digest");
    let hex = digest.strip_prefix("sha256:").expect("a digest");
    let model = registry.path().join("blobs/sha256").join(&hex[..2]).join(hex);
    registry.ok(&["promote", "--hardware", "xeon-1t", "1"]);
    let space = space("mobilenetv3");
    let architectures: Vec<Architecture> = Sampler::new(&space, 5).take(40).collect();
    let texts: Vec<String> = architectures.iter().map(|a| space.canonical_text(a)).collect();
    let mut arguments = vec!["predict", "--hardware", "xeon-1t"];
    arguments.extend(texts.iter().map(String::as_str));
    let answer = registry.json(&arguments);
    let predictions = answer["predictions"].as_array().expect("predictions");
    let found: Vec<f64> = predictions
        .iter()
        .map(|p| p["latency_ms"].as_f64().expect("ms"))
        .collect();
    let lines: Vec<String> = architectures
        .iter()
        .map(|a| space.architecture_to_json(a).to_string())
        .collect();
    let toml = root().join("catalog/spaces/mobilenetv3.toml");
    let rows = reference("encodings.py", &[toml.to_str().expect("UTF-8"), "D"], &lines.join("\n"));
    let expected = reference("lightgbm_predict.py", &[model.to_str().expect("UTF-8")], &rows);
    assert_eq!(found, numbers(&serde_json::from_str(&expected).expect("JSON")));
}

#[test]
fn metrics_equal_scikit_learns() {
    let mut rng = rand::rngs::StdRng::seed_from_u64(9);
    // Rounded, so that ranks are tied.
    let measured: Vec<f64> = (0..200).map(|_| (rng.random_range(5.0..50.0f64)).round()).collect();
    let predicted: Vec<f64> = measured
        .iter()
        .map(|m| (m * rng.random_range(0.85..1.15f64)).round())
        .collect();
    // The last one has too few rows to count.
    let resolutions: Vec<u32> = (0..200).map(|row| if row < 4 { 9 } else { 1 + row % 3 }).collect();
    let found = Metrics {
        spearman_within: Metrics::spearman_within(&measured, &predicted, &resolutions),
        ..Metrics::of(&measured, &predicted)
    };
    assert_eq!(found.entries().len(), 11);
    let input = json!({ "measured": measured, "predicted": predicted, "resolutions": resolutions }).to_string();
    let expected: Value = serde_json::from_str(&reference("metrics.py", &[], &input)).expect("JSON");
    for (name, value) in found.entries() {
        assert_close(&[value], &[expected[name].as_f64().expect("a number")], 1e-12);
    }
}

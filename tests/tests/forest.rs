//! The forest predicts bit by bit what LightGBM itself predicts, whatever the row holds.

use std::path::Path;

use lglp_forest::Forest;
use lglp_tests::{Registry, reference};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Rows to compare, for each model.
const ROWS: usize = 3000;

/// Every threshold of a model text, with the feature that is compared with it.
fn thresholds(text: &str) -> Vec<(usize, f64)> {
    let of = |name: &'static str| {
        text.lines()
            .filter_map(move |line| line.strip_prefix(name))
            .flat_map(|l| l.split(' '))
    };
    let features = of("split_feature=").filter_map(|feature| feature.parse().ok());
    let thresholds = of("threshold=").filter_map(|threshold| threshold.parse().ok());
    features.zip(thresholds).collect()
}

/// Rows of values on, and right beside, the thresholds that the model compares with, and of all that is special in floating
/// point.
fn rows(text: &str, width: usize, rng: &mut StdRng) -> Vec<f32> {
    const SPECIAL: [f32; 13] = [
        0.0,
        -0.0,
        1.0,
        1e-35,
        -1e-35,
        1e-36,
        -1e-45,
        f32::MAX,
        f32::MIN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        1e30,
    ];
    let thresholds = thresholds(text);
    let mut rows = vec![0.0; ROWS * width];
    for (index, row) in rows.chunks_mut(width).enumerate() {
        for value in row.iter_mut() {
            *value = if rng.random_bool(0.1) { 1.0 } else { 0.0 };
        }
        for _ in 0..width.min(400) {
            if let Some((feature, threshold)) = thresholds.get(rng.random_range(0..thresholds.len().max(1))) {
                let near = *threshold as f32;
                row[*feature] = [
                    near,
                    near.next_up(),
                    near.next_down(),
                    near + rng.random_range(-2.0..2.0),
                ][rng.random_range(0..4)];
            }
        }
        // Half of the rows have nothing that is missing, and take the fast ways.
        for _ in 0..width / 20 + 2 {
            let special = SPECIAL[rng.random_range(0..SPECIAL.len())];
            if index % 2 == 0 || !special.is_nan() {
                row[rng.random_range(0..width)] = special;
            }
        }
    }
    rows
}

fn assert_bit_equal(model: &Path, folder: &Path, rng: &mut StdRng) {
    let text = std::fs::read_to_string(model).expect("a model");
    let forest = Forest::from_text(text.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", model.display()));
    let width = forest.features();
    let rows = rows(&text, width, rng);
    let (input, output) = (folder.join("rows"), folder.join("predicted"));
    let bytes: Vec<u8> = rows.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(&input, bytes).expect("a file");
    let arguments = [model, &input, &output].map(|path| path.to_str().expect("UTF-8"));
    reference("lightgbm_raw.py", &arguments, "");
    let expected = std::fs::read(&output).expect("predictions");
    let expected: Vec<u64> = expected
        .chunks(8)
        .map(|bytes| u64::from_le_bytes(bytes.try_into().expect("8 bytes")))
        .collect();
    assert_eq!(expected.len(), ROWS);
    // In large batches, in few rows, and alone.
    for at_once in [ROWS, 64, 9, 3, 1] {
        let mut found = vec![0.0; ROWS];
        for (rows, found) in rows.chunks(at_once * width).zip(found.chunks_mut(at_once)) {
            forest.predict(rows, found);
        }
        for (row, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let theirs = f64::from_bits(*expected);
            assert_eq!(found.to_bits(), *expected, "row {row}: {found:?}, LightGBM: {theirs:?}");
        }
    }
}

#[test]
#[ignore = "takes long"]
fn models_of_every_recipe_with_lightgbm_are_bit_equal() {
    let mut rng = StdRng::seed_from_u64(11);
    let registry = Registry::default();
    registry.import(200);
    for recipe in ["lightgbm", "lglp", "lglp-per-mac"] {
        let version = registry.train(recipe);
        let digest = version["content"]["artifacts"]["regressor"].as_str().expect("a digest");
        let hex = digest.strip_prefix("sha256:").expect("a digest");
        let model = registry.path().join("blobs/sha256").join(&hex[..2]).join(hex);
        assert_bit_equal(&model, registry.folder.path(), &mut rng);
    }
}

#[test]
#[ignore = "takes long"]
fn missing_inputs_and_trees_without_a_split_are_bit_equal() {
    let mut rng = StdRng::seed_from_u64(12);
    let folder = tempfile::tempdir().expect("a folder");
    reference("lightgbm_models.py", &[folder.path().to_str().expect("UTF-8")], "");
    for name in ["none", "nan", "zero", "single"] {
        assert_bit_equal(&folder.path().join(name).with_extension("txt"), folder.path(), &mut rng);
    }
}

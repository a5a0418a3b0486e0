//! `lglp train`: reproducible versions, and refusals that say what to do.

use lglp_registry::prelude::*;
use lglp_registry::{HolderInfo, SledStore};
use lglp_tests::{HARDWARE, Registry};
use serde_json::Value;

#[test]
#[ignore = "takes long"]
fn the_same_seed_gives_the_same_model_and_another_seed_another_one() {
    for recipe in ["lightgbm", "lglp-quick"] {
        let registry = Registry::default();
        registry.import(120);
        let train = |seed: &str| registry.json(&["train", "--hardware", HARDWARE, "--recipe", recipe, "--seed", seed]);
        let (first, second, other) = (train("3"), train("3"), train("4"));
        let part = |version: &Value, name: &str| version["content"][name].clone();
        for name in ["metrics", "artifacts", "split", "dataset", "plugins", "residuals"] {
            assert_eq!(part(&first, name), part(&second, name), "{recipe}: {name}");
        }
        assert_ne!(part(&first, "metrics"), part(&other, "metrics"));
        assert_eq!(
            [&first, &second, &other].map(|v| v["version"].as_u64()),
            [Some(1), Some(2), Some(3)]
        );
        assert_eq!(
            registry.json(&["models", "--hardware", HARDWARE, "1"]),
            first,
            "versions are immutable"
        );
    }
}

#[test]
#[ignore = "takes long"]
fn a_version_says_what_it_was_made_of_and_how_good_it_is() {
    let registry = Registry::default();
    registry.import(670);
    let said = registry.ok(&["train", "--hardware", HARDWARE, "--recipe", "gbdt"]);
    for metric in [
        "mse",
        "mae",
        "r2",
        "correlation",
        "mape",
        "spearman",
        "within_5",
        "within_10",
        "median_ape",
        "spearman_within",
        "mac_mape",
        "mac_r2",
    ] {
        assert!(said.contains(metric), "{metric} is not in\n{said}");
    }
    assert!(said.contains("noise floor: 50 architectures measured twice"), "{said}");
    assert!(
        said.contains("496 training, 62 early-stopping, 62 test architectures"),
        "{said}"
    );
    let version = registry.json(&["models", "--hardware", HARDWARE, "1"]);
    let content = &version["content"];
    assert_eq!(content["recipe"]["name"], "gbdt");
    assert_eq!(content["space"], "mobilenetv3");
    assert!(content["dataset"].as_str().is_some_and(|d| d.starts_with("sha256:")));
    let plugins = content["plugins"].as_array().expect("plugins");
    assert_eq!(plugins.len(), 2);
    assert!(
        plugins
            .iter()
            .all(|p| p["sha256"].as_str().is_some_and(|d| d.starts_with("sha256:")))
    );
    assert!(
        content["metrics"]["spearman"].as_f64().expect("a number") > 0.9,
        "{content}"
    );
    // The trivial baseline beside it is the one that its recipe makes of the same split.
    assert!(
        said.contains("no better than multiply-accumulates times a constant"),
        "trees on one-hot choices are not, here: {said}"
    );
    let said = registry.ok(&["train", "--hardware", HARDWARE, "--recipe", "mac-proportional"]);
    assert!(
        said.contains("no better than multiply-accumulates times a constant"),
        "{said}"
    );
    let trivial = registry.json(&["models", "--hardware", HARDWARE, "2"])["content"]["metrics"].clone();
    for (own, beside) in [("mape", "mac_mape"), ("r2", "mac_r2")] {
        let [own, beside] = [&trivial[own], &content["metrics"][beside]].map(|value| value.as_f64().expect("a number"));
        assert!((own / beside - 1.0).abs() < 1e-5, "{own} and {beside}");
    }
    let seeds = registry.json(&["train", "--hardware", HARDWARE, "--recipe", "gbdt", "--seeds", "3"]);
    assert_eq!(seeds["metrics"]["r2"]["values"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        seeds["metrics"]["r2"]["values"][0], content["metrics"]["r2"],
        "the first split is the same"
    );
    let models = registry.json(&["models", "--hardware", HARDWARE]);
    assert_eq!(
        models["versions"].as_array().map(Vec::len),
        Some(2),
        "several splits make no version"
    );
}

#[test]
fn what_intervals_hold_can_be_looked_at() {
    let registry = Registry::default();
    registry.import(250);
    let file = registry.folder.path().join("held.svg");
    let file = file.to_str().expect("UTF-8");
    let train = ["train", "--hardware", HARDWARE, "--recipe", "additive", "--seeds", "2"];
    registry.ok(&[&train[..], &["--reliability", file]].concat());
    let drawn = std::fs::read_to_string(file).expect("a picture");
    assert_eq!(drawn.matches("<circle").count(), 12, "one for each coverage");
    assert!(drawn.contains("error bars: ± one standard deviation"), "{drawn}");
    // In SVG the higher share has the smaller coordinate.
    let heights: Vec<f64> = drawn
        .split("<circle")
        .skip(1)
        .map(|circle| {
            let of = circle.split("cy=\"").nth(1).and_then(|rest| rest.split('"').next());
            of.and_then(|number| number.parse().ok()).expect("a number")
        })
        .collect();
    assert!(
        heights.is_sorted_by(|a, b| a >= b),
        "wider intervals hold no less: {heights:?}"
    );
    assert!(
        registry
            .fails(&["train", "--hardware", HARDWARE, "--reliability", file])
            .contains("--seeds")
    );
}

#[test]
fn what_cannot_be_trained_is_refused_before_any_work_is_done() {
    let registry = Registry::default();
    registry.import(20);
    let fails = |arguments: &[&str]| registry.fails(&[&["train", "--hardware"], arguments].concat());
    let said = fails(&["toaster"]);
    assert!(said.contains("toaster"), "{said}");
    let said = fails(&[HARDWARE, "--recipe", "lglpp"]);
    assert!(
        said.contains("no recipe `lglpp`") && said.contains("lstm-3-bi"),
        "{said}"
    );
    let said = fails(&[HARDWARE, "--space", "nasbench"]);
    assert!(said.contains("nasbench") && said.contains("mobilenetv3"), "{said}");
    let said = fails(&[HARDWARE]);
    assert!(
        said.contains("20 measured architectures are too few") && said.contains("lglp measure"),
        "{said}"
    );
    registry.import(60);
    let recipe = registry.folder.path().join("recipes/typo.toml");
    let text = std::fs::read_to_string(lglp_tests::root().join("catalog/recipes/lightgbm.toml")).expect("a recipe");
    let text = text.replace("name = \"lightgbm\"\ntitle", "name = \"typo\"\ntitle");
    std::fs::write(&recipe, text.replace("num_leaves = 500", "num_leafs = 500")).expect("a file");
    let said = fails(&[HARDWARE, "--recipe", "typo"]);
    assert!(said.contains("num_leafs"), "{said}");
    std::fs::write(&recipe, text.replace("num_leaves = 500", "num_leaves = 1")).expect("a file");
    let said = fails(&[HARDWARE, "--recipe", "typo"]);
    assert!(said.contains("num_leaves"), "{said}");
}

/// A search that trusts intervals must not be fooled: nine of ten must hold the latency that was measured, of
/// architectures that the model has never seen.
#[test]
#[ignore = "takes long"]
fn intervals_hold_what_they_promise() {
    let registry = Registry::default();
    registry.import(670);
    let measured = {
        let store = SledStore::open(registry.path(), HolderInfo::default()).expect("the registry opens");
        let hardware = HARDWARE.parse().expect("a name");
        store
            .measurements(&hardware, "mobilenetv3", Some(0))
            .expect("measurements")
    };
    let (mut held, mut all) = (0, 0);
    for seed in ["0", "1", "2", "3", "4", "5"] {
        let version = registry.json(&["train", "--hardware", HARDWARE, "--recipe", "gbdt", "--seed", seed]);
        let number = version["version"].to_string();
        let rows = version["content"]["split"]["test"].as_array().expect("rows").iter();
        let rows: Vec<_> = rows
            .map(|row| &measured[row.as_u64().expect("a row") as usize])
            .collect();
        let mut arguments = vec!["predict", "--hardware", HARDWARE, "--model", &number];
        arguments.extend(rows.iter().map(|m| m.architecture.as_str()));
        let answer = registry.json(&arguments);
        for (prediction, row) in answer["predictions"].as_array().expect("predictions").iter().zip(rows) {
            let bound = |name: &str| prediction["interval"][name].as_f64().expect("ms");
            held += usize::from((bound("low")..=bound("high")).contains(&row.latency_ms));
            all += 1;
        }
    }
    let coverage = held as f64 / all as f64;
    assert_eq!(all, 372);
    assert!(
        (0.84..=0.97).contains(&coverage),
        "{held} of {all} intervals hold the measured latency"
    );
}

/// The claim that everything else serves: on the shipped measurements the model is at least as good as the paper's.
#[test]
fn the_recipe_that_make_serve_trains_reaches_the_papers_accuracy() {
    let script = std::fs::read_to_string(lglp_tests::root().join("make/serve.sh")).expect("the script");
    let recipe = script
        .lines()
        .find_map(|line| line.strip_prefix("recipe="))
        .expect("a recipe");
    let registry = Registry::default();
    registry.import(670);
    let version = registry.train(recipe);
    let metric = |name: &str| version["content"]["metrics"][name].as_f64().expect("a number");
    assert!(metric("r2") >= 0.984, "R^2 {}, the paper has 0.984", metric("r2"));
    assert!(metric("mape") < 8.0 && metric("spearman") > 0.99, "{version}");
}

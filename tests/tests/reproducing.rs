//! `lglp reproduce`: every table filled, killed and resumed, the same numbers as `lglp train` gives.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use lglp_tests::{HARDWARE, Registry};
use serde_json::Value;

const EXPERIMENTS: &str = r#"
title = "A small one"
splits = 2
[table1]
recipes = ["linear", "gbdt", "elastic-net"]
favourite = "gbdt"
[table1.paper.gbdt]
r2 = 0.5
[encodings]
recipes = ["linear", "gbdt"]
flat = [{ name = "A", parameters = { sequence = false } }, { name = "B" }, { name = "D", parameters = { sequence = false } }]
sequence = []
[connections]
recipe = "lglp-quick-head"
values = ["sum", "last", "concat"]
[learning-curve]
recipes = ["gbdt"]
sizes = [20, 50, 5000]
splits = 1
"#;

struct Run {
    registry: Registry,
    experiments: PathBuf,
    output: PathBuf,
}

impl Run {
    fn new() -> Self {
        let registry = Registry::default();
        registry.import(120);
        let experiments = registry.folder.path().join("experiments.toml");
        std::fs::write(&experiments, EXPERIMENTS).expect("a file");
        let output = registry.folder.path().join("report");
        Self {
            registry,
            experiments,
            output,
        }
    }

    fn arguments(&self) -> Vec<&str> {
        let (experiments, output) = (self.experiments.to_str(), self.output.to_str());
        vec![
            "reproduce",
            "--hardware",
            HARDWARE,
            "--experiments",
            experiments.expect("UTF-8"),
            "--output",
            output.expect("UTF-8"),
        ]
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.output.join(name)).expect(name)
    }
}

#[test]
fn a_run_that_is_killed_goes_on_and_gives_what_training_gives() {
    let run = Run::new();
    let cells = || std::fs::read_to_string(run.output.join("cells.jsonl")).unwrap_or_default();
    let mut child = run
        .registry
        .command(&run.arguments())
        .spawn()
        .expect("the program runs");
    let started = Instant::now();
    while cells().lines().count() < 3 && started.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let before = cells();
    let whole: Vec<&str> = before
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .collect();
    assert!(whole.len() >= 3, "{before}");
    // A line that was cut off, as a power cut leaves it.
    std::fs::write(
        run.output.join("cells.jsonl"),
        format!("{}{{\"key\": \"sha", whole.concat()),
    )
    .expect("a file");
    let report = run.registry.json(&run.arguments());
    assert!(
        cells().starts_with(&whole.concat()),
        "finished fits are kept as they are"
    );
    // Of each split 3 of Table 1, 4 more encodings, 3 connections; of one split 2 sizes.
    assert_eq!(cells().lines().count(), 2 * (3 + 4 + 3) + 2);
    let said = run.registry.ok(&run.arguments());
    assert!(said.contains("22 fits, 0 of them new"), "{said}");

    let trained = run
        .registry
        .json(&["train", "--hardware", HARDWARE, "--recipe", "gbdt", "--seeds", "2"]);
    let lines = report["table1"].as_array().expect("lines");
    let gbdt = lines.iter().find(|line| line["recipe"] == "gbdt").expect("a line");
    assert_eq!(gbdt["metrics"], trained["metrics"]);
    let r2: Vec<f64> = lines
        .iter()
        .map(|l| l["metrics"]["r2"]["mean"].as_f64().expect("a number"))
        .collect();
    assert!(r2.is_sorted_by(|a, b| a >= b), "best first: {r2:?}");
    let sizes: Vec<&Value> = report["learning_curve"][0]["points"]
        .as_array()
        .expect("points")
        .iter()
        .map(|p| &p["train_rows"])
        .collect();
    assert_eq!(
        sizes,
        [20, 50, 96],
        "sizes beyond the data are left out, all the data come last"
    );

    let text = run.read("README.md");
    for expected in [
        "## Table 1",
        "/ 0.5 |",
        "/ – |",
        "## Encodings",
        "| concat |",
        "120, 0 of them drawn weighted",
        "lglp reproduce --hardware xeon-1t",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in the report:\n{text}");
    }
    for figure in ["distribution.svg", "scatter.svg", "residuals.svg", "learning-curve.svg"] {
        let svg = run.read(figure);
        assert!(text.contains(&format!("]({figure})")), "{figure} is not shown");
        assert!(
            svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"),
            "{figure}"
        );
        assert!(svg.contains("ms") || svg.contains("MAPE, %"), "{figure} has no units");
    }
    assert_eq!(
        run.read("scatter.svg").matches("R²").count(),
        3,
        "a panel for each predictor"
    );
    for figure in ["scatter.svg", "residuals.svg", "learning-curve.svg"] {
        assert!(run.read(figure).contains("(logarithmic)"), "{figure} hides its scale");
    }
    assert!(
        run.read("learning-curve.svg")
            .contains("error bars: ± one standard deviation")
    );
}

#[test]
fn experiments_that_cannot_be_run_are_refused() {
    let run = Run::new();
    for (from, to, place) in [
        ("favourite = \"gbdt\"", "favourite = \"lglp\"", "favourite"),
        ("splits = 2", "splits = 0", "splits"),
        ("\"elastic-net\"", "\"elastic-nut\"", "elastic-nut"),
        ("name = \"B\"", "name = \"E\"", "`E`"),
        ("title", "titel", "titel"),
    ] {
        std::fs::write(&run.experiments, EXPERIMENTS.replacen(from, to, 1)).expect("a file");
        let said = run.registry.fails(&run.arguments());
        assert!(said.contains(place), "{to}: {said}");
    }
    std::fs::write(&run.experiments, EXPERIMENTS).expect("a file");
    let said = run
        .registry
        .fails(&[&run.arguments()[..], &["--rows", "5000"]].concat());
    assert!(said.contains("measurements of 120 architectures"), "{said}");
    let said = run.registry.fails(&[&run.arguments()[..], &["--rows", "20"]].concat());
    assert!(said.contains("20 measured architectures are too few"), "{said}");
}

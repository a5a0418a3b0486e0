//! Onboarding: few chosen measurements by a real program, in steps that can be gone on from; and rehearsals on recorded ones.

use std::path::PathBuf;

use lglp_registry::{Exclusion, HardwareName, HolderInfo, Measurement, SledStore, Store};
use lglp_tests::{HARDWARE, Registry, python, root};
use serde_json::Value;

const SPACE: &str = "ofa-mobilenetv3";

/// A device on which a network takes a microsecond for every 10 kB of its file, and 1 ms: its weights are what it costs.
const DEVICE: &str = r#"
import json, os, sys
took = 1 + os.path.getsize(sys.argv[1]) / 1e7
print(json.dumps({"samples": [{"wall_ms": took}] * int(sys.argv[2]), "device": "abacus", "runtime": "beads", "version": "1"}))
"#;

/// `lglp onboard` of that device.
fn onboard(registry: &Registry, more: &[&str]) -> String {
    let device: PathBuf = registry.folder.path().join("device.py");
    std::fs::write(&device, DEVICE).expect("a file");
    let (python, device) = (python().display().to_string(), device.display().to_string());
    let command = format!(r#"command=["{python}","{device}","{{onnx}}","{{repetitions}}"]"#);
    let fixed = [
        "onboard",
        "--hardware",
        "abacus",
        "--space",
        SPACE,
        "--runtime",
        "command",
        "--set",
        &command,
    ];
    registry.ok(&[&fixed, more].concat())
}

fn excluded(measurement: &Measurement) -> Exclusion {
    Exclusion {
        space: measurement.space.clone(),
        digest: measurement.digest.clone(),
        round: measurement.round,
        reason: "a test".into(),
        evidence: Value::Null,
    }
}

#[test]
fn a_device_is_known_after_few_measurements() {
    let registry = Registry::default();
    let said = onboard(&registry, &["--budget", "15"]);
    for part in [
        "10 measured: error",
        "15 measured: error",
        "version 1 of abacus",
        "lglp promote --hardware abacus 1",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Going on measures what is missing alone; the goal ends it before the budget.
    let plot = registry.folder.path().join("curve.svg");
    let plot = plot.display().to_string();
    let said = onboard(&registry, &["--budget", "40", "--until", "mape=50", "--plot", &plot]);
    assert!(said.contains("15 measured") && !said.contains("20 measured"), "{said}");
    assert!(said.contains("the goal is reached"), "{said}");
    let drawn = std::fs::read_to_string(&plot).expect("a plot");
    assert!(
        drawn.starts_with("<svg") && drawn.contains("each row left out"),
        "{drawn}"
    );
    // The version tells how it was judged, and predicts.
    let models: Value = registry.json(&["models", "--hardware", "abacus"]);
    let version = &models["versions"][0]["content"];
    assert_eq!(version["split"]["test"], Value::Array(Vec::new()), "{version}");
    assert!(
        version["metrics"]["mape"].as_f64().is_some_and(|mape| mape < 50.0),
        "{version}"
    );
    registry.ok(&["promote", "--hardware", "abacus", "1"]);
    let architecture = registry.ok(&["sample", "--space", SPACE, "--seed", "9"]);
    let told = registry.json(&["predict", "--hardware", "abacus", architecture.trim()]);
    let prediction = &told["predictions"][0];
    assert!(
        prediction["latency_ms"]
            .as_f64()
            .is_some_and(|ms| ms > 1.0 && ms < 100.0),
        "{told}"
    );
    assert_eq!(prediction["interval"]["provisional"], true, "15 rows are few: {told}");
}

#[test]
fn a_rehearsal_tells_what_choosing_and_other_targets_bring() {
    let registry = Registry::default();
    for hardware in [HARDWARE, "epyc-1t"] {
        let folder = root().join("datasets").join(hardware);
        registry.ok(&["dataset", "import", &folder.display().to_string()]);
    }
    let rehearse = [
        "onboard",
        "--hardware",
        HARDWARE,
        "--rehearse",
        "--seeds",
        "2",
        "--budget",
    ];
    let told = registry.json(&[&rehearse[..], &["20"]].concat());
    assert_eq!(told["sources"][0], "epyc-1t", "{told}");
    let error = |way: usize, at: usize| told["ways"][way]["errors"][at][1].as_f64().expect("percent");
    assert_eq!(
        (&told["ways"][0]["chosen"], &told["ways"][0]["transfer"]),
        (&true.into(), &true.into())
    );
    assert_eq!(
        (&told["ways"][3]["chosen"], &told["ways"][3]["transfer"]),
        (&false.into(), &false.into())
    );
    // After ten measurements, and after twenty.
    assert!(error(0, 0) < 0.8 * error(3, 0), "{told}");
    assert!(error(0, 1) < error(3, 1), "{told}");
    let said = registry.fails(&[&rehearse[..], &["5000"]].concat());
    assert!(
        said.contains("620 measured architectures; a rehearsal needs 5050 or more"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_onboarded_is_said_before_anything_is_measured() {
    let registry = Registry::default();
    let onboard = |more: &[&str]| registry.fails(&[&["onboard", "--hardware", "new"], more].concat());
    let said = onboard(&["--budget", "5"]);
    assert!(said.contains("a budget of 5; 10 architectures or more"), "{said}");
    let said = onboard(&["--until", "mape=0"]);
    assert!(said.contains("expected mape=PERCENT"), "{said}");
    let said = onboard(&["--recipe", "lightgbm", "--budget", "12"]);
    assert!(said.contains("cannot tell its error from so few rows"), "{said}");
    assert_eq!(registry.json(&["hardware"]), Value::Array(Vec::new()));
}

/// The story: an architecture whose measurement was excluded was chosen again, the campaign found it measured, and so on without end.
#[test]
fn what_was_excluded_is_not_chosen_again() {
    let registry = Registry::default();
    onboard(&registry, &["--budget", "12", "--alone"]);
    let abacus: HardwareName = "abacus".parse().expect("a name");
    {
        let store = SledStore::open(registry.path(), HolderInfo::default()).expect("the registry opens");
        let measured = store.measurements(&abacus, SPACE, None).expect("measurements");
        let exclusions: Vec<Exclusion> = measured.iter().take(4).map(excluded).collect();
        let count = store
            .exclude_measurements(&abacus, &exclusions, "test")
            .expect("excluded");
        assert_eq!(count, 4);
    }
    let said = onboard(&registry, &["--budget", "12", "--alone"]);
    assert!(said.contains("12 measured: error"), "{said}");
    let store = SledStore::open(registry.path(), HolderInfo::default()).expect("the registry opens");
    assert_eq!(
        store.measurements(&abacus, SPACE, None).expect("measurements").len(),
        16
    );
}

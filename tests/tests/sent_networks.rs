//! Networks that are sent to be measured elsewhere, without their weights, and versions that are judged by networks.

use std::path::{Path, PathBuf};

use lglp_engine::networks::RandomNetwork;
use lglp_tests::Registry;
use serde_json::{Value, json};

use crate::measured_networks::{HARDWARE, KNOWN, folder};

/// A folder with two networks, and one of two inputs at once, which a target of one cannot measure.
fn networks(registry: &Registry) -> PathBuf {
    let folder = registry.folder.path().join("networks");
    std::fs::create_dir(&folder).expect("a folder");
    let written = |name: &str, more: &[&str], file: &str| {
        let file = folder.join(file);
        registry.ok(&[&["network", name, "-o", file.to_str().expect("UTF-8")], more].concat());
    };
    written("convnets-3", &[], "mine.onnx");
    written("transformers-2", &[], "yours.onnx");
    let sampled = registry.ok(&["sample", "--space", "mobilenetv3"]);
    written(sampled.trim(), &["--batch", "2"], "twice.onnx");
    folder
}

/// The one job that a command submitted, once it has ended.
fn ended(server: &lglp_tests::Server, said: &str) -> Value {
    let job: Value = serde_json::from_str(said).expect("JSON");
    server.wait(&format!("/v1/jobs/{}", job["id"]), |job| !job["finished_at"].is_null())
}

fn check(registry: &Registry, server: &lglp_tests::Server, hardware: &str, done: &Value) {
    assert_eq!(done["state"], "succeeded", "{done}");
    let result = &done["result"];
    assert_eq!(
        (&result["measured"], &result["total"]),
        (&json!(2), &json!(2)),
        "{done}"
    );
    assert_eq!(result["left_out"][0]["name"], "twice", "{done}");
    let reason = result["left_out"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("2 inputs at once"), "{reason}");
    let (_, found) = server.get(&format!("/v1/{hardware}/measurements?space=onnx"));
    let found = found.as_array().expect("a list");
    let mut names: Vec<&str> = found.iter().filter_map(|one| one["network"]["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["mine", "yours"]);
    for one in found {
        let operators = one["network"]["operators"].as_array().expect("operators");
        assert!(operators.len() > 10, "{one}");
    }
    registry.ok(&["registry", "verify"]);
}

#[test]
#[ignore = "takes long"]
fn a_server_measures_networks_without_their_weights() {
    let registry = Registry::default();
    let folder = networks(&registry);
    let folder = folder.to_str().expect("UTF-8");
    let server = registry.serve();
    let measure = ["measure", "--hardware", "here", "--budget", "0.3", "--onnx", folder];
    let job = registry.ok(&[&measure[..], &["--job", "--json"]].concat());
    let done = ended(&server, &job);
    check(&registry, &server, "here", &done);
    // The files themselves are the same networks.
    let said = registry.ok(&measure);
    assert!(said.contains("0 measured now, 2 in replicate 0"), "{said}");
    let again = registry.ok(&[&measure[..], &["--job", "--json", "--replicate", "1"]].concat());
    let done = ended(&server, &again);
    assert_eq!(done["result"]["repeatability"]["architectures"], 2, "{done}");
}

#[test]
#[ignore = "takes long"]
fn a_worker_measures_networks_that_its_server_has() {
    let registry = Registry::default();
    let folder = networks(&registry);
    let server = registry.serve();
    let worker = registry.worker(&server.base, "edge", "box");
    worker.wait_for("registered", 1);
    let folder = folder.to_str().expect("UTF-8");
    let job = registry.ok(&[
        "measure",
        "--hardware",
        "box",
        "--budget",
        "0.3",
        "--onnx",
        folder,
        "--job",
        "--json",
    ]);
    let done = ended(&server, &job);
    check(&registry, &server, "box", &done);
    assert_eq!(worker.told("measured").len(), 2);
    assert_eq!(worker.wait_for("left_out", 1)["name"], "twice");
}

/// A version that learned from networks is judged by networks that came since, and a gate may ask for that.
#[test]
fn versions_are_judged_by_networks() {
    let registry = Registry::default();
    let target = registry.folder.path().join("target");
    std::fs::create_dir(&target).expect("a folder");
    let import = |count: usize| {
        folder(&target, HARDWARE, count);
        registry.ok(&["dataset", "import", target.to_str().expect("UTF-8")]);
    };
    import(KNOWN);
    registry.ok(&["train", "--hardware", HARDWARE]);
    let gate = ["gate", "--hardware", HARDWARE];
    let said = registry.fails(&[&gate[..], &["--on-networks"]].concat());
    assert!(said.contains("name a rule"), "{said}");
    registry.ok(&[&gate[..], &["--on-networks", "--max-mape", "10", "--min-n", "6"]].concat());
    let refused = registry.fails(&["promote", "--hardware", HARDWARE, "1"]);
    assert!(refused.contains("never validated on networks"), "{refused}");

    let validate = ["validate", "--hardware", HARDWARE, "1", "--n", "6"];
    let recorded = |more: &[&'static str]| [&validate[..], more].concat();
    let said = registry.fails(&recorded(&["--on", "recorded"]));
    assert!(said.contains("only 0 recorded measurements"), "{said}");
    let said = registry.fails(&recorded(&["--on", "held-out"]));
    assert!(said.contains("networks are not held out"), "{said}");
    let said = registry.fails(&recorded(&["--on", "recorded", "--select", "stratified"]));
    assert!(said.contains("chosen at random"), "{said}");
    // The first of those that it was fitted on, under another digest, as a file with other names of nodes has.
    renamed(&target, 6);
    registry.ok(&["dataset", "import", target.to_str().expect("UTF-8")]);
    let said = registry.fails(&recorded(&["--on", "recorded"]));
    assert!(said.contains("only 0 recorded measurements"), "{said}");
    import(KNOWN + 6);
    // It was fitted on networks alone, so that networks are what judges it.
    let report = registry.json(&recorded(&["--on", "recorded"]));
    let content = &report["content"];
    assert_eq!(content["space"], "onnx", "{content}");
    let pairs = content["pairs"].as_array().expect("a list");
    let mut names: Vec<&str> = pairs.iter().filter_map(|pair| pair["name"].as_str()).collect();
    names.sort_unstable();
    let since = RandomNetwork::sequence().skip(KNOWN).take(6);
    let mut since: Vec<String> = since.map(|network| network.to_string()).collect();
    since.sort_unstable();
    assert_eq!(names, since);
    let mape = content["metrics"]["mape"].as_f64().expect("an error");
    assert!(mape < 10.0, "{mape} %");
    registry.ok(&["promote", "--hardware", HARDWARE, "1"]);
    let shown = registry.ok(&["validations", "--hardware", HARDWARE, "1"]);
    assert!(shown.contains("6 recorded measurements"), "{shown}");
}

/// Gives so many networks of a folder other digests.
fn renamed(of: &Path, count: usize) {
    let file = of.join("onnx.jsonl");
    let text = std::fs::read_to_string(&file).expect("written");
    let lines = text.lines().take(count).enumerate().map(|(at, line)| {
        let mut measurement: lglp_registry::Measurement = serde_json::from_str(line).expect("a measurement");
        measurement.architecture = lglp_registry::Digest::of(&[at as u8]).to_string();
        measurement.digest = lglp_registry::Digest::of(measurement.architecture.as_bytes());
        serde_json::to_string(&measurement).expect("JSON") + "\n"
    });
    std::fs::write(&file, lines.collect::<String>()).expect("written");
}

/// Files judge a version, too: they are measured where they are not yet.
#[test]
#[ignore = "takes long"]
fn files_judge_a_version() {
    let registry = Registry::default();
    let files = networks(&registry);
    let files: &Path = &files;
    registry.ok(&["measure", "--hardware", "here", "--budget", "0.1", "--random", "34"]);
    registry.ok(&["train", "--hardware", "here"]);
    let validate =
        |more: &[&str]| registry.json(&[&["validate", "--hardware", "here", "1", "--budget", "0.3"], more].concat());
    // convnets-3 and transformers-2 are two of the 34.
    let all = files.to_str().expect("UTF-8");
    let said = registry.fails(&["validate", "--hardware", "here", "1", "--onnx", all]);
    assert!(said.contains("1 of 3 networks can be compared"), "{said}");
    for name in ["convnets-70", "transformers-70"] {
        let file = files.join(format!("{name}.onnx"));
        registry.ok(&["network", name, "-o", file.to_str().expect("UTF-8")]);
    }
    let report = validate(&["--onnx", all]);
    assert_eq!(report["content"]["pairs"].as_array().map(Vec::len), Some(2), "{report}");
    let random = validate(&["--n", "3"]);
    assert_eq!(random["content"]["space"], "onnx");
    assert_eq!(random["content"]["pairs"].as_array().map(Vec::len), Some(3), "{random}");
    // A server does the same, and finds the files' networks in its registry.
    let server = registry.serve();
    let more = files.join("more");
    std::fs::create_dir(&more).expect("a folder");
    for name in ["convnets-71", "convnets-72"] {
        let file = more.join(format!("{name}.onnx"));
        registry.ok(&["network", name, "-o", file.to_str().expect("UTF-8")]);
    }
    let report = validate(&["--onnx", more.to_str().expect("UTF-8")]);
    let pairs = report["content"]["pairs"].as_array().expect("a list");
    assert_eq!(pairs.len(), 2, "{report}");
    drop(server);
}

//! Networks of no space: measured by themselves, learned from, and predicted.

use std::path::{Path, PathBuf};

use lglp_engine::networks::{GivenNetwork, LoadedNetwork, RandomNetwork, Rules};
use lglp_registry::{Digest, Measurement, ONNX};
use lglp_sdk::plugin::Operator;
use lglp_tests::{Registry, root};
use serde_json::{Value, json};

pub(crate) const HARDWARE: &str = "epyc-1t";

/// By which the target executes networks.
fn rules() -> Option<Rules> {
    Rules::of("onnxruntime", ["avx512f"])
}

/// Networks that are learned from.
pub(crate) const KNOWN: usize = 48;

/// What a device would take whose operators cost what they compute and move, and a launch each; milliseconds.
fn truth(operators: &[Operator]) -> f64 {
    let of_one = |o: &Operator| {
        let per_gmac = 20.0 + f64::from(o.kind % 5);
        per_gmac * o.macs as f64 / 1e9
            + (o.activation_bytes + o.weight_bytes) as f64 / 2e7
            + 0.004 * f64::from(o.launches)
    };
    operators.iter().map(of_one).sum()
}

fn measured(hardware: &str, given: &GivenNetwork, loaded: &LoadedNetwork) -> Measurement {
    let text = given.text();
    let told = json!({
        "hardware": hardware, "space": ONNX, "digest": Digest::of(text.as_bytes()), "architecture": text, "round": 0,
        "latency_ms": truth(&loaded.operators()), "statistic": "what was to be", "protocol": {}, "samples": [], "load_average": 0.0,
        "drift": false, "flags": [], "measured_at": "2026-11-27T12:00:00Z", "process": "1@2026-11-27T12:00:00Z",
        "network": loaded.network,
    });
    serde_json::from_value(told).expect("a measurement")
}

/// A target with what such a device takes for so many random networks.
pub(crate) fn folder(of: &Path, hardware: &str, count: usize) {
    let file = root().join("datasets").join(hardware).join("hardware.json");
    std::fs::copy(file, of.join("hardware.json")).expect("copied");
    let lines = RandomNetwork::sequence().take(count).map(|network| {
        let given = GivenNetwork::random(network).expect("it is read");
        let loaded = given.load(rules().as_ref()).expect("it is read again");
        serde_json::to_string(&measured(hardware, &given, &loaded)).expect("JSON") + "\n"
    });
    std::fs::write(of.join("onnx.jsonl"), lines.collect::<String>()).expect("written");
}

/// The folder of such a target, beside a registry.
fn target(registry: &Registry) -> PathBuf {
    let target = registry.folder.path().join("target");
    std::fs::create_dir(&target).expect("a folder");
    folder(&target, HARDWARE, KNOWN);
    target
}

/// Writes the network of a name; the latency that it has on such a device, milliseconds.
fn written(registry: &Registry, name: &str, path: &str) -> f64 {
    registry.ok(&["network", name, "-o", path]);
    let network = name.parse().expect("a name");
    let loaded = GivenNetwork::random(network).and_then(|given| given.load(rules().as_ref()));
    truth(&loaded.expect("it is read").operators())
}

/// The story: a target was created by measuring twenty architectures, then 770 networks, and could not be trained: twenty were too few.
#[test]
fn a_few_architectures_beside_networks_are_learned_from_with_them() {
    let registry = Registry::default();
    let target = target(&registry);
    let architectures = root().join("datasets").join(HARDWARE).join("mobilenetv3.jsonl");
    let lines = std::fs::read_to_string(architectures).expect("the shipped architectures");
    let some: String = lines.split_inclusive('\n').take(5).collect();
    std::fs::write(target.join("mobilenetv3.jsonl"), some).expect("written");
    registry.ok(&["dataset", "import", target.to_str().expect("UTF-8")]);
    let version: Value =
        serde_json::from_str(&registry.ok(&["train", "--hardware", HARDWARE, "--json"])).expect("JSON");
    assert_eq!(version["content"]["networks"]["count"], KNOWN);
    assert_eq!(version["content"]["split"]["train"].as_array().map(Vec::len), Some(5));
}

#[test]
fn what_networks_take_is_learned_from_others() {
    let registry = Registry::default();
    let target = target(&registry);
    let target = target.to_str().expect("UTF-8");
    registry.ok(&["dataset", "import", target]);
    let version: Value =
        serde_json::from_str(&registry.ok(&["train", "--hardware", HARDWARE, "--json"])).expect("JSON");
    let networks = &version["content"]["networks"];
    assert_eq!(networks["count"], KNOWN);
    let error = networks["metrics"]["median_ape"].as_f64().expect("an error");
    let trivial = networks["metrics"]["mac_mape"].as_f64().expect("of the baseline");
    assert!(
        error < 5.0 && 3.0 * error < trivial,
        "{error} %, and {trivial} % by MACs"
    );
    registry.ok(&["promote", "--hardware", HARDWARE, "1"]);

    let file = registry.folder.path().join("net.onnx");
    let file = file.to_str().expect("UTF-8");
    let mut held = 0;
    const ASKED: [&str; 6] = [
        "convnets-60",
        "convnets-61",
        "convnets-62",
        "convnets-63",
        "transformers-60",
        "transformers-61",
    ];
    for name in ASKED {
        let expected = written(&registry, name, file);
        let answer = registry.ok(&["predict", "--hardware", HARDWARE, file, "--json"]);
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        let prediction = &answer["predictions"][0];
        let told = prediction["latency_ms"].as_f64().expect("a latency");
        assert!(
            (told / expected - 1.0).abs() < 0.2,
            "{name}: {told} ms for {expected} ms"
        );
        let interval = &prediction["interval"];
        let holds = interval["low"].as_f64().is_some_and(|low| low <= expected)
            && interval["high"].as_f64().is_some_and(|high| expected <= high);
        // What the few networks did not have is named.
        let guesses = prediction["network"]["unknown_operators"].is_array();
        assert!(!interval.is_null() || guesses, "{name}: {prediction}");
        held += usize::from(holds || guesses);
    }
    assert!(
        held + 2 >= ASKED.len(),
        "{held} of {} are held by their interval, or told to be a guess",
        ASKED.len()
    );

    // What it learned of operators serves any space, and says that it saw none.
    let architecture = registry.ok(&["sample", "--space", "mobilenetv3"]);
    let said = registry.ok(&["predict", "--hardware", HARDWARE, architecture.trim()]);
    assert!(
        said.contains("no architecture of `mobilenetv3` was in the training set"),
        "{said}"
    );
}

/// The story: a single network beside a space's architectures had metrics that are no numbers, and no version could be made.
/// The story: what a target's rows of networks alone were frozen as had a search space, the first version's, and the same rows could teach no version of
/// another space.
#[test]
fn networks_alone_teach_versions_of_any_space() {
    let registry = Registry::default();
    let target = target(&registry);
    registry.ok(&["dataset", "import", target.to_str().expect("UTF-8")]);
    let train = |space: &str| -> Value {
        let told = registry.ok(&["train", "--hardware", HARDWARE, "--space", space, "--json"]);
        serde_json::from_str(&told).expect("JSON")
    };
    let (first, second) = (train("mobilenetv3"), train("ofa-resnet50"));
    assert_eq!(first["content"]["dataset"], second["content"]["dataset"]);
    assert_eq!(second["content"]["space"], "ofa-resnet50");
    registry.ok(&["promote", "--hardware", HARDWARE, "2"]);
    let lineage = registry.ok(&["models", "lineage", "--hardware", HARDWARE, "2"]);
    assert!(lineage.contains(&format!("{KNOWN} networks")), "{lineage}");
}

/// The story: rules of a runtime change, and what was counted by the former ones is no longer what networks are counted by now. It was left out without a
/// word, and judged versions that read it otherwise.
#[test]
fn networks_that_were_counted_by_other_rules_are_neither_learned_from_nor_judge() {
    let registry = Registry::default();
    let target = target(&registry);
    let file = target.join("onnx.jsonl");
    let lines = std::fs::read_to_string(&file).expect("written before");
    let name = rules().expect("rules").name();
    let former = |(at, line): (usize, &str)| {
        let line = match at < 12 {
            true => line.replace(&name, "onnxruntime/16/0"),
            false => line.to_owned(),
        };
        line + "\n"
    };
    std::fs::write(&file, lines.lines().enumerate().map(former).collect::<String>()).expect("written");
    registry.ok(&["dataset", "import", target.to_str().expect("UTF-8")]);
    let trained = registry.run(&["train", "--hardware", HARDWARE, "--json"]);
    assert!(trained.status.success(), "{trained:?}");
    let said = String::from_utf8_lossy(&trained.stderr);
    assert!(said.contains("12 networks of epyc-1t left out"), "{said}");
    let version: Value = serde_json::from_slice(&trained.stdout).expect("JSON");
    assert_eq!(version["content"]["networks"]["count"], KNOWN - 12, "{version}");
    // Those that it does not know are all counted otherwise.
    let judge = [
        "validate",
        "--hardware",
        HARDWARE,
        "1",
        "--by",
        "networks",
        "--on",
        "recorded",
        "--n",
        "12",
    ];
    let refused = registry.run(&judge);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains('0'), "{said}");
}

#[test]
fn a_few_networks_change_nothing() {
    let registry = Registry::default();
    registry.import(60);
    let train = || registry.json(&["train", "--hardware", lglp_tests::HARDWARE, "--recipe", "additive"]);
    let alone = train();
    let target = registry.folder.path().join("target");
    std::fs::create_dir(&target).expect("a folder");
    folder(&target, lglp_tests::HARDWARE, 1);
    registry.ok(&["dataset", "import", target.to_str().expect("UTF-8")]);
    let beside = train();
    assert_eq!(beside["content"]["networks"], Value::Null);
    assert_eq!(beside["content"]["metrics"], alone["content"]["metrics"]);
    assert_eq!(beside["content"]["dataset"], alone["content"]["dataset"]);
}

/// One file that cannot be measured costs no other, and files keep their names.
#[test]
#[ignore = "takes long"]
fn files_are_measured_by_themselves() {
    let registry = Registry::default();
    let folder = registry.folder.path().join("networks");
    std::fs::create_dir(&folder).expect("a folder");
    for name in ["convnets-3", "transformers-2"] {
        let path = folder.join(format!("{name}.onnx"));
        registry.ok(&["network", name, "-o", path.to_str().expect("UTF-8")]);
    }
    let folder = folder.to_str().expect("UTF-8");
    let measure = |more: &[&'static str]| {
        let all = [
            &["measure", "--hardware", "here", "--budget", "0.3", "--onnx", folder],
            more,
        ]
        .concat();
        registry.ok(&all)
    };
    let said = measure(&[]);
    assert!(said.contains("2 measured now, 2 in replicate 0"), "{said}");
    let said = measure(&[]);
    assert!(said.contains("0 measured now, 2 in replicate 0"), "{said}");
    let said = measure(&["--replicate", "1"]);
    assert!(
        said.contains("2 measured now") && said.contains("repeatability over 2 networks"),
        "{said}"
    );
    std::fs::write(Path::new(folder).join("zero.onnx"), b"no model").expect("written");
    let said = measure(&[]);
    assert!(said.contains("0 measured now, 2 in replicate 0"), "{said}");
    let zero = Path::new(folder).join("zero.onnx");
    let said = registry.fails(&["measure", "--hardware", "here", "--onnx", zero.to_str().expect("UTF-8")]);
    assert!(
        said.contains("left out: zero: ") && said.contains("no network left"),
        "{said}"
    );

    // The same networks, drawn here, are measured already.
    let random = registry.ok(&["measure", "--hardware", "here", "--budget", "0.3", "--random", "4"]);
    assert!(random.contains("3 measured now, 5 in replicate 0"), "{random}");
    let target = registry.folder.path().join("target");
    let target = target.to_str().expect("UTF-8");
    registry.ok(&["dataset", "export", "--hardware", "here", target]);
    let text = std::fs::read_to_string(Path::new(target).join("onnx.jsonl")).expect("exported");
    let names: Vec<String> = text
        .lines()
        .map(|line| {
            let measurement: Measurement = serde_json::from_str(line).expect("a measurement");
            measurement.network.expect("what it computes").name
        })
        .collect();
    assert!(
        names.contains(&"transformers-2".to_owned()) && names.contains(&"convnets-0".to_owned()),
        "{names:?}"
    );
    Registry::default().ok(&["dataset", "import", target]);
}

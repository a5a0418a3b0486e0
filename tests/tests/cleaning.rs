//! `lglp clean`: measurements that models contradict are measured again where that is possible, and excluded, never deleted.

use lglp_tests::{HARDWARE, Registry, root};
use serde_json::{Value, json};

const CLEAN: [&str; 5] = ["clean", "--hardware", HARDWARE, "--recipe", "trees-per-mac"];

/// The shipped measurements with these rows' latencies multiplied, under another machine's fingerprint.
fn spoilt(registry: &Registry, spoil: &[(usize, f64)]) -> Vec<Value> {
    let shipped = root().join("datasets").join(HARDWARE);
    let folder = registry.folder.path().join("spoilt");
    std::fs::create_dir_all(&folder).expect("a folder");
    let hardware = std::fs::read_to_string(shipped.join("hardware.json")).expect("the shipped target");
    let mut hardware: Value = serde_json::from_str(&hardware).expect("JSON");
    hardware["fingerprint"]["cpu"] = "Abacus 3000".into();
    std::fs::write(folder.join("hardware.json"), hardware.to_string()).expect("a file");
    let text = std::fs::read_to_string(shipped.join("mobilenetv3.jsonl")).expect("the shipped dataset");
    let rows = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mut rows: Vec<Value> = rows.filter(|m| m["round"] == 0).collect();
    for (row, factor) in spoil {
        rows[*row]["latency_ms"] = (rows[*row]["latency_ms"].as_f64().expect("ms") * factor).into();
    }
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    std::fs::write(folder.join("mobilenetv3.jsonl"), lines.join("\n")).expect("a file");
    registry.ok(&["dataset", "import", folder.to_str().expect("UTF-8")]);
    rows
}

#[test]
#[ignore = "takes long"]
fn the_worst_measurements_are_excluded_and_kept() {
    let registry = Registry::default();
    let rows = spoilt(&registry, &[(100, 4.0), (300, 0.2)]);
    let digest = |row: usize| rows[row]["digest"].clone();
    let spoilt = [digest(100), digest(300)];
    let dry = registry.json(&[&CLEAN[..], &["--dry-run"]].concat());
    let found: Vec<&Value> = dry["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|f| &f["digest"])
        .collect();
    assert!(spoilt.iter().all(|digest| found.contains(&digest)), "{dry}");
    assert!(found.len() <= rows.len() / 200, "at most half a percent: {dry}");
    assert_eq!(dry["at_hand"], false);

    let server = registry.serve();
    let exclusions = format!("/v1/{HARDWARE}/exclusions?space=mobilenetv3");
    let measurements = format!("/v1/{HARDWARE}/measurements?space=mobilenetv3");
    assert_eq!(server.get(&exclusions).1, json!([]), "a dry run does nothing");
    let before = server.get(&measurements).1;
    let done = registry.json(&CLEAN);
    assert_eq!(done["findings"], dry["findings"]);
    let excluded = server.get(&exclusions).1;
    assert_eq!(excluded.as_array().map(Vec::len), Some(found.len()));
    assert!(
        excluded[0]["reason"]
            .as_str()
            .expect("text")
            .contains("predicted by models that never saw it")
    );
    assert_eq!(server.get(&measurements).1, before, "nothing is deleted");
    let audit = server.get("/v1/audit?from=1&limit=100").1;
    let kinds: Vec<&Value> = audit
        .as_array()
        .expect("entries")
        .iter()
        .map(|e| &e["change"]["kind"])
        .collect();
    assert!(kinds.contains(&&json!("measurements_excluded")), "{kinds:?}");

    let version = registry.json(&["train", "--hardware", HARDWARE, "--recipe", "linear"]);
    let split = &version["content"]["split"];
    let trained: usize = ["train", "validation", "test"]
        .iter()
        .map(|p| split[p].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(trained, rows.len() - found.len(), "no model is trained or judged by it");
    let again = registry.json(&CLEAN);
    assert_eq!(again["findings"], json!([]), "the limit holds for all times together");
    drop(server);

    let folder = registry.export(HARDWARE);
    let folder = folder.to_str().expect("UTF-8");
    let elsewhere = Registry::default();
    elsewhere.ok(&["dataset", "import", folder]);
    assert_eq!(
        elsewhere.serve().get(&exclusions).1,
        excluded,
        "marks travel with the measurements"
    );
}

/// On the machine that it was taken on, a suspicious measurement is taken again: a faulty one gives way to the new one.
#[test]
#[ignore = "takes long"]
fn suspicious_measurements_are_measured_again_where_the_device_is_at_hand() {
    let (first, second) = (Registry::default(), Registry::default());
    let target = ["--hardware", "here", "--space", "ofa-mobilenetv3"];
    let measure = [&["measure", "--count", "40", "--budget", "0.1"][..], &target].concat();
    first.ok(&measure);
    let folder = first.export("here");
    let folder = folder.to_str().expect("UTF-8");
    let file = format!("{folder}/ofa-mobilenetv3.jsonl");
    let text = std::fs::read_to_string(&file).expect("the dataset");
    let mut rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let truth = rows[20]["latency_ms"].as_f64().expect("ms");
    rows[20]["latency_ms"] = (truth * 8.0).into();
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    std::fs::write(&file, lines.join("\n")).expect("a file");
    second.ok(&["dataset", "import", folder]);

    let clean = [
        &["clean", "--recipe", "trees-per-mac", "--limit", "3", "--threshold", "4"][..],
        &target,
    ]
    .concat();
    let done = second.json(&clean);
    assert_eq!(done["at_hand"], true);
    let finding = &done["findings"][0];
    assert_eq!(
        (&finding["digest"], &finding["decision"]),
        (&rows[20]["digest"], &json!("excluded")),
        "{done}"
    );
    let again = finding["remeasured_ms"].as_f64().expect("measured again");
    assert!((again / truth).ln().abs() < 0.7, "{again} ms, {truth} ms at first");
    let version = second.json(&[&["train", "--recipe", "linear"][..], &target].concat());
    let split = &version["content"]["split"];
    let trained: usize = ["train", "validation", "test"]
        .iter()
        .map(|p| split[p].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(trained, 40, "the new measurement is the architecture's label");
}

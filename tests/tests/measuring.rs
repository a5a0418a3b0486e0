//! `lglp measure`: real networks on the real runtime, resumed where it was cut off, refused on another machine.

use std::time::{Duration, Instant};

use lglp_registry::{HardwareName, HolderInfo, Measurement, SledStore, Store};
use lglp_tests::{HARDWARE, Registry};

const MEASURE: [&str; 7] = [
    "measure",
    "--hardware",
    "here",
    "--space",
    "ofa-mobilenetv3",
    "--budget",
    "0.2",
];

fn measurements(registry: &Registry) -> Vec<Measurement> {
    let store = SledStore::open(registry.path(), HolderInfo::default()).expect("the registry opens");
    let here: HardwareName = "here".parse().expect("a name");
    store.measurements(&here, "ofa-mobilenetv3", None).unwrap_or_default()
}

/// Kills a campaign when it is in the middle, time and again: what was measured stays as it is, nothing is measured twice.
#[test]
fn a_campaign_that_is_killed_goes_on_where_it_was() {
    let registry = Registry::default();
    let count = |n: &'static str| [&MEASURE[..], &["--count", n]].concat();
    registry.ok(&count("1"));
    let mut known = measurements(&registry);
    assert_eq!(known.len(), 1);
    for _ in 0..3 {
        let before = Instant::now();
        let mut child = registry.command(&count("12")).spawn().expect("the program runs");
        // Long enough for one or two more on an idle machine; a busy one may get no further, which is fine as well.
        while before.elapsed() < Duration::from_millis(1500) {
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        let now = measurements(&registry);
        assert!(
            known.iter().all(|m| now.contains(m)),
            "a finished measurement was lost or repeated"
        );
        known = now;
    }
    registry.ok(&count("12"));
    let all = measurements(&registry);
    assert_eq!(all.len(), 12);
    assert!(
        known.iter().all(|m| all.contains(m)),
        "a finished measurement was lost or repeated"
    );
    for m in &all {
        assert!(
            m.samples.len() >= 6 && m.latency_ms > 0.0 && !m.statistic.is_empty(),
            "{m:?}"
        );
        assert!(
            m.samples
                .iter()
                .all(|s| s.wall_ms > 0.0 && s.cpu_ms > 0.0 && s.reference_cpu_ms > 0.0)
        );
    }
    registry.ok(&[&count("12")[..], &["--weighted", "1"]].concat());
    let with_weighted = measurements(&registry);
    let weighted: Vec<&Measurement> = with_weighted.iter().filter(|m| !all.contains(m)).collect();
    assert_eq!(weighted.len(), 1);
    assert!(
        weighted[0].flags.contains(&"draw:weighted".to_owned()),
        "reports tell the two kinds of draws apart"
    );
    let said = registry.ok(&[&MEASURE[..], &["--count", "5", "--round", "1"]].concat());
    assert!(said.contains("repeatability over 5 architectures"), "{said}");
    assert_eq!(measurements(&registry).len(), 18);
    let hardware = registry.json(&["hardware"]);
    let target = &hardware[0];
    assert!(
        target["fingerprint"]["cpu"].is_string() && target["reference"]["latency_ms"].as_f64() > Some(0.0),
        "{target}"
    );
    let said = registry.fails(&[&MEASURE[..], &["--count", "99", "--round", "1"]].concat());
    assert!(
        said.contains("13"),
        "asks for more repetitions than there are measurements: {said}"
    );
}

/// A target is calibrated by the reference network of the space that was measured first. Labels of a second space were made
/// of ratios to that space's own reference, times the latency of the first one's: off by the ratio of the two.
#[test]
fn a_second_space_is_measured_by_the_same_reference() {
    let registry = Registry::default();
    registry.ok(&[&MEASURE[..], &["--count", "1"]].concat());
    let other = "measure --hardware here --space mobilenetv3 --budget 0.2 --count 1";
    registry.ok(&other.split(' ').collect::<Vec<_>>());
    let store = SledStore::open(registry.path(), HolderInfo::default()).expect("the registry opens");
    let here: HardwareName = "here".parse().expect("a name");
    let measured = store.measurements(&here, "mobilenetv3", None).expect("measurements");
    let times = measured[0].samples.iter().map(|sample| sample.cpu_ms);
    let shortest = times.fold(f64::MAX, f64::min);
    let ratio = measured[0].latency_ms / shortest;
    assert!((0.5..2.0).contains(&ratio), "the label is {ratio} times what was timed");
}

/// Latencies of two machines under one name would poison every model of that name.
#[test]
fn another_machine_cannot_measure_for_a_target() {
    let registry = Registry::default();
    let folder = registry.folder.path().join("foreign");
    let shipped = lglp_tests::root().join("datasets").join(HARDWARE);
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = std::fs::read_to_string(shipped.join("hardware.json")).expect("the shipped target");
    let mut target: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    target["fingerprint"]["cpu"] = "Abacus 3000".into();
    std::fs::write(folder.join("hardware.json"), target.to_string()).expect("a file");
    registry.ok(&["dataset", "import", folder.to_str().expect("UTF-8")]);
    let said = registry.fails(&[
        "measure",
        "--hardware",
        HARDWARE,
        "--space",
        "mobilenetv3",
        "--count",
        "1",
    ]);
    assert!(said.contains("Abacus 3000") && said.contains("--hardware"), "{said}");
}

#[test]
fn what_is_exported_can_be_imported_elsewhere() {
    let (here, there) = (Registry::default(), Registry::default());
    here.import(670);
    let folder = here.folder.path().join("exported");
    let folder = folder.to_str().expect("UTF-8");
    here.ok(&["dataset", "export", "--hardware", HARDWARE, folder]);
    let said = there.ok(&["dataset", "import", folder]);
    assert!(said.contains("670 measurements, 670 of them new"), "{said}");
    let said = there.ok(&["dataset", "import", folder]);
    assert!(said.contains("670 measurements, 0 of them new"), "{said}");
    let file = format!("{folder}/mobilenetv3.jsonl");
    let text = std::fs::read_to_string(&file).expect("the dataset");
    std::fs::write(&file, text.replacen("k3e3", "k4e3", 1)).expect("a file");
    let third = Registry::default();
    let said = third.fails(&["dataset", "import", folder]);
    assert!(
        said.contains("mobilenetv3.jsonl, line ") && said.contains("kernel is 4"),
        "{said}"
    );
}

/// The story: a measurement of something that is no architecture of its space was recorded over REST, and from then on
/// every training on that hardware target failed, for nothing recorded can be removed.
#[test]
fn measurements_that_could_never_be_trained_on_are_refused() {
    let registry = Registry::default();
    registry.import(40);
    let server = registry.serve();
    let path = format!("/v1/{HARDWARE}/measurements");
    let known = server.get(&format!("{path}?space=mobilenetv3&round=0")).1;
    let good = known[0].clone();
    let with = |field: &str, value: serde_json::Value| {
        let mut measurement = good.clone();
        measurement["round"] = 5.into();
        measurement[field] = value;
        let body = serde_json::json!([good, measurement]).to_string();
        let (status, problem) = server.post(&path, &body);
        (
            status,
            problem["errors"][0]["pointer"].clone(),
            problem["detail"].to_string(),
        )
    };
    for (field, value, status, pointer) in [
        ("architecture", "rubbish".into(), 422, "/1/architecture"),
        ("space", "nasbench".into(), 422, "/1/space"),
        ("hardware", "toaster".into(), 422, "/1/hardware"),
        ("latency_ms", (-5.0).into(), 422, "/latency_ms"),
        ("latency_ms", "fast".into(), 422, "/1/latency_ms"),
        ("digest", "sha256:00".into(), 422, "/1/digest"),
    ] {
        let (found, place, detail) = with(field, value);
        assert_eq!((found, place.as_str()), (status, Some(pointer)), "{field}: {detail}");
    }
    let mut other = good.clone();
    other["latency_ms"] = 1.0.into();
    assert_eq!(
        server.post(&path, &serde_json::json!([other]).to_string()).0,
        409,
        "nothing recorded is changed"
    );
    assert_eq!(
        server.get(&format!("{path}?space=mobilenetv3")).1,
        known,
        "and nothing was recorded by halves"
    );
    assert_eq!(
        with("latency_ms", good["latency_ms"].clone()).0,
        200,
        "a repetition of what was measured is recorded"
    );
}

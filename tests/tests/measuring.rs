//! `lglp measure`: real networks on the real runtime, resumed where it was cut off, refused on another machine.

use std::time::{Duration, Instant};

use lglp_registry::prelude::*;
use lglp_registry::{HardwareName, HolderInfo, Measurement, SledStore};
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
#[ignore = "takes long"]
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
#[ignore = "takes long"]
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
    let folder = here.export(HARDWARE);
    let folder = folder.to_str().expect("UTF-8");
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
        measurement["measured_at"] = "2026-01-01T00:00:00Z".into();
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
        ("latency_ms", (-5.0).into(), 422, "/1/latency_ms"),
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

/// A list that lacked its bracket became text, and a plugin said that it was no list.
#[test]
fn a_setting_with_brackets_is_json_or_a_fault() {
    let registry = Registry::default();
    let measure = |setting: &str| {
        let target = ["measure", "--hardware", "box", "--space", "mobilenetv3", "--count", "1"];
        registry.fails(&[&target[..], &["--runtime", "command", "--set", setting]].concat())
    };
    for (setting, said) in [
        (
            r#"command=["a","b""#,
            "command: EOF while parsing a list at line 1 column 8",
        ),
        ("command=[a]", "command: expected value at line 1 column 2"),
        (
            r#"environment={"A" "b"}"#,
            "environment: expected `:` at line 1 column 6",
        ),
    ] {
        let error = measure(setting);
        assert!(error.contains(said), "{setting}: {error}");
    }
}

/// Labels of large networks hung on how a small reference network fared meanwhile, which streams its weights through the caches while
/// they compute: 2.5 % apart from one time to the next, where a reference of their own size gives half of that.
#[test]
#[ignore = "takes long"]
fn large_networks_are_paired_with_larger_ones() {
    let command = "measure --hardware here --space mobilenetv3 --budget 0.2 --count 4";
    let here: HardwareName = "here".parse().expect("a name");
    let calibrated = || {
        let registry = Registry::default();
        registry.ok(&command.split(' ').collect::<Vec<_>>());
        let store = SledStore::open(registry.path(), HolderInfo::default()).expect("the registry opens");
        let own = store.hardware(&here).expect("the target").reference;
        (registry, store, own.expect("calibrated"))
    };
    // Larger ones whose comparisons do not agree are left out, as on a machine that is busy with something else.
    let mut tries = (0..3).map(|_| calibrated()).filter(|(.., own)| !own.larger.is_empty());
    let (registry, store, own) = tries.next().expect("larger ones, in one of three tries");
    let measured = store.measurements(&here, "mobilenetv3", None).expect("measurements");
    for measurement in &measured {
        let mut ratios: Vec<f64> = (measurement.samples.iter())
            .map(|sample| sample.cpu_ms / sample.reference_cpu_ms)
            .collect();
        ratios.sort_by(f64::total_cmp);
        let middle = (ratios[(ratios.len() - 1) / 2] + ratios[ratios.len() / 2]) / 2.0;
        let reference_ms = measurement
            .reference
            .as_ref()
            .map_or(own.latency_ms, |larger| larger.latency_ms);
        let label = middle * reference_ms;
        assert!(
            (measurement.latency_ms / label - 1.0).abs() < 1e-9,
            "{label} {measurement:?}"
        );
        if let Some(larger) = &measurement.reference {
            assert!(own.larger.contains(larger), "{larger:?}");
            assert!(
                larger.digest != own.digest && larger.latency_ms > 1.5 * own.latency_ms,
                "{larger:?}"
            );
            assert!(middle > 1.0, "a candidate is longer than its reference: {middle}");
        }
    }
    let longest = measured
        .iter()
        .max_by(|a, b| a.latency_ms.total_cmp(&b.latency_ms))
        .expect("some");
    assert!(longest.reference.is_some(), "{longest:?}");

    // Each process once found the larger ones' latencies anew: 2.7 % apart from one hour to the next, and all labels with them.
    drop(store);
    registry.ok(&format!("{command} --replicate 1").split(' ').collect::<Vec<_>>());
    let store = SledStore::open(registry.path(), HolderInfo::default()).expect("the registry opens");
    let mut latencies = std::collections::BTreeMap::new();
    for measurement in store.measurements(&here, "mobilenetv3", None).expect("measurements") {
        if let Some(larger) = measurement.reference {
            let known = latencies.entry(larger.digest).or_insert(larger.latency_ms);
            assert_eq!(*known, larger.latency_ms);
        }
    }
}

/// A target of before pages could be chosen goes on with those that the system gives; and labels of the two do not mix.
#[test]
#[ignore = "takes long"]
fn a_target_keeps_its_pages() {
    let registry = Registry::default();
    let measure = |more: &[&'static str]| [&MEASURE[..], more].concat();
    registry.ok(&measure(&["--count", "1", "--set", "pages=system"]));
    let target = registry.json(&["hardware"])[0].clone();
    assert_eq!(target["settings"]["pages"], "system");
    // Where the kernel gives huge pages by itself, these are the system's.
    let folder = registry.export("here");
    let file = folder.join("hardware.json");
    let exported: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).expect("a file")).expect("JSON");
    let with = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut target = exported.clone();
        edit(&mut target);
        std::fs::write(&file, target.to_string()).expect("a file");
        let other = Registry::default();
        other.ok(&["dataset", "import", folder.to_str().expect("UTF-8")]);
        other
    };
    let before = with(&|target| {
        let settings = target["settings"].as_object_mut().expect("an object");
        settings.remove("pages");
        let runtime = target["fingerprint"]["runtime"].as_object_mut().expect("an object");
        runtime.remove("pages");
    });
    before.ok(&measure(&["--count", "2"]));
    assert_eq!(before.json(&["hardware"])[0]["settings"].get("pages"), None);
    let found = exported["fingerprint"]["runtime"]["pages"]
        .as_str()
        .expect("told")
        .to_owned();
    let other = if found == "huge" { "system" } else { "huge" };
    let elsewhere = with(&|target| target["fingerprint"]["runtime"]["pages"] = other.into());
    let said = elsewhere.fails(&measure(&["--count", "2"]));
    assert!(
        said.contains(&format!("its runtime pages is \"{other}\", this one's is \"{found}\"")),
        "{said}"
    );
}

/// What crashes in a library ended the whole program, and with it a server: networks run in processes of their own.
#[test]
#[ignore = "takes long"]
fn a_network_that_ends_its_process_ends_nothing_else() {
    let registry = Registry::default();
    registry.ok(&[&MEASURE[..], &["--count", "1"]].concat());
    let mut child = registry.command(&[&MEASURE[..], &["--count", "200"]].concat());
    child.stderr(std::process::Stdio::piped());
    let child = child.spawn().expect("the program runs");
    let start = Instant::now();
    let helper = loop {
        if let Some(helper) = helper_of(child.id()) {
            break helper;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "no network runs");
        std::thread::sleep(Duration::from_millis(20));
    };
    let killed = std::process::Command::new("kill")
        .args(["-9", &helper.to_string()])
        .status();
    assert!(killed.expect("a program").success());
    let output = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("onnxruntime") && (said.contains("signal: 9") || said.contains("is gone")),
        "{said}"
    );
    let count = measurements(&registry).len() + 1;
    registry.ok(&[&MEASURE[..], &["--count", &count.to_string()]].concat());
    assert_eq!(measurements(&registry).len(), count);
}

/// A process that runs a network for another one.
fn helper_of(parent: u32) -> Option<u32> {
    let processes = std::fs::read_dir("/proc").expect("Linux").filter_map(Result::ok);
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut serving = numbers.filter(|number| {
        let read = |what: &str| std::fs::read_to_string(format!("/proc/{number}/{what}")).unwrap_or_default();
        read("cmdline").contains("\"do\":\"serve\"") && read("status").contains(&format!("PPid:\t{parent}\n"))
    });
    serving.next()
}

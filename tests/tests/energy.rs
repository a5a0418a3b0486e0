//! Energy: counted while networks are measured, trained on, predicted, and kept out of production.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lglp_tests::{HARDWARE, Registry, release, root, sample};
use serde_json::{Value, json};

/// A processor that draws this power all the time, in the files that Linux has for it. They are in memory, as Linux has
/// them: on a disk that other tests keep busy, an update by rename was seen to wait for 146 ms, about as long as a window
/// of energy is, and a counter that stands still tells no energy.
struct Counter {
    folder: tempfile::TempDir,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

const WATTS: f64 = 25.0;

impl Counter {
    fn start() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
        let zone = folder.path().join("intel-rapl:0");
        std::fs::create_dir(&zone).expect("a folder");
        let write = |file: &str, text: &str| std::fs::write(zone.join(file), text).expect("a file");
        write("name", "package-0\n");
        write("max_energy_range_uj", "262143328850\n");
        write("energy_uj", "0\n");
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = stopping.clone();
        let thread = thread::spawn(move || {
            let started = Instant::now();
            while !stop.load(Ordering::Relaxed) {
                let microjoules = (started.elapsed().as_secs_f64() * WATTS * 1e6) as u64;
                // Renamed into its place: a file that is being written would be read by halves.
                let next = zone.join("next");
                std::fs::write(&next, format!("{microjoules}\n")).expect("a file");
                std::fs::rename(&next, zone.join("energy_uj")).expect("renamed");
                thread::sleep(Duration::from_millis(1));
            }
        });
        Self {
            folder,
            stopping,
            thread: Some(thread),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A command that measures on this machine.
fn measuring(registry: &Registry, arguments: &[&str]) -> Command {
    let fixed = [
        "measure",
        "--hardware",
        "here",
        "--space",
        "ofa-mobilenetv3",
        "--budget",
        "0.3",
    ];
    registry.command(&[&fixed[..], arguments].concat())
}

/// Runs it; every measurement of the registry.
fn run(registry: &Registry, command: &mut Command) -> Vec<Value> {
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    lines(&registry.export("here").join("ofa-mobilenetv3.jsonl"))
}

fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).expect("a file");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// Measures where the processor's energy counters are in a folder.
fn measure(registry: &Registry, powercap: &Path, arguments: &[&str]) -> Vec<Value> {
    run(registry, measuring(registry, arguments).env("LGLP_POWERCAP", powercap))
}

/// Seconds of one run, the median of the samples.
fn seconds(measurement: &Value) -> f64 {
    let samples = measurement["samples"].as_array().expect("samples");
    let mut times: Vec<f64> = samples.iter().filter_map(|s| s["wall_ms"].as_f64()).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2] / 1e3
}

/// The processor draws 25 W, so that energy by the time of a run must be about that, whatever the machine is busy with.
#[test]
#[ignore = "takes long"]
fn energy_is_counted_while_networks_run() {
    let registry = Registry::default();
    let counter = Counter::start();
    let measured = measure(&registry, counter.path(), &["--count", "5"]);
    let mut watts: Vec<f64> = measured
        .iter()
        .map(|m| m["energy_j"].as_f64().expect("joules") / seconds(m))
        .collect();
    watts.sort_by(f64::total_cmp);
    assert!((WATTS / 2.0..WATTS * 2.0).contains(&watts[2]), "{watts:?} W");
    assert_eq!(measured[0]["protocol"]["energy_window_s"], 0.5);

    let none = measure(&registry, registry.folder.path(), &["--count", "6"]);
    let without = |m: &&Value| m.get("energy_j").is_none();
    assert_eq!(
        none.iter().filter(without).count(),
        1,
        "a machine without a counter tells no energy"
    );
    let off = measure(&registry, counter.path(), &["--count", "7", "--energy-window", "0"]);
    assert_eq!(off.iter().filter(without).count(), 2, "nobody asked");
}

/// Measures with a runtime that says it runs on the second GPU of `tests/native/nvml.c`, which draws 300 W.
fn measure_on_gpu(slowdown: &str, settings: &[&str]) -> (Registry, Vec<Value>) {
    let mut registry = Registry::default();
    let folder = registry.folder.path().join("plugins");
    std::fs::create_dir(&folder).expect("a folder");
    let file = "liblglp_plugin_stand_in_gpu.so";
    std::fs::copy(release().join(file), folder.join(file)).expect("`make build` builds it");
    registry.plugins = Some(folder);
    let library = registry.folder.path().join("libnvidia-ml.so");
    let source = root().join("tests/native/nvml.c");
    let mut compiler = Command::new("cc");
    let built = compiler
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(source)
        .status();
    assert!(built.expect("a C compiler").success());
    let mut command = measuring(
        &registry,
        &[&["--count", "3", "--runtime", "stand-in-gpu"], settings].concat(),
    );
    command.env("LGLP_NVML", library).env("STAND_IN_SLOWDOWN", slowdown);
    let measured = run(&registry, &mut command);
    (registry, measured)
}

#[test]
#[ignore = "takes long"]
fn a_gpus_driver_is_asked_while_networks_run() {
    // Idle, and an application's clocks: neither is a slowdown.
    let (registry, measured) = measure_on_gpu("0x3", &[]);
    for measurement in &measured {
        let watts = measurement["energy_j"].as_f64().expect("joules") / seconds(measurement);
        assert!((150.0..600.0).contains(&watts), "{watts} W");
        let conditions = &measurement["conditions"];
        let gpu = json!({ "sm_mhz": 1755.0, "memory_mhz": 2619.0, "temperature_c": 61.0, "power_w": 299.5 });
        assert_eq!(conditions["gpu"], gpu);
        assert!(conditions.get("throttled").is_none(), "{conditions}");
    }
    let facts = json!({
        "name": "Stand-In 300", "memory_mib": 81920, "driver": "555.42.01", "compute_capability": "9.0",
    });
    assert_eq!(registry.json(&["hardware"])[0]["fingerprint"]["gpu"], facts);
}

/// A GPU that is slowed down all the time is measured as often as the protocol allows, and says so.
#[test]
#[ignore = "takes long"]
fn what_was_throttled_is_measured_again_and_marked() {
    let (_registry, measured) = measure_on_gpu("0x61", &[]);
    for measurement in &measured {
        let throttled = json!(["hw-thermal-slowdown", "sw-thermal-slowdown"]);
        assert_eq!(measurement["conditions"]["throttled"], throttled);
        let flags = measurement["flags"].as_array().expect("flags");
        for flag in ["attempts:2", "throttled"] {
            assert!(flags.contains(&json!(flag)), "{flags:?}");
        }
    }
}

/// A program's start, which every call of such a runtime begins with, would be most of the energy of a run.
#[test]
#[ignore = "takes long"]
fn the_start_of_a_program_is_no_inference() {
    let settings = ["--set", "start_ms=300", "--set", "runs_at_once=6"];
    let (_registry, measured) = measure_on_gpu("0", &settings);
    for measurement in &measured {
        let watts = measurement["energy_j"].as_f64().expect("joules") / seconds(measurement);
        assert!((150.0..600.0).contains(&watts), "{watts} W");
    }
}

/// Joules of an inference to milliseconds: a device that draws 25 W. A linear model of one is one of the other, scaled.
const JOULES_PER_MS: f64 = WATTS / 1e3;

/// A registry with shipped measurements, of which some tell energy.
fn with_energies(rows: usize, energies: usize) -> Registry {
    let registry = Registry::default();
    let shipped = root().join("datasets").join(HARDWARE);
    let folder = registry.folder.path().join("energies");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::copy(shipped.join("hardware.json"), folder.join("hardware.json")).expect("the shipped target");
    let told = lines(&shipped.join("mobilenetv3.jsonl"))
        .into_iter()
        .take(rows)
        .enumerate();
    let told = told.map(|(row, mut measurement)| {
        if row < energies {
            let ms = measurement["latency_ms"].as_f64().expect("a latency");
            measurement["energy_j"] = (ms * JOULES_PER_MS).into();
        }
        measurement.to_string()
    });
    std::fs::write(folder.join("mobilenetv3.jsonl"), told.collect::<Vec<_>>().join("\n")).expect("a file");
    registry.ok(&["dataset", "import", folder.to_str().expect("UTF-8")]);
    registry
}

const TRAIN: [&str; 5] = ["train", "--hardware", HARDWARE, "--recipe", "linear"];

/// Version 1 predicts latency and is in production; version 2 predicts energy, under the alias `energy`.
fn with_both() -> Registry {
    let registry = with_energies(120, 120);
    registry.train("linear");
    registry.ok(&["promote", "--hardware", HARDWARE, "1"]);
    let said = registry.ok(&[&TRAIN[..], &["--target", "energy"]].concat());
    let promote = format!("lglp promote --hardware {HARDWARE} --alias energy 2");
    assert!(said.contains(&promote) && said.contains(" J^2"), "{said}");
    registry.ok(&["promote", "--hardware", HARDWARE, "--alias", "energy", "2"]);
    registry
}

#[test]
fn energy_is_predicted_in_joules() {
    let registry = with_both();
    let version = registry.json(&["models", "--hardware", HARDWARE, "2"]);
    let content = &version["content"];
    assert_eq!(
        (&content["quantity"], &content["recipe"]["target"]),
        (&json!("energy"), &json!("energy"))
    );
    assert!(content["golden"][0]["energy_j"].is_f64() && content["golden"][0].get("latency_ms").is_none());
    assert!(content["training_range"]["energy_j"].is_array(), "{content}");

    let architectures = sample(20, 7);
    let server = registry.serve();
    let predict = |model: &str| {
        let body = json!({ "architectures": architectures, "model": model }).to_string();
        let (status, answer) = server.post(&format!("/v1/{HARDWARE}/predict"), &body);
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let (latency, energy) = (predict("production"), predict("energy"));
    assert_eq!((&latency["unit"], &energy["unit"]), (&json!("ms"), &json!("J")));
    for (row, _) in architectures.iter().enumerate() {
        let (in_ms, in_j) = (&latency["predictions"][row], &energy["predictions"][row]);
        assert!(in_ms.get("energy_j").is_none() && in_j.get("latency_ms").is_none());
        let ratio = |j: &Value, ms: &Value| j.as_f64().expect("joules") / ms.as_f64().expect("ms") / JOULES_PER_MS;
        assert!(
            (ratio(&in_j["energy_j"], &in_ms["latency_ms"]) - 1.0).abs() < 1e-6,
            "{in_j}"
        );
        assert!(
            (ratio(&in_j["interval"]["high"], &in_ms["interval"]["high"]) - 1.0).abs() < 1e-6,
            "{in_j}"
        );
    }
    let asked = [
        "predict",
        "--hardware",
        HARDWARE,
        "--model",
        "energy",
        &architectures[0],
    ];
    let by_server = registry.ok(&asked);
    assert!(by_server.to_lowercase().contains("energy j"), "{by_server}");
    drop(server);
    assert_eq!(registry.ok(&asked), by_server, "without a server it is the same");
}

/// Clients of production read milliseconds, and whatever compares with it does.
#[test]
#[ignore = "takes long"]
fn production_stays_with_latency() {
    let registry = with_both();
    let before = registry.json(&["models", "--hardware", HARDWARE])["aliases"].clone();
    let said = registry.fails(&["promote", "--hardware", HARDWARE, "2"]);
    assert!(
        said.contains("version 2 predicts energy in J") && said.contains("alias of its own"),
        "{said}"
    );
    let said = registry.fails(&[
        "promote",
        "--hardware",
        HARDWARE,
        "2",
        "--force",
        "--reason",
        "joules are better",
    ]);
    assert!(said.contains("predicts energy"), "{said}");
    let said = registry.fails(&["validate", "--hardware", HARDWARE, "2", "--n", "2"]);
    assert!(said.contains("validations compare latencies; version 2"), "{said}");
    assert_eq!(registry.json(&["models", "--hardware", HARDWARE])["aliases"], before);

    let server = registry.serve();
    let headers = [("If-Match", "\"0\"")];
    let traffic = json!({ "canary": { "alias": "energy", "share": 0.1 } }).to_string();
    let (status, problem) = server.call("PUT", &format!("/v1/{HARDWARE}/traffic"), &headers, Some(&traffic));
    assert_eq!(
        (status, &problem["errors"][0]["pointer"]),
        (422, &json!("/canary/alias")),
        "{problem}"
    );
    let diff = server.get(&format!("/v1/{HARDWARE}/models/1/diff/2")).1;
    assert_eq!(diff["predictions"], Value::Null);
    assert!(
        diff["not_compared"].to_string().contains("version 2 predicts energy"),
        "{diff}"
    );
    assert_eq!(
        (diff["a"].get("quantity"), &diff["b"]["quantity"]),
        (None, &json!("energy"))
    );
    assert_eq!(diff["data"]["relabelled"], 0, "joules are no other milliseconds");
}

#[test]
#[ignore = "takes long"]
fn a_job_trains_on_energy_and_a_bundle_carries_it() {
    let registry = with_both();
    let server = registry.serve();
    let job = json!({ "kind": "train", "parameters": { "recipe": "trees-per-mac", "target": "energy" } }).to_string();
    let (status, job) = server.post(&format!("/v1/{HARDWARE}/jobs"), &job);
    assert_eq!(status, 202, "{job}");
    let path = format!("/v1/jobs/{}", job["id"]);
    let started = Instant::now();
    let ended = loop {
        let job = server.get(&path).1;
        if !job["finished_at"].is_null() {
            break job;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "{job}");
        thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(
        (&ended["state"], &ended["result"]["version"]),
        (&json!("succeeded"), &json!(3)),
        "{ended}"
    );
    let recipe = server.get(&format!("/v1/{HARDWARE}/models/3")).1["content"]["recipe"].clone();
    assert_eq!(recipe["target"], "energy-per-mac");

    let bundle = registry.folder.path().join("energy.lglp");
    let bundle = bundle.to_str().expect("UTF-8");
    registry.ok(&["models", "export", "--hardware", HARDWARE, "3", "--output", bundle]);
    let there = Registry::default();
    there.ok(&["models", "import", bundle]);
    let architecture = &sample(1, 3)[0];
    let predicted = |registry: &Registry, version: &str| {
        let asked = ["predict", "--hardware", HARDWARE, "--model", version, architecture];
        registry.json(&asked)["predictions"][0]["energy_j"].clone()
    };
    assert!(predicted(&there, "1").is_f64());
    assert_eq!(predicted(&there, "1"), predicted(&registry, "3"));
}

#[test]
fn too_few_energies_are_counted() {
    let registry = with_energies(40, 3);
    let said = registry.fails(&[&TRAIN[..], &["--target", "energy"]].concat());
    assert!(
        said.contains("only 3 of 40 measured architectures have energy_j"),
        "{said}"
    );
}

#[test]
fn savings_take_the_power_that_was_measured() {
    let report = |registry: &Registry, more: &[&str]| -> Value {
        registry.json(&[&["savings", "--hardware", HARDWARE, "--predictions", "1"], more].concat())
    };
    let measured = report(&with_energies(40, 40), &[]);
    assert_eq!(measured["assumptions"]["power_from"], "measured");
    assert_eq!(measured["assumptions"]["power_w"], measured["energy"]["power_w"]);
    assert_eq!(measured["energy"]["measurements"], 40);
    let hours = measured["saved"]["hours"].as_f64().expect("hours");
    let kwh = 1.58 * hours * measured["energy"]["power_w"].as_f64().expect("watts") / 1e3;
    assert!(
        (measured["saved"]["kwh"].as_f64().expect("kWh") / kwh - 1.0).abs() < 1e-9,
        "{measured}"
    );

    let few = with_energies(40, 9);
    assert_eq!(report(&few, &[])["assumptions"]["power_from"], "assumed");
    assert_eq!(report(&few, &[])["energy"]["measurements"], 9);
    let given = report(&few, &["--power", "65"]);
    assert_eq!(
        (&given["assumptions"]["power_from"], &given["assumptions"]["power_w"]),
        (&json!("given"), &json!(65.0))
    );
    let none = report(&with_energies(40, 0), &[]);
    assert!(none.get("energy").is_none(), "{none}");
}

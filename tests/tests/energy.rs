//! Energy: counted while networks are measured, trained on, predicted, and kept out of production.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lglp_tests::{Registry, root};
use serde_json::{Value, json};

/// A processor that draws this power all the time, in the files that Linux has for it.
struct Counter {
    folder: tempfile::TempDir,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

const WATTS: f64 = 25.0;

impl Counter {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
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
    let folder = registry.folder.path().join("exported");
    registry.ok(&[
        "dataset",
        "export",
        "--hardware",
        "here",
        folder.to_str().expect("UTF-8"),
    ]);
    lines(&folder.join("ofa-mobilenetv3.jsonl"))
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
    std::fs::copy(root().join("target/release").join(file), folder.join(file)).expect("`make build` builds it");
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
fn the_start_of_a_program_is_no_inference() {
    let settings = ["--set", "start_ms=300", "--set", "runs_at_once=6"];
    let (_registry, measured) = measure_on_gpu("0", &settings);
    for measurement in &measured {
        let watts = measurement["energy_j"].as_f64().expect("joules") / seconds(measurement);
        assert!((150.0..600.0).contains(&watts), "{watts} W");
    }
}

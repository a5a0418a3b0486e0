//! Energy: counted while networks are measured, trained on, predicted, and kept out of production.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lglp_tests::Registry;
use serde_json::Value;

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

/// Measures on this machine, whose energy counters are in a folder.
fn measure(registry: &Registry, powercap: &Path, arguments: &[&str]) -> Vec<Value> {
    let fixed = [
        "measure",
        "--hardware",
        "here",
        "--space",
        "ofa-mobilenetv3",
        "--budget",
        "0.3",
    ];
    let mut command = registry.command(&[&fixed[..], arguments].concat());
    let output = command
        .env("LGLP_POWERCAP", powercap)
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = registry.folder.path().join("exported");
    let exported: PathBuf = folder.join("ofa-mobilenetv3.jsonl");
    registry.ok(&[
        "dataset",
        "export",
        "--hardware",
        "here",
        folder.to_str().expect("UTF-8"),
    ]);
    let text = std::fs::read_to_string(exported).expect("the measurements");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
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

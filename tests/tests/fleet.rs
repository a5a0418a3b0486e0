//! Faults of a fleet, with real processes: whatever dies, comes late or is cut off, every architecture ends with exactly one
//! accepted measurement, the one that its worker told of first, and the registry verifies.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use lglp_registry::prelude::*;
use lglp_registry::{Digest, HardwareName, HolderInfo, Measurement, SledStore};
use lglp_tests::proxy::{Network, Proxy};
use lglp_tests::worker::{Worker, runtimes};
use lglp_tests::{Registry, Server, agent};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

const SPACE: &str = "ofa-mobilenetv3";

const HARDWARE: &str = "box";

/// Longer than a lease holds without a heartbeat, and than all that is measured here.
const PATIENCE: Duration = Duration::from_secs(200);

/// A registry whose server starts quickly, at an address that stays.
struct Fleet {
    registry: Registry,
    bind: String,
}

impl Fleet {
    fn new() -> Self {
        let mut registry = Registry::default();
        registry.plugins = Some(runtimes(registry.folder.path()));
        // Free now; whoever else takes it in between fails this test loudly.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .expect("a free port")
            .local_addr();
        let bind = port.expect("an address").to_string();
        Self { registry, bind }
    }

    fn serve(&self) -> Server {
        self.registry.serve_at(&self.bind, &["--job-queue", "500"], agent(None))
    }

    fn url(&self) -> String {
        format!("http://{}", self.bind)
    }

    fn worker(&self, name: &str) -> Worker {
        self.registry.worker(&self.url(), name, HARDWARE)
    }

    /// Looks, once nothing runs any more, for what must be there: every architecture of every job has one measurement, and
    /// where a worker told of it, it is what the worker told first.
    fn check(&self, told: &[Value]) -> Vec<Measurement> {
        let store = SledStore::open(self.registry.path(), HolderInfo::default()).expect("the registry opens");
        let hardware: HardwareName = HARDWARE.parse().expect("a name");
        let found = store.measurements(&hardware, SPACE, Some(0)).expect("measurements");
        drop(store);
        let digests: BTreeSet<&Digest> = found.iter().map(|m| &m.digest).collect();
        assert_eq!(digests.len(), found.len());
        for measurement in &found {
            let of_it = |told: &&Value| told["architecture"] == measurement.architecture;
            let told: Vec<f64> = told
                .iter()
                .filter(of_it)
                .map(|told| told["latency_ms"].as_f64().expect("a number"))
                .collect();
            assert!(
                told.is_empty() || told.contains(&measurement.latency_ms),
                "{}: recorded {}, told {told:?}",
                measurement.architecture,
                measurement.latency_ms
            );
        }
        self.registry.ok(&["registry", "verify"]);
        found
    }
}

/// Submits a job that measures architectures as quickly as possible; its path.
fn measure(server: &Server, count: usize, seed: usize) -> String {
    let parameters = json!({ "space": SPACE, "count": count, "seed": seed, "budget_s": 0.05 });
    let body = json!({ "kind": "measure", "parameters": parameters }).to_string();
    let (status, job) = server.post(&format!("/v1/{HARDWARE}/jobs"), &body);
    assert_eq!(status, 202, "{job}");
    format!("/v1/jobs/{}", job["id"])
}

/// Waits until a job is as it should be.
fn wait(server: &Server, job: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let found = server.get(job).1;
        if is_so(&found) {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "still: {found}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn succeeded(server: &Server, job: &str) {
    let job = wait(server, job, |job| !job["finished_at"].is_null());
    assert_eq!(job["state"], "succeeded", "{job}");
}

/// How often workers told that they had measured each architecture.
fn times(told: &[Value]) -> BTreeMap<&str, usize> {
    let mut times = BTreeMap::new();
    for told in told {
        *times.entry(told["architecture"].as_str().expect("a text")).or_default() += 1;
    }
    times
}

/// The architectures of every job, drawn as the program draws them.
fn planned(jobs: &[(usize, usize)]) -> BTreeSet<String> {
    let registry = Registry::default();
    let mut planned = BTreeSet::new();
    for (count, seed) in jobs {
        let (count, seed) = (count.to_string(), seed.to_string());
        let text = registry.ok(&["sample", "--space", SPACE, "--count", &count, "--seed", &seed]);
        planned.extend(text.lines().map(str::to_owned));
    }
    planned
}

#[test]
#[ignore = "takes long"]
fn two_hundred_jobs_survive_kill_9_of_worker_and_server_at_random_moments() {
    let fleet = Fleet::new();
    let mut rng = StdRng::seed_from_u64(5);
    let mut server = fleet.serve();
    let mut worker = fleet.worker("edge");
    worker.wait_for("registered", 1);
    let jobs: Vec<(usize, usize)> = (0..200).map(|seed| (rng.random_range(1..=2), seed)).collect();
    let paths: Vec<String> = jobs
        .iter()
        .map(|(count, seed)| measure(&server, *count, *seed))
        .collect();
    // The target is calibrated once, undisturbed.
    worker.wait_for("measured", 1);
    let mut told = Vec::new();
    let (mut killed_workers, mut killed_servers) = (0, 0);
    let started = Instant::now();
    let last = paths.last().expect("jobs");
    loop {
        thread::sleep(Duration::from_millis(rng.random_range(500..9000)));
        let is_done = !server.get(last).1["finished_at"].is_null();
        if is_done || started.elapsed() > PATIENCE {
            break;
        }
        if rng.random_bool(0.6) {
            worker.kill();
            told.extend(worker.told("measured"));
            worker = fleet.worker("edge");
            killed_workers += 1;
        }
        if rng.random_bool(0.5) {
            drop(server);
            thread::sleep(Duration::from_millis(rng.random_range(0..2000)));
            server = fleet.serve();
            killed_servers += 1;
        }
    }
    for path in &paths {
        succeeded(&server, path);
    }
    worker.drain();
    told.extend(worker.told("measured"));
    drop(server);
    let found = fleet.check(&told);
    let found: BTreeSet<String> = found.into_iter().map(|m| m.architecture).collect();
    assert_eq!(found, planned(&jobs), "every architecture is measured, and no other");
    let again: Vec<_> = times(&told).into_iter().filter(|(_, times)| *times > 1).collect();
    assert!(again.is_empty(), "finished measurements were repeated: {again:?}");
    println!(
        "{killed_workers} workers and {killed_servers} servers killed, {} measured",
        found.len()
    );
    assert!(killed_workers > 2 && killed_servers > 2);
}

#[test]
#[ignore = "takes long"]
fn two_workers_share_the_jobs_of_a_target() {
    let fleet = Fleet::new();
    let server = fleet.serve();
    let mut first = fleet.worker("first");
    first.wait_for("registered", 1);
    let mut second = fleet.worker("second");
    second.wait_for("registered", 1);
    let jobs: Vec<(usize, usize)> = (0..12).map(|seed| (3, seed)).collect();
    let paths: Vec<String> = jobs
        .iter()
        .map(|(count, seed)| measure(&server, *count, *seed))
        .collect();
    for path in &paths {
        succeeded(&server, path);
    }
    first.drain();
    second.drain();
    drop(server);
    let told = [first.told("measured"), second.told("measured")];
    assert!(told.iter().all(|told| !told.is_empty()), "each had its share");
    let told = told.concat();
    let found = fleet.check(&told);
    assert_eq!(found.len(), planned(&jobs).len());
    assert!(times(&told).values().all(|times| *times == 1));
    let workers: BTreeSet<_> = found.iter().filter_map(|m| m.worker.as_deref()).collect();
    assert_eq!(workers, BTreeSet::from(["first", "second"]));
}

#[test]
#[ignore = "takes long"]
fn a_worker_that_answers_late_is_refused_and_goes_on() {
    let fleet = Fleet::new();
    let server = fleet.serve();
    // On a device of its own, or it would keep the other from its turn, too.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let more = ["--hardware", HARDWARE, "--runtime", "onnxruntime"];
    let mut command = fleet.registry.worker_command(&fleet.url(), "late", &more);
    command.env("TMPDIR", elsewhere.path());
    let mut late = Worker::start(command);
    late.wait_for("registered", 1);
    let job = measure(&server, 10, 1);
    late.wait_for("measured", 1);
    // Its lease runs out while it stands still, and another worker does the rest.
    late.signal("STOP");
    let mut other = fleet.worker("other");
    other.wait_for("registered", 1);
    succeeded(&server, &job);
    other.drain();
    late.signal("CONT");
    late.wait_for("lease_lost", 1);
    // What it had in hand is known to the server by now: handed over with the next lease, it changes nothing.
    let next = measure(&server, 12, 1);
    succeeded(&server, &next);
    late.drain();
    assert_eq!(late.wait_for("drained", 1)["unsent"], 0);
    drop(server);
    let found = fleet.check(&[late.told("measured"), other.told("measured")].concat());
    assert_eq!(found.len(), 12);
    assert!(found.iter().any(|m| m.worker.as_deref() == Some("other")));
}

#[test]
#[ignore = "takes long"]
fn a_network_that_drops_delays_and_cuts_costs_no_measurement() {
    let fleet = Fleet::new();
    let server = fleet.serve();
    let proxy = Proxy::before(&server.base);
    let mut worker = fleet.registry.worker(&proxy.url(), "edge", HARDWARE);
    worker.wait_for("registered", 1);
    let job = measure(&server, 60, 3);
    worker.wait_for("measured", 1);
    let faults = [
        Network::CutsAnswers,
        Network::CutsRequests,
        Network::Delays(Duration::from_millis(300)),
        Network::Drops,
        Network::CutsAnswers,
        Network::Hangs,
        Network::CutsRequests,
        Network::Drops,
    ];
    for fault in faults {
        let before = worker.told("measured").len();
        proxy.network(fault);
        // It goes on measuring meanwhile, as long as it has architectures at hand.
        let at = Instant::now();
        while worker.told("measured").len() < before + 2 && at.elapsed() < Duration::from_secs(4) {
            thread::sleep(Duration::from_millis(20));
        }
        thread::sleep(Duration::from_secs(1));
        proxy.network(Network::Passes);
        thread::sleep(Duration::from_millis(500));
    }
    succeeded(&server, &job);
    worker.drain();
    assert!(!worker.told("server_lost").is_empty() && !worker.told("server_back").is_empty());
    assert_eq!(worker.wait_for("drained", 1)["unsent"], 0);
    drop(server);
    let told = worker.told("measured");
    assert_eq!(fleet.check(&told).len(), 60);
    assert!(times(&told).values().all(|times| *times == 1));
}

#[test]
#[ignore = "takes long"]
fn a_worker_goes_on_without_its_server_and_hands_over_after_it_was_killed_too() {
    let fleet = Fleet::new();
    let server = fleet.serve();
    let mut worker = fleet.worker("edge");
    worker.wait_for("registered", 1);
    measure(&server, 20, 1);
    worker.wait_for("measured", 2);
    drop(server);
    let before = worker.told("measured").len();
    worker.wait_for("measured", before + 4);
    worker.kill();
    let mut told = worker.told("measured");
    let server = fleet.serve();
    let mut worker = fleet.worker("edge");
    let resumed = worker.wait_for("resumed", 1);
    assert!(resumed["waiting"].as_u64() >= Some(4), "{resumed}");
    succeeded(&server, "/v1/jobs/1");
    worker.drain();
    told.extend(worker.told("measured"));
    drop(server);
    assert_eq!(fleet.check(&told).len(), 20);
    assert!(times(&told).values().all(|times| *times == 1));
}

#[test]
#[ignore = "takes long"]
fn a_full_disk_costs_no_measurement_while_the_process_lives() {
    let fleet = Fleet::new();
    let server = fleet.serve();
    let proxy = Proxy::before(&server.base);
    // Whatever is written to either file of the spool finds the disk full.
    let state = fleet.registry.state("edge");
    std::fs::create_dir_all(&state).expect("a folder");
    let files = ["spool.jsonl", "spool.new"].map(|file| state.join(file));
    for file in &files {
        symlink("/dev/full", file).expect("a link");
    }
    let mut worker = fleet.registry.worker(&proxy.url(), "edge", HARDWARE);
    worker.wait_for("registered", 1);
    let job = measure(&server, 8, 1);
    worker.wait_for("measured", 3);
    assert_eq!(worker.told("disk_full").len(), 1);
    // With the server away, too, it begins nothing that it could not keep: one was in hand at most.
    proxy.network(Network::Drops);
    worker.wait_for("server_lost", 1);
    thread::sleep(Duration::from_secs(2));
    let before = worker.told("measured").len();
    thread::sleep(Duration::from_secs(4));
    assert_eq!(worker.told("measured").len(), before);
    // There is room again: it goes on although the server is away.
    for file in &files {
        std::fs::remove_file(file).expect("removed");
    }
    worker.wait_for("disk_back", 1);
    worker.wait_for("measured", before + 1);
    proxy.network(Network::Passes);
    succeeded(&server, &job);
    worker.drain();
    drop(server);
    let told = worker.told("measured");
    assert_eq!(fleet.check(&told).len(), 8);
    assert!(times(&told).values().all(|times| *times == 1));
}

/// Compiles a library that moves the clock of a process by an hour; its path.
fn another_time(folder: &Path) -> std::path::PathBuf {
    let source = folder.join("clock.c");
    let code = r#"
        #define _GNU_SOURCE
        #include <time.h>
        #include <unistd.h>
        #include <sys/syscall.h>
        int clock_gettime(clockid_t clock, struct timespec *now) {
            int status = syscall(SYS_clock_gettime, clock, now);
            if (clock == CLOCK_REALTIME) now->tv_sec += 3600;
            return status;
        }
    "#;
    std::fs::write(&source, code).expect("a file");
    let library = folder.join("libclock.so");
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source);
    assert!(compile.status().expect("a C compiler").success());
    library
}

#[test]
#[ignore = "takes long"]
fn a_clock_that_is_an_hour_off_disturbs_nothing() {
    let fleet = Fleet::new();
    let server = fleet.serve();
    let clock = another_time(fleet.registry.folder.path());
    let more = ["--hardware", HARDWARE, "--runtime", "onnxruntime"];
    let mut command = fleet.registry.worker_command(&fleet.url(), "edge", &more);
    command.env("LD_PRELOAD", &clock);
    let mut worker = Worker::start(command);
    worker.wait_for("registered", 1);
    let job = measure(&server, 6, 1);
    succeeded(&server, &job);
    let workers = server.get("/v1/workers").1["workers"].clone();
    let skew = workers[0]["clock_skew_s"].as_f64().expect("a number");
    assert!((3500.0..3700.0).contains(&skew), "{skew}");
    let mut doctor = fleet
        .registry
        .command(&["worker", "doctor", "--json", "--server", &fleet.url()]);
    let output = doctor.env("LD_PRELOAD", &clock).output().expect("the program runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let findings = report["findings"].as_array().expect("findings");
    let about = findings
        .iter()
        .find(|finding| finding["what"] == "clock")
        .expect("it is looked at");
    assert_eq!(about["verdict"], "warning", "{about}");
    worker.drain();
    let now = server.get(&job).1["finished_at"].as_str().expect("a time").to_owned();
    drop(server);
    let found = fleet.check(&worker.told("measured"));
    assert_eq!(found.len(), 6);
    // Times of measurements are the server's: RFC 3339 in UTC sorts as text.
    assert!(found.iter().all(|m| m.measured_at <= now), "{now}: {found:?}");
}

//! The attack: fill the disk under a server, by its own writes or by somebody else's file, before or while it writes.
//!
//! A database that meets a full disk in the middle of a write cannot go on, and parts of it wait for ever: every later write
//! hung, each on a thread of its own until there were none left for predictions, and SIGTERM never ended the server.
//! What must hold: predictions and reads go on, writes are refused at once with what to do, `/readyz` says so, SIGTERM ends
//! the server, and once there is space again nothing that was acknowledged is missing.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lglp_tests::small_disk::{SmallDisk, copy, elsewhere};
use lglp_tests::{HARDWARE, Registry, Server, root, sample};
use serde_json::{Value, json};

/// How long any answer may take. In the attack it was for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the disk lets the server write before it is full, and how much it leaves then, bytes; nothing where the
/// server's own writes fill it.
const TRIES: [(u64, Option<u64>); 12] = [
    (0, Some(0)),
    (0, Some(4 << 10)),
    (0, Some(100 << 10)),
    (0, Some(600 << 10)),
    (50, Some(0)),
    (150, Some(0)),
    (300, Some(0)),
    (500, Some(1 << 20)),
    (700, Some(0)),
    (900, Some(300 << 10)),
    (0, None),
    (0, None),
];

#[test]
#[ignore = "takes long"]
fn predictions_and_reads_survive_twelve_full_disks_and_nothing_is_lost() {
    let template = Registry::with_production("gbdt");
    let architectures = sample(10, 5);
    for (number, (after_ms, leave)) in TRIES.into_iter().enumerate() {
        let Some(disk) = SmallDisk::mount(40) else {
            let name = "full_disk::predictions_and_reads_survive_twelve_full_disks_and_nothing_is_lost";
            assert!(
                elsewhere(name) || cfg!(not(target_os = "linux")) || number == 0,
                "no file system can be mounted any more"
            );
            println!("mounted in a namespace, or nowhere: see the limit on file sizes in `maintenance`");
            return;
        };
        println!("try {number}: full after {after_ms} ms but for {leave:?} bytes");
        attack(
            &template.path(),
            &disk,
            &architectures,
            Duration::from_millis(after_ms),
            leave,
        );
    }
}

fn attack(template: &Path, disk: &SmallDisk, architectures: &[String], after: Duration, leave: Option<u64>) {
    let folder = tempfile::tempdir_in(disk.path()).expect("a folder");
    let registry = Registry {
        folder,
        ..Registry::default()
    };
    copy(template, &registry.path());
    let server = serve(&registry);
    let before = predict(&server, architectures).expect("a prediction");
    let writers = Writers::default();
    std::thread::scope(|scope| {
        let _over = Over(&writers.over);
        for writer in 0..4 {
            let (writers, server) = (&writers, &server);
            scope.spawn(move || writers.write(server, writer));
        }
        std::thread::sleep(after);
        if let Some(leave) = leave {
            disk.fill(leave);
        }
        until("a write is refused", || writers.refused.load(Ordering::Relaxed) > 4);
        // A flood of further writes, each of which wants its own thread.
        let flood: Vec<_> = (0..100)
            .map(|n| {
                (
                    n,
                    scope.spawn({
                        let (writers, server) = (&writers, &server);
                        move || writers.put(server, 100 + n, 0)
                    }),
                )
            })
            .collect();
        // Word of a change that was refused took its target out of serving.
        let rename = json!({ "to": "elsewhere", "reason": "a trial", "force": true }).to_string();
        let renamed = server.post(&format!("/v1/hardware/{HARDWARE}/rename"), &rename);
        assert_eq!(renamed.0, 503, "{}", renamed.1);
        for _ in 0..20 {
            assert_eq!(predict(&server, architectures).as_ref(), Some(&before));
        }
        let models = format!("/v1/{HARDWARE}/models");
        let alias = format!("/v1/{HARDWARE}/aliases/production");
        let measured = format!("/v1/{HARDWARE}/measurements?space=mobilenetv3");
        for read in [
            "/v1/hardware",
            &models,
            &alias,
            &measured,
            "/v1/audit",
            "/v1/jobs",
            "/metrics",
        ] {
            assert_eq!(server.get(read).0, 200, "{read}");
        }
        let (status, ready) = server.get("/readyz");
        assert_eq!((status, &ready["status"]), (200, &json!("ready")), "{ready}");
        assert!(
            ready["writes"].as_str().is_some_and(|said| said.contains("free")),
            "{ready}"
        );
        let threads = threads(&server);
        assert!(threads < 250, "{threads} threads");
        for (n, write) in flood {
            assert!(
                matches!(write.join().expect("an answer"), 201 | 503),
                "write {n} of the flood"
            );
        }
    });
    assert_eq!(*writers.faults.lock().expect("not poisoned"), [""; 0]);
    end(server);

    disk.resize(80);
    let server = serve(&registry);
    assert_eq!(predict(&server, architectures), Some(before));
    let measured = server.get(&format!("/v1/{HARDWARE}/measurements?space=mobilenetv3")).1;
    let measured = measured.as_array().expect("measurements");
    for (replicate, digest) in &*writers.measured.lock().expect("not poisoned") {
        let there = |m: &&Value| m["round"] == *replicate && m["digest"] == *digest;
        assert!(
            measured.iter().find(there).is_some(),
            "a measurement of replicate {replicate} is lost"
        );
    }
    for digest in &*writers.blobs.lock().expect("not poisoned") {
        assert_eq!(server.get(&format!("/v1/blobs/{digest}")).0, 200, "a blob is lost");
    }
    assert_eq!(server.get("/readyz").1.get("writes"), None);
    assert_eq!(Writers::default().put(&server, 1, 1), 201);
    assert_eq!(server.get("/v1/registry/verify").1["findings"], json!([]));
    end(server);
}

/// What the writers were told.
#[derive(Default)]
struct Writers {
    measured: Mutex<Vec<(u64, Value)>>,
    blobs: Mutex<Vec<String>>,
    refused: AtomicUsize,
    /// Answers that are neither success nor a refusal that says what to do.
    faults: Mutex<Vec<String>>,
    over: AtomicBool,
}

impl Writers {
    /// Writes until it is over.
    fn write(&self, server: &Server, writer: u64) {
        let shipped = root().join("datasets").join(HARDWARE).join("mobilenetv3.jsonl");
        let text = std::fs::read_to_string(shipped).expect("the shipped dataset");
        let mut rows: Vec<Value> = text
            .lines()
            .take(20)
            .map(|l| serde_json::from_str(l).expect("JSON"))
            .collect();
        for turn in 0.. {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let replicate = 1000 * (writer + 1) + turn;
            for row in &mut rows {
                row["round"] = json!(replicate);
                row["samples"] = json!([]);
            }
            let (status, answer) = server.post(&format!("/v1/{HARDWARE}/measurements"), &json!(rows).to_string());
            if self.judge(status, 200, &answer) {
                let new = rows.iter().map(|row| (replicate, row["digest"].clone()));
                self.measured.lock().expect("not poisoned").extend(new);
            }
            self.put(server, writer, turn);
        }
    }

    /// Puts a blob; the status.
    fn put(&self, server: &Server, writer: u64, turn: u64) -> u16 {
        let (status, answer) = server.post("/v1/blobs", &format!("{writer}.{turn} ").repeat(5000));
        if self.judge(status, 201, &answer) {
            let digest = answer["digest"].as_str().expect("a digest").to_owned();
            self.blobs.lock().expect("not poisoned").push(digest);
        }
        status
    }

    /// Whether it was done.
    fn judge(&self, status: u16, done: u16, answer: &Value) -> bool {
        let refused = status == 503 && answer["detail"].as_str().is_some_and(|said| said.contains("free"));
        self.refused.fetch_add(usize::from(refused), Ordering::Relaxed);
        if status != done && !refused {
            self.faults
                .lock()
                .expect("not poisoned")
                .push(format!("{status}: {answer}"));
        }
        status == done
    }
}

/// Ends the writers, also where the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn serve(registry: &Registry) -> Server {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE));
    registry.serve_at("127.0.0.1:0", &[], agent.build().into())
}

fn predict(server: &Server, architectures: &[String]) -> Option<Value> {
    let body = json!({ "architectures": architectures }).to_string();
    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/predict"), &body);
    (status == 200).then_some(answer)
}

fn threads(server: &Server) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.child.id()));
    tasks.map_or(0, Iterator::count)
}

/// Ends a server as the system does; it must end by itself, and well.
fn end(server: Server) {
    let asked = Instant::now();
    assert_eq!(server.terminate(), Some(0));
    let took = asked.elapsed();
    println!("ended after {took:?}");
    assert!(
        took < Duration::from_secs(10),
        "SIGTERM ended the server after {took:?}"
    );
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

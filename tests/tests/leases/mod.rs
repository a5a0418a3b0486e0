//! What a server promises a worker, call by call: who gets work, what is accepted under which lease, and what is refused.
//! The worker is this test, so that it can do what a real one must not.

mod mishaps;

use std::time::{Duration, Instant};

use lglp_tests::{HARDWARE, Registry, Server, bearer, root};
use serde_json::{Value, json};

/// A time by a clock that is ahead of this machine's by some seconds.
fn clock(ahead_s: u64) -> String {
    let date = format!("+{ahead_s} seconds");
    let output = std::process::Command::new("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%SZ", "-d", &date])
        .output();
    String::from_utf8(output.expect("date").stdout)
        .expect("UTF-8")
        .trim()
        .to_owned()
}

/// A worker, as far as the server can tell.
struct Worker<'a> {
    server: &'a Server,
    name: &'a str,
    instance: &'a str,
    token: Option<&'a str>,
    ahead_s: u64,
}

impl<'a> Worker<'a> {
    fn new(server: &'a Server, name: &'a str, instance: &'a str) -> Self {
        Self {
            server,
            name,
            instance,
            token: None,
            ahead_s: 0,
        }
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let authorization = self.token.map(bearer).unwrap_or_default();
        let headers = [("Authorization", authorization.as_str())];
        let headers = if self.token.is_some() { &headers[..] } else { &[] };
        self.server.call(method, path, headers, Some(&body.to_string()))
    }

    fn register(&self, hardware: &str, fingerprint: &Value) -> (u16, Value) {
        let body = json!({
            "hardware": hardware, "instance": self.instance, "fingerprint": fingerprint, "version": "0.1.0",
            "sent_at": clock(self.ahead_s),
            "setup": { "runtime": "onnxruntime", "settings": { "threads": 2 }, "batch_size": 4 },
        });
        self.call("PUT", &format!("/v1/workers/{}", self.name), &body)
    }

    fn lease(&self, wait_s: u32) -> (u16, Value) {
        let body = json!({ "instance": self.instance, "wait_s": wait_s, "sent_at": clock(self.ahead_s) });
        self.call("POST", &format!("/v1/workers/{}/lease", self.name), &body)
    }

    fn submit(&self, job: u64, fencing: u64, measurements: &[Value]) -> (u16, Value) {
        let body = json!({ "fencing": fencing, "measurements": measurements, "sent_at": clock(self.ahead_s) });
        self.call("POST", &format!("/v1/jobs/{job}/measurements"), &body)
    }

    fn tell(&self, job: u64, what: &str, body: &Value) -> (u16, Value) {
        self.call("POST", &format!("/v1/jobs/{job}/{what}"), body)
    }

    fn measured(&self, hardware: &str, item: &Value) -> Value {
        let architecture = item["architecture"].as_str().expect("a text");
        let measured = json!({
            "hardware": hardware, "space": "ofa-mobilenetv3", "architecture": architecture,
            "digest": lglp_registry::Digest::of(architecture.as_bytes()), "round": 0, "latency_ms": 12.5,
            "statistic": "made up", "protocol": {}, "samples": [], "load_average": 0.0, "drift": false,
            "flags": item["flags"], "measured_at": clock(self.ahead_s), "process": "a test", "worker": self.name,
        });
        measured
    }
}

fn job(server: &Server, hardware: &str, count: usize) -> u64 {
    let body = json!({ "kind": "measure", "parameters": { "space": "ofa-mobilenetv3", "count": count } });
    let (status, job) = server.post(&format!("/v1/{hardware}/jobs"), &body.to_string());
    assert_eq!(status, 202, "{job}");
    job["id"].as_u64().expect("a number")
}

fn machine() -> Value {
    json!({ "architecture": "x86_64", "cpu": "Abacus 3000", "cores": 1, "simd": [], "runtime": { "threads": 2 } })
}

#[track_caller]
fn problem((status, problem): (u16, Value), expected: u16, slug: &str) -> String {
    assert_eq!(
        (status, &problem["type"]),
        (expected, &json!(format!("urn:lglp:problem:{slug}"))),
        "{problem}"
    );
    problem["detail"].as_str().expect("a detail").to_owned()
}

/// From registering to the end of a job.
#[test]
fn a_worker_measures_what_it_is_given() {
    let registry = Registry::default();
    let server = registry.serve();
    let worker = Worker::new(&server, "abacus", "0123456789abcdef");
    let (status, registered) = worker.register("far", &machine());
    assert_eq!(status, 200, "{registered}");
    let target = &registered["hardware"];
    assert_eq!(
        target["settings"],
        json!({ "batch_size": 4, "threads": 2 }),
        "the target is created as told"
    );
    assert_eq!(worker.lease(0), (204, json!("")), "there is no work");
    // Whoever waits for work gets it when it comes.
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| worker.lease(20));
        std::thread::sleep(Duration::from_millis(300));
        job(&server, "far", 3);
        waiting.join().expect("no panic")
    });
    let (status, work) = waiting;
    assert_eq!(status, 200, "{work}");
    let fencing = work["job"]["lease"]["fencing"].as_u64().expect("a token");
    let items = work["batch"]["items"].as_array().expect("items").clone();
    assert_eq!(
        (items.len(), &work["batch"]["total"], &work["reference"]),
        (3, &json!(3), &Value::Null)
    );
    let reference = json!({ "digest": format!("sha256:{}", "0".repeat(64)), "latency_ms": 5.0 });
    let calibrate = |latency: f64| {
        let mut reference = reference.clone();
        reference["latency_ms"] = latency.into();
        let body = json!({ "instance": worker.instance, "reference": reference });
        worker.call("POST", "/v1/workers/abacus/calibration", &body)
    };
    assert_eq!(calibrate(5.0), (200, json!({ "reference": reference, "ratio": 1.0 })));
    assert_eq!(
        calibrate(6.0),
        (200, json!({ "reference": reference, "ratio": 1.2 })),
        "the first counts"
    );
    let first = worker.measured("far", &items[0]);
    assert_eq!(
        worker.submit(1, fencing, std::slice::from_ref(&first)),
        (200, json!({ "accepted": 1, "known": 0 }))
    );
    assert_eq!(
        worker.submit(1, fencing, &[first]),
        (200, json!({ "accepted": 0, "known": 1 }))
    );
    let left = worker.tell(1, "batch", &json!({ "fencing": fencing, "limit": 9 })).1;
    assert_eq!(
        (left["items"].as_array().map(Vec::len), &left["done"]),
        (Some(2), &json!(1))
    );
    let said = problem(
        worker.tell(1, "finish", &json!({ "fencing": fencing })),
        422,
        "invalid-request",
    );
    assert!(said.contains("2 of 3"), "{said}");
    let progress = json!({ "done": 1, "of": 3, "note": "12.5 ms" });
    let beat = json!({ "fencing": fencing, "progress": progress, "sent_at": clock(0) });
    let (status, told) = worker.tell(1, "heartbeat", &beat);
    assert_eq!((status, &told["progress"]), (200, &progress));
    let shown = server.get("/v1/workers").1["workers"][0].clone();
    assert_eq!(
        (&shown["state"], &shown["job"], &shown["measured"]),
        (&json!("measuring"), &json!(1), &json!(1))
    );
    assert_eq!(shown["reference_ratio"], json!(1.2));
    let rest: Vec<Value> = items[1..].iter().map(|item| worker.measured("far", item)).collect();
    assert_eq!(worker.submit(1, fencing, &rest).0, 200);
    let (status, ended) = worker.tell(1, "finish", &json!({ "fencing": fencing }));
    assert_eq!(
        (status, &ended["state"], &ended["result"]["total"]),
        (200, &json!("succeeded"), &json!(3))
    );
    problem(worker.tell(1, "heartbeat", &beat), 409, "stale-lease");
    assert_eq!(
        worker
            .call("DELETE", "/v1/workers/abacus?instance=0123456789abcdef", &json!({}))
            .0,
        204
    );
    problem(worker.lease(0), 409, "stale-instance");
    assert_eq!(server.get("/v1/workers").1["workers"][0]["state"], "gone");
    assert_eq!(server.get("/v1/registry/verify").1["findings"], json!([]));
}

/// A worker that was taken for dead came back and wrote its measurement over that of its successor.
#[test]
fn whoever_lost_its_place_changes_nothing() {
    let registry = Registry::default();
    let server = registry.serve();
    let old = Worker::new(&server, "abacus", "0123456789abcdef");
    old.register("far", &machine());
    job(&server, "far", 2);
    let work = old.lease(0).1;
    let items = work["batch"]["items"].as_array().expect("items").clone();
    let new = Worker::new(&server, "abacus", "fedcba9876543210");
    assert_eq!(new.register("far", &machine()).0, 200);
    let again = new.lease(0).1;
    let fencing = again["job"]["lease"]["fencing"].as_u64().expect("a token");
    assert_eq!(
        (&again["job"]["id"], fencing),
        (&json!(1), 2),
        "what the old one had leased is queued again"
    );
    let late = old.measured("far", &items[0]);
    problem(old.submit(1, 1, std::slice::from_ref(&late)), 409, "stale-lease");
    for what in ["heartbeat", "batch", "finish", "release"] {
        let body = match what {
            "heartbeat" => json!({ "fencing": 1, "sent_at": clock(0) }),
            "batch" => json!({ "fencing": 1, "limit": 1 }),
            _ => json!({ "fencing": 1 }),
        };
        problem(old.tell(1, what, &body), 409, "stale-lease");
    }
    problem(old.lease(0), 409, "stale-instance");
    assert_eq!(server.get("/v1/far/measurements?space=ofa-mobilenetv3").1, json!([]));
    let mut fresh = new.measured("far", &items[0]);
    fresh["latency_ms"] = 13.5.into();
    assert_eq!(new.submit(1, fencing, &[fresh]).1["accepted"], 1);
    assert_eq!(
        new.submit(1, fencing, &[late]),
        (200, json!({ "accepted": 0, "known": 1 }))
    );
    let kept = server.get("/v1/far/measurements?space=ofa-mobilenetv3").1;
    assert_eq!(
        (kept.as_array().map(Vec::len), &kept[0]["latency_ms"]),
        (Some(1), &json!(13.5))
    );
    let mut elsewhere = new.measured("far", &items[1]);
    elsewhere["round"] = 1.into();
    let said = problem(new.submit(1, fencing, &[elsewhere]), 422, "invalid-request");
    assert!(said.contains("replicate 0"), "{said}");
    let (status, released) = new.tell(1, "release", &json!({ "fencing": fencing }));
    assert_eq!((status, &released["state"]), (200, &json!("queued")));
}

/// Two boards of one kind: the second stood idle while the first measured for a day.
#[test]
fn two_workers_share_a_long_job() {
    let registry = Registry::default();
    let server = registry.serve();
    let first = Worker::new(&server, "abacus", "0123456789abcdef");
    let second = Worker::new(&server, "abacus-2", "fedcba9876543210");
    for worker in [&first, &second] {
        assert_eq!(worker.register("far", &machine()).0, 200);
    }
    job(&server, "far", 190);
    assert_eq!(first.lease(0).1["job"]["id"], 1);
    let (status, part) = second.lease(0);
    assert_eq!(status, 200, "{part}");
    let number = part["job"]["id"].as_u64().expect("a number");
    assert_eq!(
        (&part["job"]["parent"], &part["batch"]["total"]),
        (&json!(1), &json!(31))
    );
    let third = Worker::new(&server, "abacus-3", "0011223344556677");
    third.register("far", &machine());
    assert_eq!(third.lease(0).0, 204, "what is left is in hand");
    let mut seen = std::collections::BTreeSet::new();
    let mut all = |worker: &Worker<'_>, job: u64| loop {
        let (status, batch) = worker.tell(job, "batch", &json!({ "fencing": 1, "limit": 128 }));
        assert_eq!(status, 200, "{batch}");
        let items = batch["items"].as_array().expect("items");
        if items.is_empty() {
            return worker.tell(job, "finish", &json!({ "fencing": 1 })).1["state"].clone();
        }
        for item in items {
            assert!(seen.insert(item["architecture"].to_string()), "given to both: {item}");
        }
        let measured: Vec<Value> = items.iter().map(|item| worker.measured("far", item)).collect();
        assert_eq!(worker.submit(job, 1, &measured).1["accepted"], items.len());
    };
    assert_eq!(all(&first, 1), "queued", "it waits for its part");
    assert_eq!(first.lease(0).0, 204);
    assert_eq!(all(&second, number), "succeeded");
    let again = first.lease(0).1;
    assert_eq!((&again["job"]["id"], &again["batch"]["done"]), (&json!(1), &json!(190)));
    let (status, ended) = first.tell(1, "finish", &json!({ "fencing": 2 }));
    assert_eq!(
        (status, &ended["state"], &ended["result"]["total"]),
        (200, &json!("succeeded"), &json!(190))
    );
    assert_eq!(seen.len(), 190);
}

/// Labels of two machines in one target would be worthless, unless somebody who knows better says otherwise.
#[test]
fn another_machine_gets_no_work_before_it_is_confirmed() {
    let registry = Registry::default();
    let server = registry.serve();
    Worker::new(&server, "abacus", "0123456789abcdef").register("far", &machine());
    job(&server, "far", 2);
    let mut other = machine();
    other["cores"] = 8.into();
    let second = Worker::new(&server, "abacus-2", "fedcba9876543210");
    let said = problem(second.register("far", &other), 409, "fingerprint-differs");
    assert!(
        said.contains("cores is 8") && said.contains("lglp workers confirm abacus-2"),
        "{said}"
    );
    assert_eq!(second.lease(0).0, 204, "it gets nothing");
    let workers = registry.json(&["workers"]);
    assert_eq!(
        (&workers[1]["state"], workers[1]["difference"].is_string()),
        (&json!("unconfirmed"), true)
    );
    let said = registry.ok(&[
        "workers",
        "confirm",
        "abacus-2",
        "--reason",
        "a new board, timed side by side",
    ]);
    assert!(said.contains("abacus-2 may measure for far"), "{said}");
    assert_eq!(second.register("far", &other).0, 200);
    assert_eq!(second.lease(0).0, 200);
    let audit = server.get("/v1/audit?limit=100").1.to_string();
    assert!(
        audit.contains("machine_confirmed") && audit.contains("timed side by side"),
        "{audit}"
    );
    assert!(registry.ok(&["workers", "remove", "abacus-2"]).contains("signed off"));
    assert_eq!(
        server.get("/v1/jobs/1").1["state"],
        "queued",
        "what it had leased goes to the next"
    );
    assert_eq!(server.get("/v1/registry/verify").1["findings"], json!([]));
}

/// An hour's difference made measurements of the future, which sorted behind all that came after.
#[test]
fn times_of_a_clock_that_is_off_are_corrected() {
    let registry = Registry::default();
    let server = registry.serve();
    let worker = Worker {
        ahead_s: 3600,
        ..Worker::new(&server, "abacus", "0123456789abcdef")
    };
    worker.register("far", &machine());
    let skew = server.get("/v1/workers").1["workers"][0]["clock_skew_s"]
        .as_f64()
        .expect("a number");
    assert!((3590.0..3610.0).contains(&skew), "{skew}");
    job(&server, "far", 1);
    let work = worker.lease(0).1;
    let measured = worker.measured("far", &work["batch"]["items"][0]);
    assert_eq!(worker.submit(1, 1, &[measured]).0, 200);
    let kept = server.get("/v1/far/measurements?space=ofa-mobilenetv3").1;
    let (at, soon) = (kept[0]["measured_at"].as_str().expect("a time").to_owned(), clock(60));
    assert!(at < soon, "{at} is not before {soon}");
}

#[test]
fn a_workers_token_does_no_more_than_measure_for_its_target() {
    let registry = Registry::default();
    let admin = registry.token("ann", "admin", &[]);
    let secret = registry.token("abacus", "worker", &["--hardware", "far"]);
    let other = registry.token("mallory", "worker", &["--hardware", "near"]);
    let server = registry.serve();
    let worker = Worker {
        token: Some(&secret),
        ..Worker::new(&server, "abacus", "0123456789abcdef")
    };
    assert_eq!(worker.register("far", &machine()).0, 200);
    assert_eq!(worker.register("near", &machine()).0, 403);
    // A training that the server works on itself: its fencing token is easily guessed.
    let admin = Worker {
        token: Some(&admin),
        ..Worker::new(&server, "ann", "0123456789abcdef")
    };
    let train = json!({ "kind": "train", "parameters": { "recipe": "gbdt" } });
    assert_eq!(admin.call("POST", "/v1/far/jobs", &train).0, 202);
    problem(
        worker.tell(1, "finish", &json!({ "fencing": 1, "failed": "mine" })),
        409,
        "stale-lease",
    );
    for path in ["/v1/far/jobs", "/v1/far/models", "/v1/far/measurements", "/v1/blobs"] {
        assert_eq!(worker.call("POST", path, &json!({})).0, 403, "{path}");
    }
    let mallory = Worker {
        token: Some(&other),
        ..Worker::new(&server, "abacus", "0123456789abcdef")
    };
    assert_eq!(mallory.lease(0).0, 403, "a worker of another target");
    assert_eq!(mallory.register("near", &machine()).0, 403, "nor may it take its name");
    assert_eq!(mallory.call("DELETE", "/v1/workers/abacus", &json!({})).0, 403);
    assert_eq!(
        worker.call("DELETE", "/v1/workers/abacus", &json!({})).0,
        403,
        "without its instance: for operators"
    );
    assert_eq!(
        worker
            .call("POST", "/v1/workers/abacus/confirm", &json!({ "reason": "me" }))
            .0,
        403
    );
}

/// A version of a target far away is judged by measurements made there.
#[test]
fn a_validation_waits_for_its_measurements() {
    let registry = Registry::default();
    let folder = registry.folder.path().join("foreign");
    std::fs::create_dir_all(&folder).expect("a folder");
    let shipped = root().join("datasets").join(HARDWARE);
    let text = std::fs::read_to_string(shipped.join("hardware.json")).expect("the shipped target");
    let mut target: Value = serde_json::from_str(&text).expect("JSON");
    for (fact, value) in machine().as_object().expect("facts") {
        target["fingerprint"][fact] = value.clone();
    }
    std::fs::write(folder.join("hardware.json"), target.to_string()).expect("a file");
    let rows = std::fs::read_to_string(shipped.join("mobilenetv3.jsonl")).expect("the shipped dataset");
    let rows: Vec<&str> = rows.lines().take(120).collect();
    std::fs::write(folder.join("mobilenetv3.jsonl"), rows.join("\n")).expect("a file");
    registry.ok(&["dataset", "import", folder.to_str().expect("UTF-8")]);
    registry.train("gbdt");
    let server = registry.serve();
    let worker = Worker::new(&server, "abacus", "0123456789abcdef");
    assert_eq!(worker.register(HARDWARE, &machine()).0, 200);
    let validate = json!({ "version": 1, "n": 6 }).to_string();
    let (status, job) = server.post(&format!("/v1/{HARDWARE}/validations"), &validate);
    assert_eq!(status, 202, "{job}");
    let (status, work) = worker.lease(30);
    assert_eq!(status, 200, "{work}");
    let number = work["job"]["id"].as_u64().expect("a number");
    assert_eq!(
        (&work["job"]["parent"], &work["batch"]["total"]),
        (&json!(1), &json!(6))
    );
    let state = |id: u64| server.get(&format!("/v1/jobs/{id}")).1;
    assert_eq!(state(1)["state"], "queued", "it waits");
    let measured: Vec<Value> = work["batch"]["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| {
            let mut measured = worker.measured(HARDWARE, item);
            measured["space"] = "mobilenetv3".into();
            measured["latency_ms"] = (10.0 + item["architecture"].to_string().len() as f64).into();
            measured
        })
        .collect();
    assert_eq!(worker.submit(number, 1, &measured).0, 200);
    assert_eq!(worker.tell(number, "finish", &json!({ "fencing": 1 })).0, 200);
    let started = Instant::now();
    while state(1)["state"] != "succeeded" {
        assert!(started.elapsed() < Duration::from_secs(60), "{}", state(1));
        std::thread::sleep(Duration::from_millis(50));
    }
    let report = server.get(&format!("/v1/{HARDWARE}/validations/1")).1;
    assert_eq!(report["content"]["pairs"].as_array().map(Vec::len), Some(6));
    assert_eq!(
        report["content"]["fingerprint"]["cpu"], "Abacus 3000",
        "of the machine that measured"
    );
    // Cancelling one that waits cancels what it waits for.
    let (_, second) = server.post(&format!("/v1/{HARDWARE}/validations"), &validate);
    let (_, work) = worker.lease(30);
    let (parent, child) = (
        second["id"].as_u64().expect("a number"),
        work["job"]["id"].as_u64().expect("a number"),
    );
    assert_eq!(work["job"]["parent"], second["id"]);
    let (status, cancelled) = server.post(&format!("/v1/jobs/{parent}/cancel"), "");
    assert_eq!((status, &cancelled["state"]), (200, &json!("cancelled")));
    assert_eq!(state(child)["cancel_requested"], true);
    assert_eq!(
        worker.tell(child, "release", &json!({ "fencing": 1 })).1["state"],
        "cancelled"
    );
}

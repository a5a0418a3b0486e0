//! Stopping while much is to be done.

use std::io::Read;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use lglp_tests::hanging::Hanging;
use lglp_tests::raw::{answer, connect, post};
use lglp_tests::{HARDWARE, Server, sample};
use serde_json::json;

const PREDICT: &str = "/v1/xeon-1t/predict";

/// Generous: five seconds are promised.
const WITHIN: Duration = Duration::from_secs(8);

/// Sends SIGTERM, and waits until the process has ended.
fn stop(server: &mut Server) -> (ExitStatus, Duration) {
    let told = Instant::now();
    let id = server.child.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill");
    assert!(sent.success());
    loop {
        if let Some(status) = server.child.try_wait().expect("a child") {
            return (status, told.elapsed());
        }
        assert!(told.elapsed() < Duration::from_secs(60), "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The story: with more than 30 seconds of predictions waiting, SIGTERM ended in SIGSEGV: plugins were still at work when
/// the libraries under them were taken down.
#[test]
#[ignore = "takes long"]
fn what_waits_is_told_so_and_the_process_ends_in_order() {
    let hanging = Hanging::default();
    hanging.train(2.0);
    hanging.promote(1, "production");
    let mut server = hanging.registry.serve();
    let batch = json!({ "architectures": sample(10_000, 1) }).to_string();
    let mut clients: Vec<_> = (0..8).map(|_| post(&server, PREDICT, "", batch.as_bytes())).collect();
    std::thread::sleep(Duration::from_secs(2));
    let (status, took) = stop(&mut server);
    assert!(status.success() && took < WITHIN, "{status} after {took:?}");
    let mut waited = 0;
    for client in &mut clients {
        let (status, text) = answer(client);
        assert!(text.to_ascii_lowercase().contains("retry-after"), "{text}");
        match status {
            503 => assert!(text.contains("stopping"), "{text}"),
            // More than half a minute of work does not wait.
            _ => assert_eq!(status, 429, "{text}"),
        }
        waited += usize::from(status == 503);
    }
    assert!(waited >= 2, "{waited} waited");
}

/// The same while plugins hang, at rest or at work, in predictions and in loading.
#[test]
#[ignore = "takes long"]
fn plugins_that_hang_do_not_keep_the_process() {
    for call in ["predict", "spin", "load"] {
        let hanging = Hanging::default();
        hanging.train(0.0);
        hanging.train_healthy();
        hanging.promote(2, "production");
        let mut server = hanging.registry.serve();
        if call != "load" {
            let body = json!({ "architectures": sample(1, 1), "model": 1 }).to_string();
            assert_eq!(server.post(PREDICT, &body).0, 200);
        }
        hanging.hang(call);
        let body = json!({ "architectures": sample(200, 1), "model": 1 }).to_string();
        let mut clients: Vec<_> = (0..4).map(|_| post(&server, PREDICT, "", body.as_bytes())).collect();
        std::thread::sleep(Duration::from_secs(1));
        let (status, took) = stop(&mut server);
        assert!(status.success() && took < WITHIN, "{call}: {status} after {took:?}");
        for client in &mut clients {
            let (status, text) = answer(client);
            assert_eq!(status, 503, "{call}: {text}");
        }
    }
}

/// What was counted and not yet written is written, and what listens for ever is let go.
#[test]
fn counts_are_kept_and_listeners_let_go() {
    let hanging = Hanging::default();
    hanging.train_healthy();
    hanging.promote(1, "production");
    let mut server = hanging.registry.serve();
    let body = json!({ "architectures": sample(30, 1) }).to_string();
    assert_eq!(server.post(PREDICT, &body).0, 200);
    // A job for workers that never come.
    let worker = json!({
        "hardware": "far", "instance": "0123456789abcdef", "fingerprint": { "cpu": "Abacus" }, "version": "0.1.0",
        "sent_at": now(), "setup": { "runtime": "onnxruntime", "batch_size": 1 },
    });
    let (status, registered) = server.call("PUT", "/v1/workers/abacus", &[], Some(&worker.to_string()));
    assert_eq!(status, 200, "{registered}");
    let job = json!({ "kind": "measure", "parameters": { "space": "mobilenetv3", "count": 1 } }).to_string();
    let (status, job) = server.post("/v1/far/jobs", &job);
    assert_eq!(status, 202, "{job}");
    let mut listening = connect(&server);
    let ask = format!("GET /v1/jobs/{}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", job["id"]);
    std::io::Write::write_all(&mut listening, ask.as_bytes()).expect("the server listens");
    std::thread::sleep(Duration::from_millis(500));
    let (status, took) = stop(&mut server);
    assert!(status.success() && took < WITHIN, "{status} after {took:?}");
    let mut heard = String::new();
    listening
        .read_to_string(&mut heard)
        .expect("the connection is closed in order");
    assert!(heard.contains("event: progress"), "{heard}");
    let savings = hanging.registry.json(&["savings", "--hardware", HARDWARE]);
    assert_eq!(savings["predictions"], 30, "{savings}");
}

fn now() -> String {
    let text = Command::new("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%SZ"])
        .output()
        .expect("date");
    String::from_utf8(text.stdout).expect("UTF-8").trim().to_owned()
}

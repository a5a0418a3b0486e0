//! Bodies that become much more than what was sent.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lglp_tests::raw::{answer, connect, gzip, head, memory, post, repeated};
use lglp_tests::{HARDWARE, Registry, Server, readable, root};
use serde_json::{Value, json};

/// The longest that the server took to say that it is alive while something else happened.
fn slowest_sign_of_life(server: &Server, meanwhile: impl FnOnce()) -> Duration {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut slowest = Duration::ZERO;
            while !over.load(Ordering::Relaxed) {
                let asked = Instant::now();
                let (status, _) = server.get("/healthz");
                assert_eq!(status, 200, "the server is alive");
                slowest = slowest.max(asked.elapsed());
                std::thread::sleep(Duration::from_millis(20));
            }
            slowest
        });
        meanwhile();
        over.store(true, Ordering::Relaxed);
        watching.join().expect("the server is alive")
    })
}

/// The story: 94 KB of gzip were 61 MiB of `{"a":1}`, which became 5.6 GiB of values on a thread that answers requests.
/// Nothing else was answered for 18 seconds, the memory never came back, and three at once ended the process.
#[test]
fn a_small_body_that_unpacks_to_a_forest_of_values_takes_no_memory() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let predict = format!("/v1/{HARDWARE}/predict");
    let large = gzip(repeated("[", "{\"a\":1}", "]", 61 << 20).as_bytes());
    // As much as a prediction may have.
    let fitting = gzip(repeated("{\"architectures\":[", "{\"a\":1}", "]}", 31 << 20).as_bytes());
    assert!(large.len() < 300_000, "{} bytes", large.len());
    let (before, _) = memory(&server);
    let slowest = slowest_sign_of_life(&server, || {
        std::thread::scope(|scope| {
            for (body, expected) in [(&large, 413), (&fitting, 422)].repeat(3) {
                let (server, predict) = (&server, &predict);
                scope.spawn(move || {
                    let (status, text) = answer(&mut post(server, predict, "Content-Encoding: gzip\r\n", body));
                    assert_eq!(status, expected, "{text}");
                });
            }
        });
    });
    let (after, peak) = memory(&server);
    assert!(peak < before + 700, "{before} MiB rose to {peak} MiB");
    assert!(after < before + 350, "{before} MiB became {after} MiB");
    assert!(slowest < Duration::from_secs(5), "{slowest:?} without a sign of life");
    let body = json!({ "architectures": [readable(320, 2, 3, 3)] }).to_string();
    assert_eq!(server.post(&predict, &body).0, 200);
}

/// Its siblings: every call that takes JSON, and what looks like the right thing with a forest inside.
#[test]
fn no_call_parses_more_than_it_admits() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let forest = repeated("[", "{\"a\":1}", "]", 15 << 20);
    let text = std::fs::read_to_string(root().join(format!("datasets/{HARDWARE}/mobilenetv3.jsonl"))).expect("data");
    let mut measurement: Value = serde_json::from_str(text.lines().next().expect("a row")).expect("JSON");
    measurement["protocol"] = json!("FOREST");
    let with_forest = measurement.to_string().replace("\"FOREST\"", &forest);
    let bodies = [gzip(forest.as_bytes()), gzip(format!("[{with_forest}]").as_bytes())];
    let calls = document_calls();
    assert!(calls.len() > 15, "{calls:?}");
    let (before, _) = memory(&server);
    let slowest = slowest_sign_of_life(&server, || {
        for (method, path) in &calls {
            for body in &bodies {
                let mut stream = connect(&server);
                let head = head(path, body.len(), "Content-Encoding: gzip\r\nIf-Match: \"0\"\r\n");
                let head = head.replacen("POST", method, 1);
                stream.write_all(head.as_bytes()).expect("the server listens");
                let _ = stream.write_all(body);
                let (status, text) = answer(&mut stream);
                assert!((400..500).contains(&status), "{method} {path}: {status} {text}");
            }
        }
    });
    let (_, peak) = memory(&server);
    assert!(peak < before + 700, "{before} MiB rose to {peak} MiB");
    assert!(slowest < Duration::from_secs(5), "{slowest:?} without a sign of life");
}

/// Methods and paths of the calls that take JSON.
fn document_calls() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("openapi/openapi.json")).expect("the contract");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let mut calls = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            if operation["requestBody"]["content"]["application/json"].is_object() {
                let path = path
                    .replace("{hardware}", HARDWARE)
                    .replace("{version}", "1")
                    .replace("{id}", "1");
                let path = path.replace("{alias}", "production").replace("{worker}", "far");
                calls.push((method.to_uppercase(), path));
            }
        }
    }
    calls
}

/// The story: the server unpacked brotli and zstd, too, whose factors are thousands of times that of gzip.
#[test]
fn other_encodings_than_gzip_are_refused() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let path = format!("/v1/{HARDWARE}/predict");
    let body = json!({ "architectures": [readable(320, 2, 3, 3)] }).to_string();
    for encoding in ["br", "zstd", "deflate", "gzip, gzip", "snappy"] {
        let more = format!("Content-Encoding: {encoding}\r\n");
        let (status, text) = answer(&mut post(&server, &path, &more, body.as_bytes()));
        assert_eq!(status, 415, "{encoding}: {text}");
        assert!(text.contains("unsupported-encoding"), "{text}");
    }
    for (encoding, body) in [("gzip", gzip(body.as_bytes())), ("identity", body.into_bytes())] {
        let more = format!("Content-Encoding: {encoding}\r\n");
        let (status, text) = answer(&mut post(&server, &path, &more, &body));
        assert_eq!(status, 200, "{encoding}: {text}");
    }
}

/// The story: a body was received whole, whatever it was announced as, before anybody asked whether it was wanted.
#[test]
fn a_body_that_is_announced_as_too_large_is_refused_before_it_is_sent() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let calls = [
        (format!("/v1/{HARDWARE}/predict"), 33 << 20),
        (format!("/v1/{HARDWARE}/jobs"), 1 << 20),
        ("/v1/blobs".to_owned(), 65 << 20),
        (format!("/v1/{HARDWARE}/models/import"), 65 << 20),
    ];
    for (path, length) in calls {
        let mut stream = connect(&server);
        let head = head(&path, length, "");
        stream.write_all(head.as_bytes()).expect("the server listens");
        let (status, text) = answer(&mut stream);
        assert_eq!(status, 413, "{path}: {text}");
    }
}

/// A limit that refuses what people send would be no defence.
#[test]
#[ignore = "takes long"]
fn the_largest_batch_in_generous_writing_fits() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let largest = readable(1024, 4, 7, 6)
        .to_string()
        .replace(':', ": ")
        .replace(',', ", ");
    let body = format!("{{\"architectures\": [{}]}}", vec![largest; 10_000].join(", "));
    assert!(body.len() > 20 << 20, "{} bytes", body.len());
    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/predict"), &body);
    assert_eq!(status, 200, "{}", answer["detail"]);
}

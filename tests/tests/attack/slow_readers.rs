//! Answers that nobody takes: whoever asked for something large and did not read it held it in the server's memory.

use std::io::Read;
use std::time::{Duration, Instant};

use lglp_tests::raw::{Raw, memory};
use lglp_tests::{HARDWARE, Registry};

/// The server's limit lies at a minute; a busy machine may take its time.
const ENOUGH: Duration = Duration::from_secs(200);

/// Reads a little every half second; how much came within `limit`, and whether the connection was closed.
fn trickle(client: &mut Raw, step: usize, limit: Duration) -> (usize, bool) {
    let (begun, mut read, mut chunk) = (Instant::now(), 0, vec![0; step]);
    while begun.elapsed() < limit {
        match client.0.read(&mut chunk) {
            Ok(0) | Err(_) => return (read, true),
            Ok(count) => read += count,
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    (read, false)
}

/// 60 connections that never read an answer of some megabytes held it for good, and one that takes 32 KiB a second is served.
#[test]
#[ignore = "takes long"]
fn answers_are_held_for_those_who_read_them() {
    let registry = Registry::default();
    let folder = registry.folder.path().join("registry");
    let server = registry.serve();
    // A blob is the largest thing that can be asked for.
    let body = "large ".repeat(8 << 20);
    let (status, stored) = server.post("/v1/blobs", &body);
    assert_eq!(status, 201, "{stored} in {}", folder.display());
    let digest = stored["digest"].as_str().expect("a digest");
    let ask = format!("GET /v1/blobs/{digest} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    let before = memory(&server).0;
    let mut deaf: Vec<Raw> = (0..20).map(|_| Raw::to(&server)).collect();
    for client in &mut deaf {
        client.send(ask.as_bytes());
    }
    let mut slow = Raw::to(&server);
    slow.send(format!("GET /v1/{HARDWARE}/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").as_bytes());
    assert!(
        trickle(&mut slow, 64, Duration::from_secs(2)).0 > 0,
        "others are served meanwhile"
    );
    std::thread::sleep(Duration::from_secs(5));
    let held = memory(&server).0;
    assert!(
        held < before + 700,
        "{before} MiB before, {held} MiB while 20 clients do not read 48 MiB each"
    );
    // Where the budget is spent, they are told so, which is as little to read.
    let begun = Instant::now();
    for client in &mut deaf {
        // Nothing is read of what came: only whether the connection ends.
        while !is_over(client) {
            assert!(begun.elapsed() < ENOUGH, "an answer is held that nobody takes");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    let after = memory(&server).0;
    assert!(after < before + 200, "{before} MiB before, {after} MiB after");
}

/// A socket that the other side has given up says so when something is sent.
fn is_over(client: &mut Raw) -> bool {
    !client.send(b"\r\n")
}

/// A backup or a bundle over a slow line takes minutes, and comes whole.
#[test]
#[ignore = "takes long"]
fn slow_lines_get_all_of_a_large_answer() {
    let registry = Registry::default();
    let server = registry.serve();
    let body = "slowly ".repeat(4 << 20);
    let (status, stored) = server.post("/v1/blobs", &body);
    assert_eq!(status, 201);
    let digest = stored["digest"].as_str().expect("a digest");
    let mut client = Raw::to(&server);
    client.send(format!("GET /v1/blobs/{digest} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").as_bytes());
    let (read, closed) = trickle(&mut client, 20 << 10, Duration::from_secs(75));
    assert!(!closed && read < body.len(), "it is under way still, {read} bytes");
    let rest = client.rest(ENOUGH).expect("the connection is closed").len();
    assert!(read + rest > body.len(), "{} of {} bytes", read + rest, body.len());
}

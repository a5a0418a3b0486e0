//! Slowness as an attack: bodies that dribble in or stop just before their end, heads that never end, handshakes that never
//! begin, and connections by the hundred. Each held a place and memory for as long as its client liked.

use std::path::Path;
use std::time::{Duration, Instant};

use lglp_tests::raw::{Raw, answer, memory};
use lglp_tests::{HARDWARE, Registry, Server};
use serde_json::json;

/// The server's limits lie at 20 and 30 s; a busy machine may take its time.
const ENOUGH: Duration = Duration::from_secs(90);

fn predict() -> String {
    format!("/v1/{HARDWARE}/predict")
}

fn assert_given_up(answer: Option<String>) {
    let answer = answer.expect("the connection is closed");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("urn:lglp:problem:body-too-slow"), "{answer}");
}

/// 300 clients that send a byte a second each held a connection for days: after 40 s all 300 were open still.
#[test]
#[ignore = "takes long"]
fn bodies_that_dribble_in_are_given_up() {
    let registry = Registry::default();
    let server = registry.serve_with(&["--connections-per-address", "400"]);
    let mut clients: Vec<Raw> = (0..300).map(|_| Raw::to(&server)).collect();
    for client in &mut clients {
        client.post(&predict(), 1_000_000);
    }
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(25) {
        for client in &mut clients {
            // Those that were given up take no more.
            client.send(b" ");
        }
        assert_eq!(server.get("/healthz").0, 200, "others are served meanwhile");
        std::thread::sleep(Duration::from_secs(1));
    }
    for mut client in clients {
        assert_given_up(client.rest(ENOUGH));
    }
}

/// Bodies in chunks that stop within one were answered, but their connections stayed: of 256, 92 held the places of their address
/// for ever, since nothing came that would have had the server look at its clock.
#[test]
#[ignore = "takes long"]
fn bodies_in_chunks_that_stop_within_one_hold_no_place() {
    let registry = Registry::default();
    let server = registry.serve_with(&["--connections-per-address", "400", "--keep-alive", "15"]);
    let head = |method: &str, path: &str| {
        format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{{\"arch")
    };
    let mut clients: Vec<Raw> = (0..200).map(|_| Raw::to(&server)).collect();
    for (at, client) in clients.iter_mut().enumerate() {
        let request = match at % 3 {
            0 => head("GET", "/healthz"),
            1 => head("POST", &predict()),
            _ => head("POST", "/v1/jobs/1/cancel"),
        };
        client.send(request.as_bytes());
    }
    for mut client in clients {
        let answer = client.rest(ENOUGH).expect("the connection is closed");
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
    }
}

/// Ten bodies of 59 MiB that stopped ten bytes before their end held 597 MiB for as long as their clients liked. That nearly
/// all of it came quickly is no credit.
#[test]
#[ignore = "takes long"]
fn bodies_that_stop_before_their_end_are_given_up_with_their_memory() {
    const LENGTH: usize = 59 << 20;
    let registry = Registry::default();
    let server = registry.serve();
    let before = memory(&server).0;
    let body = vec![b' '; LENGTH - 10];
    let mut clients: Vec<Raw> = (0..4).map(|_| Raw::to(&server)).collect();
    for client in &mut clients {
        client.post(&predict(), LENGTH);
        client.send(&body);
    }
    for mut client in clients {
        let answer = client.rest(ENOUGH).expect("the connection is closed");
        // A server that has no memory for them all says so at once, which is as good.
        let refused = answer.starts_with("HTTP/1.1 408 ") || answer.starts_with("HTTP/1.1 503 ");
        assert!(refused || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
    let after = memory(&server).0;
    assert!(after < before + 100, "{before} MiB before, {after} MiB after");
}

/// Whoever had made one good request was never asked for the second one's end: the limit for heads held for the first alone.
#[test]
#[ignore = "takes long"]
fn heads_have_to_end_the_second_one_too() {
    let registry = Registry::default();
    let server = registry.serve_with(&["--keep-alive", "15"]);
    for first in ["", "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"] {
        let mut client = Raw::to(&server);
        client.send(first.as_bytes());
        client.send(b"GET /healthz HTTP/1.1\r\nX-Slow: ");
        let begun = Instant::now();
        while client.send(b"x") {
            assert!(begun.elapsed() < ENOUGH, "half a head is held after {first:?}");
            std::thread::sleep(Duration::from_millis(500));
        }
    }
    // And who says nothing at all.
    let mut silent = Raw::to(&server);
    assert!(silent.rest(ENOUGH).is_some());
}

/// Connections were closed after 15 s of silence. A balancer keeps its own for 60, and answered 502 for a request that it sent on one
/// which was closed meanwhile.
#[test]
#[ignore = "takes long"]
fn silence_between_requests_lasts_longer_than_balancers_wait_or_as_told() {
    let ask = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let registries = [Registry::default(), Registry::default()];
    let servers = [registries[0].serve(), registries[1].serve_with(&["--keep-alive", "1"])];
    let [mut patient, mut brief] = servers.each_ref().map(|server| {
        let mut client = Raw::to(server);
        client.send(ask);
        assert_eq!(answer(&mut client.0).0, 200);
        client
    });
    assert_eq!(brief.rest(ENOUGH).as_deref(), Some(""), "it is closed");
    assert!(patient.rest(Duration::from_secs(61)).is_none(), "it is open still");
    patient.send(ask);
    assert_eq!(answer(&mut patient.0).0, 200);
}

fn status_of(server: &Server) -> String {
    let mut client = Raw::to(server);
    client.send(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    client.rest(ENOUGH).expect("the connection is closed")
}

/// Connections that were answered, as many as there are places for: two threads accept them, in no order.
fn all_places(server: &Server) -> Vec<Raw> {
    let connect = || {
        let mut client = Raw::to(server);
        client.send(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        (answer(&mut client.0).0 == 200).then_some(client)
    };
    std::iter::from_fn(connect).collect()
}

/// One address could open connections until the server had no files left, for its registry neither.
#[test]
fn one_address_has_so_many_connections_and_all_have_so_many() {
    let registry = Registry::default();
    for (limits, refusal) in [
        (
            ["--connections", "50", "--connections-per-address", "8"],
            "HTTP/1.1 429 ",
        ),
        (
            ["--connections", "8", "--connections-per-address", "50"],
            "HTTP/1.1 503 ",
        ),
    ] {
        let server = registry.serve_with(&limits);
        let held = all_places(&server);
        assert!((6..=8).contains(&held.len()), "{} places", held.len());
        let refused = |answer: &str| answer.starts_with(refusal) && answer.contains("too-many-connections");
        // Whoever asks before it hears gets no more than the end of the connection.
        let refusal_of = |_| Raw::to(&server).rest(ENOUGH).expect("the connection is closed");
        let said: Vec<String> = (0..20).map(refusal_of).collect();
        assert!(said.iter().any(|answer| refused(answer)), "{said:?}");
        assert!(
            said.iter().all(|answer| answer.is_empty() || refused(answer)),
            "{said:?}"
        );
        drop(held);
        let begun = Instant::now();
        while !status_of(&server).starts_with("HTTP/1.1 200 ") {
            assert!(begun.elapsed() < ENOUGH, "places come back");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A server with TLS accepted nobody once 512 connections waited for a handshake, which cost their owner nothing.
#[test]
#[ignore = "takes long"]
fn handshakes_that_never_begin_keep_nobody_out() {
    let registry = Registry::default();
    let folder = registry.folder.path();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let (certificate, key) = (folder.join("server.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let arguments = [
        "--tls-cert",
        &text(&certificate),
        "--tls-key",
        &text(&key),
        "--connections-per-address",
        "900",
    ];
    let server = registry.serve_at("127.0.0.1:0", &arguments, lglp_tests::agent(Some(&certificate)));
    let mut silent: Vec<Raw> = (0..700).map(|_| Raw::to(&server)).collect();
    let begun = Instant::now();
    let fresh = lglp_tests::agent(Some(&certificate));
    let answer = fresh.get(format!("{}/healthz", server.base)).call().expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(silent[0].rest(ENOUGH).is_some(), "handshakes have a limit of their own");
}

/// What is slow for good reasons goes on: listening to a job that waits, and a worker that waits for work.
#[test]
#[ignore = "takes long"]
fn those_who_wait_for_the_server_are_left_alone() {
    let registry = Registry::default();
    let server = registry.serve();
    let (instance, sent_at) = ("0123456789abcdef", "2026-01-31T12:00:00Z");
    let register = json!({
        "hardware": "far", "instance": instance, "fingerprint": {}, "version": "0.1.0", "sent_at": sent_at,
        "setup": { "runtime": "onnxruntime", "batch_size": 1 },
    });
    let call =
        |method: &str, path: &str, body: serde_json::Value| server.call(method, path, &[], Some(&body.to_string()));
    assert_eq!(call("PUT", "/v1/workers/abacus", register).0, 200);
    let listening = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let ask = json!({ "instance": instance, "wait_s": 30, "sent_at": sent_at });
            call("POST", "/v1/workers/abacus/lease", ask).0
        });
        assert_eq!(
            waiting.join().expect("no panic"),
            204,
            "the longest wait ends in its own time"
        );
        let measure = json!({ "kind": "measure", "parameters": { "space": "ofa-mobilenetv3", "count": 1 } });
        assert_eq!(call("POST", "/v1/far/jobs", measure).0, 202);
        let mut listener = Raw::to(&server);
        listener.send(b"GET /v1/jobs/1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        let still_open = listener.rest(Duration::from_secs(65)).is_none();
        call("POST", "/v1/jobs/1/cancel", json!({}));
        listener.send(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        still_open.then(|| listener.rest(ENOUGH)).flatten()
    });
    let rest = listening.expect("it was open after a minute, and ends with the job");
    assert!(rest.contains("event: end"), "{rest}");
}

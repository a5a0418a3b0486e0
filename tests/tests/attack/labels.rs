//! What clients choose freely must name no series of metrics and bring about no lines of the log without number.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use lglp_tests::{HARDWARE, Registry, Server, agent, readable};
use serde_json::json;

/// Requests of a flood.
const FLOOD: usize = 20_000;

/// Sends requests one after the other on one connection; their statuses.
fn send(server: &Server, requests: impl Iterator<Item = String>) -> Vec<u16> {
    let address = server.base.trim_start_matches("http://");
    let mut connection = BufReader::new(TcpStream::connect(address).expect("a connection"));
    let mut answer = |request: String| {
        connection
            .get_mut()
            .write_all(request.as_bytes())
            .expect("the server reads");
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            connection.read_line(&mut line).expect("the server answers");
            match line.trim_end().split_once([' ', ':']) {
                Some(("HTTP/1.1", rest)) => status = rest[..3].parse().expect("a status"),
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().expect("a length");
                }
                Some(_) => {}
                None => break,
            }
        }
        connection.read_exact(&mut vec![0; length]).expect("the body");
        status
    };
    requests.map(&mut answer).collect()
}

fn request(method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn metrics(server: &Server, secret: &str) -> String {
    let (status, text) = server.call_as(secret, "GET", "/metrics", None);
    assert_eq!(status, 200, "{text}");
    text.as_str().expect("text").to_owned()
}

/// The story: every method, also one that somebody made up, named a series of its own. 60,000 requests without a token made 16 MB
/// of metrics of 1.9 KB, kept for good.
#[test]
fn methods_that_are_made_up_share_one_series() {
    let registry = Registry::default();
    let secret = registry.token("admin", "admin", &[]);
    let server = registry.serve();
    let before = metrics(&server, &secret).len();
    let paths = ["/v1/plugins", "/nowhere", "/v1/cpu/predict", "/healthz"];
    let made_up = (0..FLOOD).map(|n| request(&format!("MADE{n}UP"), paths[n % paths.len()], ""));
    let statuses = send(&server, made_up);
    assert_eq!(statuses.len(), FLOOD);
    assert!(statuses.iter().all(|status| (400..500).contains(status)));
    let after = metrics(&server, &secret);
    let counted = |line: &str| {
        let labels = line.contains("lglp_http_requests_total{") && line.contains("method=\"other\"");
        labels.then(|| line.rsplit(' ').next()?.parse::<usize>().ok()).flatten()
    };
    assert_eq!(
        after.lines().filter_map(counted).sum::<usize>(),
        FLOOD,
        "they are counted"
    );
    // Each of the four routes has a histogram.
    assert!(after.len() < before + 12_000, "{} bytes of {before}", after.len());
    assert!(!after.contains("MADE"));
}

/// The story: every version that somebody asked for and that did not exist got a series and a line of the log.
#[test]
#[ignore = "takes long"]
fn versions_that_are_made_up_are_in_neither_metrics_nor_log() {
    let registry = Registry::with_production("gbdt");
    let log = registry.folder.path().join("log");
    let server = registry.serve_logging(&log);
    let before = metrics(&server, "").len();
    let predict = |n: usize| {
        let body = json!({ "architectures": [readable(160, 1, 3, 3)], "model": n + 2 }).to_string();
        request("POST", &format!("/v1/{HARDWARE}/predict"), &body)
    };
    let statuses = send(&server, (0..FLOOD).map(predict));
    assert_eq!(statuses.len(), FLOOD);
    assert!(statuses.iter().all(|status| *status == 404));
    let after = metrics(&server, "");
    // The route has a histogram.
    assert!(after.len() < before + 6_000, "{} bytes of {before}", after.len());
    assert!(!after.contains("lglp_model_load_failures_total{"), "{after}");
    let lines = std::fs::read_to_string(&log).expect("a log");
    assert!(lines.len() < 10_000, "{} bytes", lines.len());
}

/// A version that exists and cannot be loaded has one series, and its line of the log once in a while, however often it is
/// asked for. What was left out is counted.
#[test]
fn a_version_that_cannot_be_loaded_does_not_fill_the_log() {
    let registry = Registry::with_production("lightgbm");
    let log = registry.folder.path().join("log");
    let file = std::fs::File::create(&log).expect("a file");
    let mut command = registry.command(&["serve", "--bind", "127.0.0.1:0"]);
    command.env("LGLP_NATIVE", registry.folder.path()).stderr(file);
    let server = registry.listening(command.spawn().expect("the program runs"), agent(None));
    let body = json!({ "architectures": [readable(160, 1, 3, 3)] }).to_string();
    let requests = (0..2_000).map(|_| request("POST", &format!("/v1/{HARDWARE}/predict"), &body));
    let statuses = send(&server, requests);
    let answered = statuses.iter().filter(|status| **status < 500).count();
    assert_eq!(answered, 0, "of {} requests", statuses.len());
    let after = metrics(&server, "");
    let series = after
        .lines()
        .filter(|line| line.starts_with("lglp_model_load_failures_total{"));
    assert_eq!(series.count(), 1, "{after}");
    stop(server);
    let lines = std::fs::read_to_string(&log).expect("a log");
    // As it starts, and two kinds for each request; in another minute on a slow machine once more.
    assert!(lines.lines().count() < 400, "{} lines", lines.lines().count());
    assert!(
        lines.contains("further lines like those before were left out"),
        "{lines}"
    );
}

/// Ends a server as an admin does, so that it says its last words.
fn stop(mut server: Server) {
    let pid = server.child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-TERM", &pid]).status();
    assert!(sent.expect("kill").success());
    server.child.wait().expect("it ends");
}

/// Webhooks come and go, and so do their series.
#[test]
fn series_of_deleted_webhooks_are_dropped() {
    let registry = Registry::with_production("gbdt");
    let server = registry.serve();
    let attempts = |wanted: &str| {
        let text = metrics(&server, "");
        let lines = text
            .lines()
            .filter(|line| line.starts_with("lglp_webhook_deliveries_total{"));
        lines.filter(|line| line.contains(wanted)).count()
    };
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let start = Instant::now();
        while !holds() {
            assert!(start.elapsed() < Duration::from_secs(30), "{what}");
            thread::sleep(Duration::from_millis(50));
        }
    };
    let create = |id: &str| {
        // Nobody listens there.
        let body =
            json!({ "id": id, "url": "http://127.0.0.1:9/hook", "events": ["webhook_created", "webhook_deleted"] });
        let (status, answer) = server.post("/v1/webhooks", &body.to_string());
        assert_eq!(status, 201, "{answer}");
    };
    for number in 0..20 {
        let id = format!("hook-{number}");
        create(&id);
        create("another");
        until("an attempt is made", &|| attempts(&format!("\"{id}\"")) > 0);
        for id in [id.as_str(), "another"] {
            assert_eq!(server.call("DELETE", &format!("/v1/webhooks/{id}"), &[], None).0, 204);
        }
    }
    create("last");
    until("the series of those that are gone are dropped", &|| {
        attempts("\"hook-") == 0
    });
}

//! Clients that ask for much, and leave.

use std::time::{Duration, Instant};

use lglp_tests::hanging::Hanging;
use lglp_tests::raw::{answer, post};
use lglp_tests::{HARDWARE, Server, sample};
use serde_json::json;

const PREDICT: &str = "/v1/xeon-1t/predict";

/// A server whose model takes two milliseconds a row.
fn slow() -> (Hanging, Server) {
    let hanging = Hanging::default();
    hanging.train(2.0);
    hanging.promote(1, "production");
    let server = hanging.registry.serve();
    (hanging, server)
}

fn body(architectures: &[String]) -> String {
    json!({ "architectures": architectures }).to_string()
}

/// Time of one prediction.
fn single(server: &Server) -> Duration {
    let asked = Instant::now();
    let (status, answer) = server.post(PREDICT, &body(&sample(1, 7)));
    assert_eq!(status, 200, "{answer}");
    asked.elapsed()
}

/// The story: 20 clients sent 10,000 each and left. What they had asked for was computed to the end, one after the other,
/// and the next client waited 50 seconds for one architecture.
#[test]
#[ignore = "takes long"]
fn nothing_is_computed_for_clients_that_have_left() {
    let (_hanging, server) = slow();
    let batch = body(&sample(10_000, 1));
    let clients: Vec<_> = (0..20).map(|_| post(&server, PREDICT, "", batch.as_bytes())).collect();
    std::thread::sleep(Duration::from_secs(3));
    drop(clients);
    // What was left would take 20 s and more; it is dropped between two units.
    let waited = single(&server);
    assert!(waited < Duration::from_secs(10), "{waited:?}");
    let began = Instant::now();
    while rows_waiting(&server) > 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "rows still wait");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn rows_waiting(server: &Server) -> u64 {
    let metrics = server.get("/metrics").1;
    let text = metrics.as_str().expect("text");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("lglp_predict_rows_waiting "));
    line.and_then(|n| n.parse().ok()).expect("a number")
}

/// The sibling over HTTP/2, where the server's library lets handlers of closed connections go on.
#[test]
#[ignore = "takes long"]
fn nothing_is_computed_for_clients_that_have_left_over_http_2() {
    let hanging = Hanging::default();
    hanging.train(2.0);
    hanging.promote(1, "production");
    let folder = hanging.registry.folder.path();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let file = |name: &str, text: String| {
        let file = folder.join(name);
        std::fs::write(&file, text).expect("a file");
        file.to_str().expect("UTF-8").to_owned()
    };
    let (certificate, key) = (
        file("cert.pem", made.cert.pem()),
        file("key.pem", made.signing_key.serialize_pem()),
    );
    let batch = file("batch.json", body(&sample(10_000, 1)));
    let tls = ["--tls-cert", &certificate, "--tls-key", &key];
    let agent = lglp_tests::agent(Some(certificate.as_ref()));
    let server = hanging.registry.serve_at("127.0.0.1:0", &tls, agent);
    let clients: Vec<_> = (0..2)
        .map(|_| {
            std::process::Command::new("curl")
                .args(["--silent", "--http2", "--max-time", "3", "--cacert", &certificate])
                .args([
                    "--data-binary",
                    &format!("@{batch}"),
                    &format!("{}{PREDICT}", server.base),
                ])
                .spawn()
                .expect("curl")
        })
        .collect();
    for mut client in clients {
        let status = client.wait().expect("a child");
        assert_eq!(status.code(), Some(28), "curl gives up after its time");
    }
    let began = Instant::now();
    while rows_waiting(&server) > 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "rows still wait");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The story: 64 clients with batches of 10,000 starved those with one architecture for minutes. One passes between two
/// units of others, and what is too much in all is refused.
#[test]
#[ignore = "takes long"]
fn singles_pass_between_batches() {
    let (_hanging, server) = slow();
    let batch = body(&sample(10_000, 1));
    let mut clients: Vec<_> = (0..64).map(|_| post(&server, PREDICT, "", batch.as_bytes())).collect();
    std::thread::sleep(Duration::from_secs(2));
    let slowest = (0..10).map(|_| single(&server)).max().expect("ten");
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    // Those that were refused know it by now, and when to come again.
    for client in &clients {
        client
            .set_read_timeout(Some(Duration::from_millis(10)))
            .expect("a timeout");
    }
    let answers: Vec<_> = clients.iter_mut().map(answer).collect();
    let refused = answers.iter().filter(|(status, _)| *status == 429).count();
    assert!(refused > 20, "{refused} were refused");
    assert!(answers.iter().all(|(status, _)| [0, 200, 429].contains(status)));
    let (_, text) = answers
        .iter()
        .find(|(status, _)| *status == 429)
        .expect("some are refused");
    assert!(text.to_ascii_lowercase().contains("retry-after"), "{text}");
}

/// Two batches of equal size that are asked for together end together.
#[test]
#[ignore = "takes long"]
fn batches_share() {
    let (_hanging, server) = slow();
    let batch = body(&sample(1000, 1));
    let times: Vec<Duration> = std::thread::scope(|scope| {
        let ask = || {
            let asked = Instant::now();
            let (status, text) = answer(&mut post(&server, PREDICT, "", batch.as_bytes()));
            assert_eq!(status, 200, "{text}");
            asked.elapsed()
        };
        let calls: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        calls.into_iter().map(|call| call.join().expect("an answer")).collect()
    });
    let (first, last) = (times.iter().min().expect("four"), times.iter().max().expect("four"));
    assert!(*last < *first * 2, "{times:?}");
}

/// The sibling: comparing two versions on 10,000 architectures, by 40 viewers at once, who leave.
#[test]
#[ignore = "takes long"]
fn comparisons_of_viewers_who_left_are_given_up() {
    let (hanging, server) = slow();
    drop(server);
    hanging.train(2.0);
    let server = hanging.registry.serve();
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                let path = format!("/v1/{HARDWARE}/models/1/diff/2?count=10000");
                let agent = ureq::Agent::config_builder()
                    .timeout_global(Some(Duration::from_secs(3)))
                    .build();
                let _ = ureq::Agent::from(agent).get(format!("{}{path}", server.base)).call();
            });
        }
    });
    let waited = single(&server);
    assert!(waited < Duration::from_secs(5), "{waited:?}");
    let (status, _) = server.get(&format!("/v1/{HARDWARE}/models/1/diff/2?count=100"));
    assert_eq!(status, 200, "its turn comes soon");
}

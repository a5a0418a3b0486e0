//! Errors that repeat what was sent: a field name of 60 MiB came back four times over, 251 MB, and stood in the log.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use lglp_tests::raw::Raw;
use lglp_tests::{HARDWARE, Registry, Server};
use serde_json::{Value, json};

/// Characters of an error at most, whatever was sent.
const LONGEST: usize = 100_000;

/// Says what was wrong in few words. `text` is what was sent: none of it longer than an excerpt comes back.
fn assert_short(what: &str, (status, answer): (u16, Value)) {
    assert!((400..500).contains(&status), "{what}: {status}");
    let text = answer.to_string();
    assert!(text.len() < LONGEST, "{what}: {} bytes came back", text.len());
    assert!(
        !text.contains(&"x".repeat(2_500)),
        "{what}: it is quoted at length: {text}"
    );
    let problem = answer["type"].as_str().unwrap_or_default();
    assert!(problem.starts_with("urn:lglp:problem:"), "{what}: {text}");
}

#[test]
fn what_was_sent_is_not_sent_back() {
    let registry = Registry::with_production("linear");
    let log = registry.folder.path().join("log");
    let child = registry
        .command(&["serve", "--bind", "127.0.0.1:0"])
        .env("LGLP_LOG", "debug,hyper=info")
        .stderr(Stdio::from(File::create(&log).expect("a file")))
        .spawn()
        .expect("the program runs");
    let server = registry.serving(child, lglp_tests::agent(None));
    fields_and_values(&server);
    paths_queries_and_headers(&server);
    let lines = std::fs::read_to_string(&log).expect("the log");
    let longest = lines.lines().map(str::len).max().unwrap_or_default();
    assert!(longest < 10_000, "the log has a line of {longest} bytes");
    assert!(lines.len() < 2_000_000, "the log has {} bytes", lines.len());
}

fn fields_and_values(server: &Server) {
    // The attack as it was.
    let huge = "x".repeat(60 << 20);
    let named = format!("{{\"{huge}\": 1}}");
    for path in [&format!("/v1/{HARDWARE}/predict"), "/v1/webhooks"] {
        assert_short(path, server.post(path, &named));
    }
    drop((huge, named));
    // And everywhere else, with what a debug build of patience allows.
    let long = "x".repeat(1 << 20);
    let (predict, jobs) = (format!("/v1/{HARDWARE}/predict"), format!("/v1/{HARDWARE}/jobs"));
    let far = json!({
        "hardware": "far", "instance": "0123456789abcdef", "fingerprint": {}, "version": "0.1.0", "sent_at": long,
    });
    let bodies = [
        (predict.as_str(), json!({ "architectures": [long] })),
        (
            &predict,
            json!({ "architectures": vec![json!({ long.as_str(): 1 }); 3] }),
        ),
        (
            &predict,
            json!({ "architectures": [{ "resolution": long, "blocks": [] }] }),
        ),
        (
            &predict,
            json!({ "architectures": [{ "r": [[long]], "d": [], "ks": [], "e": [] }] }),
        ),
        (&predict, json!({ "architectures": [1], "space": long })),
        (&predict, json!({ "architectures": [1], "space": [long] })),
        (&predict, json!({ "architectures": [1], "model": long })),
        (&predict, json!({ "architectures": [1], "model": { long.as_str(): 1 } })),
        (&predict, json!(vec![1; 500_000])),
        (&jobs, json!({ "kind": long })),
        (&jobs, json!({ "kind": "train", long.as_str(): 1 })),
        (&jobs, json!({ "kind": "train", "parameters": { long.as_str(): 1 } })),
        (&jobs, json!({ "kind": "train", "parameters": { "recipe": long } })),
        (&jobs, json!({ "kind": "train", "parameters": { "space": long } })),
        (&jobs, json!({ "kind": "train", "parameters": { "seed": long } })),
        (
            &jobs,
            json!({ "kind": "measure", "parameters": { "space": "mobilenetv3", "count": 1, "plan": long } }),
        ),
        (
            &jobs,
            json!({ "kind": "validate", "parameters": { "version": 1, "select": long } }),
        ),
        ("/v1/webhooks", json!({ "id": long, "url": "http://127.0.0.1:9/" })),
        ("/v1/webhooks", json!({ "id": "ci", "url": long })),
        ("/v1/webhooks", json!({ "id": "ci", "url": format!("http://{long}/") })),
        (
            "/v1/webhooks",
            json!({ "id": "ci", "url": "http://127.0.0.1:9/", "events": [long] }),
        ),
        (
            "/v1/webhooks",
            json!({ "id": "ci", "url": "http://127.0.0.1:9/", "hardware": [long] }),
        ),
        ("/v1/tokens", json!({ "name": "a", "role": long })),
        (
            "/v1/tokens",
            json!({ "name": "a", "role": "viewer", "hardware": [long] }),
        ),
        (
            &format!("/v1/{HARDWARE}/exclusions"),
            json!({ "exclusions": [{ "digest": long }] }),
        ),
        (
            &format!("/v1/{HARDWARE}/exclusions"),
            json!({ "exclusions": [{ "space": long, "digest": "", "round": 0 }] }),
        ),
        (&format!("/v1/{HARDWARE}/measurements"), json!([{ long.as_str(): 1 }])),
        (&format!("/v1/{HARDWARE}/models"), json!({ "space": long })),
        (
            &format!("/v1/{HARDWARE}/datasets"),
            json!({ "space": long, "rows": 1, "content": "a", "origin": long }),
        ),
    ];
    for (path, body) in bodies {
        let shape: String = body.to_string().replace(&long, "<long>").chars().take(120).collect();
        assert_short(&format!("{path} {shape}"), server.post(path, &body.to_string()));
    }
    let put = |path: &str, body: &Value| server.call("PUT", path, &[("If-Match", "\"1\"")], Some(&body.to_string()));
    for (path, body) in [
        ("/v1/workers/abacus", far),
        (
            &format!("/v1/{HARDWARE}/aliases/production"),
            json!({ "version": long }),
        ),
        (
            &format!("/v1/{HARDWARE}/gate"),
            json!({ "rules": { long.as_str(): 1 } }),
        ),
        (
            &format!("/v1/{HARDWARE}/traffic"),
            json!({ "canary": { "alias": long, "share": 0.1 } }),
        ),
        ("/v1/hardware/toaster", json!({ "name": long })),
    ] {
        assert_short(path, put(path, &body));
    }
    for junk in [
        "\0".repeat(1 << 20),
        format!("\"{long}\""),
        format!("[{long}"),
        format!("{{\"{long}"),
    ] {
        assert_short("no JSON", server.post(&predict, &junk));
    }
}

fn paths_queries_and_headers(server: &Server) {
    let long = "x".repeat(20_000);
    for path in [
        format!("/{long}"),
        format!("/v1/{long}/models"),
        format!("/v1/{HARDWARE}/models/{long}"),
        format!("/v1/{HARDWARE}/aliases/{long}"),
        format!("/v1/blobs/{long}"),
        format!("/v1/webhooks/{long}"),
        format!("/v1/audit?from={long}"),
        format!("/v1/audit?{long}=1"),
        format!("/v1/audit?hardware={long}"),
        format!("/v1/jobs?state={long}"),
        format!("/v1/{HARDWARE}/savings?pue={long}"),
        format!("/docs/{long}"),
    ] {
        let what: String = path.replace(&long, "<long>");
        assert_short(&what, server.get(&path));
    }
    let alias = format!("/v1/{HARDWARE}/aliases/production");
    let body = json!({ "version": 1 }).to_string();
    for header in ["If-Match", "Idempotency-Key"] {
        let tag = if header == "If-Match" { &long } else { "\"9\"" };
        let headers = [("If-Match", tag), (header, long.as_str())];
        assert_short(header, server.call("PUT", &alias, &headers, Some(&body)));
    }
    let mut client = Raw::to(server);
    client.send(format!("{long} /v1/audit HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").as_bytes());
    let answer = client.rest(Duration::from_secs(60)).expect("the connection is closed");
    assert!(answer.starts_with("HTTP/1.1 4") && answer.len() < 2_000, "{answer}");
}

/// What a server says is bounded where it is shown, too: it may be another program.
#[test]
fn commands_do_not_repeat_what_a_server_says_at_length() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let answering = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        let _ = client.read(&mut [0; 4096]);
        let problem = json!({ "type": "a", "title": "b", "status": 400, "detail": "y".repeat(10 << 20) }).to_string();
        let head = format!(
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: {}\r\n\r\n",
            problem.len()
        );
        let _ = client
            .write_all(head.as_bytes())
            .and_then(|()| client.write_all(problem.as_bytes()));
    });
    let registry = Registry::default();
    let said = registry.fails(&["hardware", "--server", &format!("http://{address}")]);
    answering.join().expect("no panic");
    assert!(said.contains("yyy… (10485760 bytes in all)"), "{} bytes", said.len());
    assert!(said.len() < 5_000, "{} bytes", said.len());
}

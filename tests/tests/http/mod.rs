//! HTTP as the world speaks it: what proxies, browsers and programs send that is no fault of theirs.

mod bodies;

use std::io::Read as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use lglp_tests::{HARDWARE, Registry, Server, agent, sample};
use serde_json::json;

#[test]
fn what_get_answers_head_does_without_a_body() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    for path in [
        "/healthz",
        "/readyz",
        "/metrics",
        "/v1/hardware",
        "/v1/hardware/xeon-1t",
        "/docs/",
        "/openapi.json",
        "/v1/xeon-1t/measurements?space=mobilenetv3",
    ] {
        assert_eq!(server.call("HEAD", path, &[], None), (200, json!("")), "{path}");
    }
    assert_eq!(server.status("HEAD", "/v1/nowhere/models", &[], None), 404);
    assert_eq!(server.status("HEAD", "/v1/xeon-1t/predict", &[], None), 405);
    let allowed = server.header("OPTIONS", "/v1/hardware", &[], "allow");
    assert_eq!(allowed.as_deref(), Some("GET, HEAD, OPTIONS"));
}

#[test]
fn the_root_leads_somewhere() {
    let registry = Registry::default();
    let server = registry.serve();
    let (status, there) = server.get("/");
    assert_eq!((status, &there["documentation"]), (200, &json!("docs/")));
    let html = [("Accept", "text/html,application/xhtml+xml")];
    // Followed, it is the page for people.
    assert_eq!(server.status("GET", "/", &html, None), 200);
}

/// A proxy that compresses weakens tags; a form that has nothing to say sends no body; Windows begins files with a mark.
#[test]
fn weak_tags_missing_bodies_and_marks_are_taken() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let gate = format!("/v1/{HARDWARE}/gate");
    let rules = json!({ "rules": { "min_n": 20 }, "reason": "policy" }).to_string();
    for bad in ["*, \"0\"", "\"0\" \"2\"", "\"\"0\"\"", "\"0", "W/0\"", "zero", ",", ""] {
        let (status, answer) = server.call("PUT", &gate, &[("If-Match", bad)], Some(&rules));
        assert_eq!(status, 428, "{bad}: {answer}");
    }
    for (at, tag) in ["W/\"0\"", "\"1\"", "2"].into_iter().enumerate() {
        let (status, answer) = server.call("PUT", &gate, &[("If-Match", tag)], Some(&rules));
        assert_eq!(
            (status, &answer["generation"]),
            (200, &json!(at + 1)),
            "{tag}: {answer}"
        );
    }
    assert_eq!(
        server.call("PUT", &gate, &[("If-Match", "W/\"1\"")], Some(&rules)).0,
        412
    );

    assert_eq!(server.call("POST", "/v1/registry/gc", &[], None).0, 200);
    let back = format!("/v1/{HARDWARE}/aliases/production/rollback");
    assert_eq!(
        server.call("POST", &back, &[], None).0,
        409,
        "there is no earlier version"
    );
    let (status, answer) = server.call("POST", "/v1/webhooks", &[], None);
    assert_eq!(status, 422, "what is needed is asked for: {answer}");
    let (_, contract) = server.get("/openapi.json");
    for (path, required) in [("/v1/registry/gc", false), ("/v1/webhooks", true)] {
        let body = &contract["paths"][path]["post"]["requestBody"];
        assert_eq!(body["required"], json!(required), "{path}");
    }

    let body = json!({ "architectures": sample(1, 3) }).to_string();
    let marked = format!("\u{feff}{body}");
    let predict = format!("/v1/{HARDWARE}/predict");
    assert_eq!(server.post(&predict, &marked), server.post(&predict, &body));
    let job = format!(
        "\u{feff}{}",
        json!({ "kind": "train", "parameters": { "recipe": "linear" } })
    );
    assert_eq!(server.post(&format!("/v1/{HARDWARE}/jobs"), &job).0, 202);
}

/// `*` and lists were answered 428, as if nothing had been sent.
#[test]
fn whatever_there_is_may_be_changed_and_any_of_several_states() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let put = |path: &str, tags: &str, body: &str| {
        let path = format!("/v1/{HARDWARE}/{path}");
        server.call("PUT", &path, &[("If-Match", tags)], Some(body))
    };
    let version = json!({ "version": 1 }).to_string();
    let (status, missing) = put("aliases/candidate", "*", &version);
    assert_eq!(status, 412, "{missing}");
    let said = missing["detail"].as_str().unwrap_or_default();
    assert!(said.contains("does not exist yet"), "{missing}");
    let rules = json!({ "rules": { "min_n": 20 } }).to_string();
    for (path, tags, body, expected) in [
        ("aliases/candidate", "\"7\", \"0\"", &version, (200, json!(1))),
        ("aliases/candidate", "*", &version, (200, json!(2))),
        ("aliases/candidate", "\"0\",W/\"2\" ,, \"9\"", &version, (200, json!(3))),
        ("aliases/candidate", "\"1\", \"2\"", &version, (412, json!(null))),
        // A gate without rules is there, as `GET` tells.
        ("gate", "*", &rules, (200, json!(1))),
        ("gate", " * ", &rules, (200, json!(2))),
        ("traffic", "*", &"{}".to_owned(), (200, json!(1))),
        ("traffic", "\"0\", \"1\"", &"{}".to_owned(), (200, json!(2))),
    ] {
        let (status, answer) = put(path, tags, body);
        assert_eq!(
            (status, answer["generation"].clone()),
            expected,
            "{path} {tags}: {answer}"
        );
    }
    let back = format!("/v1/{HARDWARE}/aliases/candidate/rollback");
    let whichever = server.call("POST", &back, &[("If-Match", "*")], Some("{}"));
    assert_eq!(
        whichever.0, 409,
        "the condition holds, and there is no earlier version: {}",
        whichever.1
    );
    assert_eq!(server.call("POST", &back, &[("If-Match", "\"1\"")], Some("{}")).0, 412);
}

/// The bytes of an answer's body, and what a header of it holds.
fn fetched(server: &Server, path: &str, accepts: &str) -> (Vec<u8>, impl Fn(&str) -> Option<String>) {
    let headers = [("Accept-Encoding", accepts)];
    let mut answer = server.send("GET", path, &headers, None).expect("an answer");
    let bytes = answer.body_mut().read_to_vec().expect("a body");
    let told = answer.headers().clone();
    (bytes, move |name| {
        Some(told.get(name)?.to_str().expect("text").to_owned())
    })
}

/// A list of measurements went as megabytes of text over slow links, whatever its reader took.
#[test]
fn answers_are_compressed_for_those_who_take_it() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let list = format!("/v1/{HARDWARE}/measurements?space=mobilenetv3");
    for path in [list.as_str(), "/openapi.json", "/docs/swagger-ui.css", "/metrics"] {
        let (plain, of_plain) = fetched(&server, path, "identity");
        assert_eq!(
            (of_plain("content-encoding"), of_plain("vary").as_deref()),
            (None, Some("accept-encoding")),
            "{path}"
        );
        let (packed, of_packed) = fetched(&server, path, "br;q=1.0, gzip;q=0.8, *;q=0.1");
        assert_eq!(of_packed("content-encoding").as_deref(), Some("gzip"), "{path}");
        assert_eq!(of_packed("vary").as_deref(), Some("accept-encoding"), "{path}");
        assert!(
            packed.len() < plain.len() / 2,
            "{path}: {} of {}",
            packed.len(),
            plain.len()
        );
        let mut text = String::new();
        GzDecoder::new(packed.as_slice())
            .read_to_string(&mut text)
            .expect("gzip");
        if path != "/metrics" {
            assert!(text.as_bytes() == plain, "{path}");
        }
    }
    for accepts in ["gzip;q=0", "br, zstd", "identity;q=0"] {
        let (_, told) = fetched(&server, "/openapi.json", accepts);
        assert_eq!(told("content-encoding"), None, "{accepts}");
    }
    // Nothing is gained by these, and a bundle is what its tag says.
    for path in ["/healthz", "/v1/xeon-1t/models/1/bundle"] {
        let (_, told) = fetched(&server, path, "gzip");
        assert_eq!((told("content-encoding"), told("vary")), (None, None), "{path}");
        assert!(told("etag").is_none_or(|tag| tag.starts_with('"')), "{path}");
    }
    let head = [("Accept-Encoding", "gzip")];
    assert_eq!(server.call("HEAD", "/openapi.json", &head, None), (200, json!("")));
    assert_eq!(
        server.call("HEAD", "/openapi.json", &head, None),
        (200, json!("")),
        "on the same connection"
    );
}

#[test]
fn a_body_that_is_compressed_otherwise_is_refused() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let body = json!({ "architectures": sample(1, 3) }).to_string();
    for encoding in ["br", "zstd", "deflate", "gzip, gzip", "compress"] {
        let headers = [("Content-Encoding", encoding)];
        for (method, path) in [
            ("POST", format!("/v1/{HARDWARE}/predict")),
            ("POST", "/v1/webhooks".into()),
        ] {
            let (status, answer) = server.call(method, &path, &headers, Some(&body));
            assert_eq!(
                (status, &answer["type"]),
                (415, &json!("urn:lglp:problem:unsupported-encoding")),
                "{encoding}"
            );
        }
    }
}

/// Behind `https://host/lglp/` addresses that began with a slash led past the server.
#[test]
fn addresses_hold_behind_a_prefix_of_paths() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let job = json!({ "kind": "train", "parameters": { "recipe": "linear" } }).to_string();
    let path = format!("/v1/{HARDWARE}/jobs");
    let submitted = server.send("POST", &path, &[], Some(&job)).expect("an answer");
    let location = submitted.headers()["location"].to_str().expect("text").to_owned();
    let base: url::Url = format!("https://host/lglp{path}").parse().expect("an address");
    let there = base.join(&location).expect("a reference");
    assert_eq!(there.as_str(), "https://host/lglp/v1/jobs/1");
    assert_eq!(server.get("/v1/jobs/1").1["id"], 1);

    let initializer = server.get("/docs/swagger-initializer.js").1;
    let initializer = initializer.as_str().expect("a script");
    assert!(
        initializer.contains("\"../openapi.json\"") && !initializer.contains("\"/openapi.json\""),
        "{initializer}"
    );
    assert_eq!(server.get("/openapi.json").1["servers"][0]["url"], ".");
    let page = server.get("/docs/").1;
    let page = page.as_str().expect("a page");
    assert!(!page.contains("src=\"/") && !page.contains("href=\"/"), "{page}");
}

/// With the only version in production unusable, the server called itself ready, and a balancer sent it all requests.
#[test]
fn a_server_that_can_answer_nothing_in_production_is_not_ready() {
    let registry = Registry::with_production("linear");
    let version = registry.json(&["models", "--hardware", HARDWARE, "1"]);
    let state = version["content"]["artifacts"]["regressor"].as_str().expect("a digest");
    let hex = state.strip_prefix("sha256:").expect("a digest");
    let blob = registry.path().join("blobs/sha256").join(&hex[..2]).join(hex);
    let kept = std::fs::read(&blob).expect("the state");
    std::fs::write(&blob, b"damaged").expect("written");
    let child = registry
        .command(&["serve", "--bind", "127.0.0.1:0"])
        .stderr(Stdio::null())
        .spawn();
    let server = registry.listening(child.expect("the program runs"), agent(None));
    let began = Instant::now();
    while server.get("/readyz").1["status"] == "loading models" {
        assert!(began.elapsed() < Duration::from_secs(60), "loading has no end");
        std::thread::sleep(Duration::from_millis(20));
    }
    let (status, ready) = server.get("/readyz");
    assert_eq!(status, 503, "{ready}");
    assert!(
        ready["unavailable"][HARDWARE]
            .as_str()
            .is_some_and(|why| !why.is_empty()),
        "{ready}"
    );
    drop(server);
    std::fs::write(&blob, kept).expect("written");
    let server = registry.serve();
    let ready = server.wait("/readyz", |ready| ready["status"] != "loading models");
    assert_eq!(
        (server.get("/readyz").0, &ready["unavailable"]),
        (200, &json!({})),
        "{ready}"
    );
}

#[test]
fn metrics_come_in_the_text_that_is_asked_for() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let body = json!({ "architectures": sample(2, 3) }).to_string();
    assert_eq!(server.post(&format!("/v1/{HARDWARE}/predict"), &body).0, 200);
    let text = |accept: &str| {
        let (status, text) = server.call("GET", "/metrics", &[("Accept", accept)], None);
        assert_eq!(status, 200);
        text.as_str().expect("text").to_owned()
    };
    let open = text("application/openmetrics-text; version=1.0.0");
    assert!(
        open.ends_with("# EOF\n") && open.matches("# EOF").count() == 1,
        "{open}"
    );
    assert!(open.contains("# TYPE lglp_http_requests counter"), "{open}");
    let old = text("text/plain;version=0.0.4");
    assert!(
        !old.contains("# EOF") && old.contains("# TYPE lglp_http_requests_total counter"),
        "{old}"
    );
    let kind = server.header("GET", "/metrics", &[], "content-type");
    assert_eq!(kind.as_deref(), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "lglp_build_info{version=\"",
        "lglp_http_request_duration_seconds_bucket{le=\"0.0005\",route=\"/v1/{hardware}/predict\",method=\"POST\"}",
        "lglp_http_request_duration_seconds_count{route=\"/v1/{hardware}/predict\",method=\"POST\"} 1",
        "# TYPE process_cpu_seconds_total counter",
        "process_resident_memory_bytes ",
        "process_open_fds ",
    ] {
        assert!(
            old.lines().any(|found| found.starts_with(line)),
            "{line} is not in {old}"
        );
    }
    // Every sample has a name that a TYPE was told of before it.
    let mut typed = Vec::new();
    for line in old.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            typed.push(rest.split(' ').next().expect("a name").to_owned());
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().expect("a name");
            let told = typed.last().expect("a type");
            let suffix = name.strip_prefix(told.as_str());
            assert!(
                suffix.is_some_and(|suffix| ["", "_bucket", "_sum", "_count"].contains(&suffix)),
                "{line}"
            );
        }
    }
}

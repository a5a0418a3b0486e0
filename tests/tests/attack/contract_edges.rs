//! The edges of the contract: what a client may rely on, since the document promises it, and did not get.

use std::time::Duration;

use lglp_tests::raw::Raw;
use lglp_tests::{HARDWARE, Registry, readable};
use serde_json::{Value, json};

/// Every failure is a problem document, whoever answers it: the pages for people answered 404 with nothing.
#[test]
fn failures_have_a_problem_and_options_an_allow() {
    let registry = Registry::default();
    let server = registry.serve();
    for (method, path, status) in [
        ("GET", "/docs/nothing", 404),
        ("GET", "/docs/../../etc/passwd", 404),
        ("POST", "/docs/", 405),
        ("DELETE", "/openapi.json", 405),
        ("GET", "/%ff", 404),
        ("GET", "/v1/hardware/%ff", 404),
        ("PATCH", "/v1/hardware", 405),
    ] {
        let (found, answer) = server.call(method, path, &[], None);
        assert_eq!(found, status, "{method} {path}: {answer}");
        assert!(
            answer["type"]
                .as_str()
                .is_some_and(|kind| kind.starts_with("urn:lglp:problem:")),
            "{method} {path}: {answer}"
        );
    }
    for (path, allowed) in [
        ("/v1/hardware", "GET, HEAD, OPTIONS"),
        ("/v1/hardware/toaster", "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("/v1/audit", "GET, HEAD, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/docs/", "GET, HEAD, OPTIONS"),
    ] {
        assert_eq!(
            server.call("OPTIONS", path, &[], None),
            (204, Value::String(String::new())),
            "{path}"
        );
        assert_eq!(
            server.header("OPTIONS", path, &[], "Allow").as_deref(),
            Some(allowed),
            "{path}"
        );
        assert_eq!(
            server.header("PATCH", path, &[], "Allow").as_deref(),
            Some(allowed),
            "{path}"
        );
    }
    // What the framework answers before anything is known to be HTTP has no body; the status says it.
    let mut client = Raw::to(&server);
    client.send(b"no HTTP\r\n\r\n");
    let answer = client.rest(Duration::from_secs(60)).expect("the connection is closed");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

/// OPTIONS tells without a token what may be done without one, and no more.
#[test]
fn options_need_what_the_least_of_the_calls_needs() {
    let registry = Registry::default();
    let viewer = registry.token("vera", "viewer", &[]);
    registry.token("ann", "admin", &[]);
    let server = registry.serve();
    let options = |secret: &str, path: &str| server.call_as(secret, "OPTIONS", path, None).0;
    assert_eq!(server.call("OPTIONS", "/healthz", &[], None).0, 204);
    assert_eq!(server.call("OPTIONS", "/v1/hardware", &[], None).0, 401);
    assert_eq!(server.call("OPTIONS", "/v1/nothing/at/all/here", &[], None).0, 401);
    assert_eq!(options(&viewer, "/v1/hardware/toaster"), 204);
    assert_eq!(options(&viewer, "/v1/tokens"), 403);
    assert_eq!(options(&viewer, "/v1/nothing/at/all/here"), 404);
}

/// To JSON Schema 1.0 is an integer.
#[test]
fn whole_numbers_may_be_written_with_a_fraction() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let text = readable(320, 2, 3, 3).to_string();
    let floats = text.replace("320", "320.0").replace("\"kernel\":3", "\"kernel\":3.0");
    assert_ne!(text, floats);
    let predict = |architecture: &str, model: &str| {
        let body = format!("{{\"architectures\": [{architecture}], \"model\": {model}}}");
        server.post(&format!("/v1/{HARDWARE}/predict"), &body)
    };
    assert_eq!(predict(&text, "1"), predict(&floats, "1.0"));
    assert_eq!(predict(&floats, "1.0").0, 200);
    assert_eq!(predict(&text.replace("320", "320.5"), "1").0, 422);
    assert_eq!(predict(&text, "1.5").0, 422);
    let jobs = format!("/v1/{HARDWARE}/jobs");
    let (status, job) = server.post(&jobs, "{\"kind\": \"train\", \"parameters\": {\"seed\": 7.0}}");
    assert_eq!((status, &job["parameters"]["seed"]), (202, &json!(7)), "{job}");
    assert_eq!(
        server
            .post(&jobs, "{\"kind\": \"train\", \"parameters\": {\"seed\": 7.5}}")
            .0,
        422
    );
    let gc = |body: &str| server.post("/v1/registry/gc", body).0;
    assert_eq!(
        (
            gc("{\"keep_seconds\": 1e3, \"dry_run\": true}"),
            gc("{\"keep_seconds\": 1.5}")
        ),
        (200, 422)
    );
}

/// A footprint of 1e308 seconds at 1e308 watts was `null`.
#[test]
fn savings_are_numbers_or_refused() {
    let registry = Registry::default();
    registry.import(5);
    let server = registry.serve();
    let savings = |query: &str| server.get(&format!("/v1/{HARDWARE}/savings?{query}"));
    for query in [
        "seconds=1e308&power=1e308",
        "pue=1e13",
        "price=inf",
        "carbon=nan",
        "power=-1",
        "pue=0.5",
    ] {
        let (status, answer) = savings(query);
        assert_eq!(status, 422, "{query}: {answer}");
        assert!(
            answer["detail"]
                .as_str()
                .is_some_and(|detail| detail.contains(" takes ")),
            "{answer}"
        );
    }
    let most = "seconds=1e12&power=1e12&pue=1e12&carbon=1e12&price=1e12&predictions=18446744073709551615";
    let (status, report) = savings(most);
    assert_eq!(status, 200, "{report}");
    for part in ["saved", "invested"] {
        for figure in ["hours", "kwh", "co2e_lb", "dollars"] {
            assert!(report[part][figure].is_f64(), "{part}.{figure}: {report}");
        }
    }
}

/// What has no sign reaches twice as far as the format that stands for it, and no further.
#[test]
fn integers_have_bounds() {
    fn check(value: &Value, place: &str) {
        if value["type"] == "integer" && value["minimum"].as_f64().is_some_and(|least| least >= 0.0) {
            assert!(value["maximum"].is_u64(), "{place}: {value}");
        }
        let inner: Vec<(String, &Value)> = match value {
            Value::Object(fields) => fields.iter().map(|(name, inner)| (name.clone(), inner)).collect(),
            Value::Array(items) => items.iter().map(|inner| (String::new(), inner)).collect(),
            _ => Vec::new(),
        };
        for (name, inner) in inner {
            check(inner, &format!("{place}/{name}"));
        }
    }
    check(&Registry::default().json(&["openapi"]), "");
}

/// The story: the document promised a problem for what is no HTTP and for heads that are too large, and the answer had no body.
#[test]
fn the_document_promises_no_body_where_the_protocol_gives_none() {
    let registry = Registry::default();
    let document = registry.json(&["openapi"]);
    let responses = &document["components"]["responses"];
    assert_eq!(responses["HeadTooLarge"].get("content"), None);
    for name in ["BadRequest", "TooSlow"] {
        let said = responses[name]["description"].as_str().expect("a description");
        assert!(said.contains("without a body"), "{said}");
    }
    let server = registry.serve();
    let head = format!("GET /v1/hardware HTTP/1.1\r\nX-Long: {}\r\n\r\n", "x".repeat(200 << 10));
    for (sent, status) in [("no HTTP at all\r\n\r\n", "400"), (head.as_str(), "431")] {
        let mut client = Raw::to(&server);
        client.send(sent.as_bytes());
        let answer = client.rest(Duration::from_secs(20)).expect("the connection is closed");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        assert!(head.contains(status) && body.is_empty(), "{answer}");
    }
}

/// Every call names each status that it can answer.
#[test]
fn every_call_names_the_statuses_that_all_of_its_kind_have() {
    let document = Registry::default().json(&["openapi"]);
    let paths = document["paths"].as_object().expect("paths");
    let calls = paths
        .iter()
        .flat_map(|(path, item)| item.as_object().expect("calls").iter().map(move |call| (path, call)));
    for (path, (method, call)) in calls {
        let has = |status: &str| call["responses"].get(status).is_some();
        let mut wanted = vec!["400", "408", "429", "431", "503"];
        if call["security"] != json!([{}]) {
            wanted.extend(["401", "403", "500"]);
        }
        if path.contains('{') {
            wanted.extend(["404", "422"]);
        }
        if call.get("requestBody").is_some() {
            wanted.push("413");
        }
        let missing: Vec<_> = wanted.into_iter().filter(|status| !has(status)).collect();
        assert!(missing.is_empty(), "{method} {path} lacks {missing:?}");
    }
}

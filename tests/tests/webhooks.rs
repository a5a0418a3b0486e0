//! Webhooks: promotions are posted to receivers, signed, in order, at least once, and nowhere but to this machine.

use std::thread;
use std::time::Duration;

use lglp_tests::target::{Delivery, PATIENCE, Target, answer};
use lglp_tests::{HARDWARE, Registry, Server, reference};
use serde_json::{Value, json};

fn create(server: &Server, id: &str, url: &str) -> Value {
    let body = json!({ "id": id, "url": url, "hardware": [HARDWARE] });
    let (status, created) = server.post("/v1/webhooks", &body.to_string());
    assert_eq!(status, 201, "{created}");
    created
}

/// Moves `production`, of which there is a version 1; the event's number is not known, its generation is.
fn promote(server: &Server) -> Value {
    let path = format!("/v1/{HARDWARE}/aliases/production");
    let generation = server.get(&path).1["generation"].clone();
    let seen = format!("\"{generation}\"");
    let (status, moved) = server.call("PUT", &path, &[("If-Match", &seen)], Some("{\"version\": 1}"));
    assert_eq!(status, 200, "{moved}");
    moved["generation"].clone()
}

/// Another secret of the same form. (It once was the secret with its zeros replaced, and one secret in sixty has none.)
fn another(secret: &str) -> String {
    let (rest, last) = secret.split_at(secret.len() - 1);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}

fn metric(server: &Server, line: &str) -> bool {
    let (_, text) = server.get("/metrics");
    text.as_str().expect("text").lines().any(|l| l == line)
}

/// Waits until something holds that a server does after it answered.
fn until(what: &str, holds: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until a listing tells that so many events wait.
fn settled(server: &Server, id: &str, waiting: u64) -> Value {
    let get = || server.get(&format!("/v1/webhooks/{id}")).1;
    until("deliveries settle", || get()["undelivered"]["events"] == waiting);
    get()
}

#[test]
#[ignore = "takes long"]
fn a_promotion_arrives_once_and_verifiably() {
    let registry = Registry::with_production("gbdt");
    let (target, elsewhere) = (Target::start(), Target::start());
    let server = registry.serve();
    let created = create(&server, "ci", &target.url());
    let secret = created["secret"].as_str().expect("a secret");
    let body = json!({ "id": "other", "url": elsewhere.url(), "events": ["webhook_deleted", "version_created"] });
    assert_eq!(server.post("/v1/webhooks", &body.to_string()).0, 201);

    let generation = promote(&server);
    let delivery = target.next();
    let (_, events) = server.get("/v1/events?limit=1000");
    let event = events.as_array().expect("events").last().expect("an event");
    assert_eq!(&serde_json::from_str::<Value>(&delivery.body).expect("JSON"), event);
    assert_eq!(json!(delivery.event()), event["sequence"]);
    assert_eq!(delivery.change()["generation"], generation);
    assert!(
        delivery.head.starts_with("POST /hook HTTP/1.1\r\n"),
        "{}",
        delivery.head
    );
    assert_eq!(delivery.header("content-type"), "application/json");
    assert!(delivery.header("user-agent").starts_with("lglp/"));
    assert_eq!(delivery.header("x-lglp-delivery").len(), 32);
    target.nothing_comes();
    let standing = settled(&server, "ci", 0);
    assert_eq!(standing["delivery"]["last_status"], 204);
    assert_eq!(standing["delivery"]["delivered_through"], event["sequence"]);
    assert!(metric(
        &server,
        "lglp_webhook_deliveries_total{webhook=\"ci\",outcome=\"delivered\"} 1"
    ));
    assert!(metric(&server, "lglp_webhook_undelivered_events{webhook=\"ci\"} 0"));

    // The code of the documentation accepts the delivery, and nothing else.
    let (body, signature) = (&delivery.body, delivery.header("x-lglp-signature"));
    let (time, digest) = signature.split_once(",v1=").expect("t=...,v1=...");
    let seconds: i64 = time[2..].parse().expect("seconds");
    let check = |secret: &str, signature: String, body: &str, tolerance: f64| json!({ "secret": secret, "signature": signature, "body": body, "tolerance": tolerance });
    let deliveries = json!([
        check(secret, signature.to_owned(), body, 300.0),
        check(
            secret,
            signature.to_owned(),
            &body.replace("\"version\":1", "\"version\":2"),
            300.0
        ),
        check(&another(secret), signature.to_owned(), body, 300.0),
        check(secret, format!("t={},v1={digest}", seconds + 1), body, 300.0),
        check(secret, format!("t={seconds},v1={}", "0".repeat(64)), body, 300.0),
        check(secret, signature.to_owned(), body, -1.0),
        check(secret, "nonsense".to_owned(), body, 300.0),
    ]);
    let verified = reference("webhook_signature.py", &[], &deliveries.to_string());
    assert_eq!(verified.trim(), "[true, false, false, false, false, false, false]");

    // So does a library of Standard Webhooks, called as the documentation calls it.
    let named = |name: &str| (name.to_owned(), json!(delivery.header(name)));
    let headers: Value = ["webhook-id", "webhook-timestamp", "webhook-signature"]
        .map(named)
        .into_iter()
        .collect();
    let check = |secret: &str, body: &str| json!({ "secret": secret, "headers": headers, "body": body });
    let deliveries = json!([check(secret, body), check(&another(secret), body), check(secret, "{}")]);
    let verified = reference("standard_webhooks.py", &[], &deliveries.to_string());
    assert_eq!(verified.trim(), "[true, false, false]");

    // Of a deleted webhook nothing comes any more, and others learn of it where they asked to.
    assert_eq!(server.call("DELETE", "/v1/webhooks/ci", &[], None).0, 204);
    assert_eq!(server.call("DELETE", "/v1/webhooks/ci", &[], None).0, 404);
    promote(&server);
    assert_eq!(
        elsewhere.next().change(),
        json!({ "kind": "webhook_deleted", "webhook": "ci" })
    );
    target.nothing_comes();
    assert!(elsewhere.deliveries.try_recv().is_err(), "it asked for no promotions");

    // The secret is told by its creation alone.
    create(&server, "ci", &target.url());
    let said = [
        "/v1/webhooks",
        "/v1/webhooks/ci",
        "/v1/audit?limit=1000",
        "/v1/events?limit=1000",
        "/metrics",
    ]
    .map(|path| server.get(path).1.to_string());
    let kept = registry.json(&["webhook", "list"]).to_string() + &said.concat();
    assert!(kept.contains("webhook_created") && !kept.contains("secret") && !kept.contains(secret));
    assert_eq!(server.get("/v1/audit/head").0, 200, "the chain holds");
}

#[test]
#[ignore = "takes long"]
fn what_a_target_does_not_take_comes_again_in_order() {
    let registry = Registry::with_production("gbdt");
    let (target, hanging) = (Target::start(), Target::start());
    let (address, url) = (target.address, target.url());
    hanging.answers("");
    let server = registry.serve();
    create(&server, "a-hanging", &hanging.url());
    create(&server, "ci", &url);

    // A target that never answers is still being waited for when another, later in the list, has got everything.
    let first = promote(&server);
    hanging.next();
    assert_eq!(target.next().change()["generation"], first);
    let waiting = server.get("/v1/webhooks/a-hanging").1;
    assert_eq!(
        (&waiting["delivery"]["attempts"], &waiting["undelivered"]["events"]),
        (&json!(0), &json!(1))
    );
    // One that answers 500 gets the same event again.
    target.answers(&answer("500 Internal Server Error"));
    let second = promote(&server);
    let (refused, event) = (target.next(), |d: &Delivery| d.change()["generation"].clone());
    assert_eq!(event(&refused), second);
    until("the failure is recorded", || {
        let delivery = server.get("/v1/webhooks/ci").1["delivery"].clone();
        delivery["last_status"] == 500 && delivery["attempts"] == 1 && delivery["next_attempt_at"].is_string()
    });
    target.answers(&answer("200 OK"));
    let again = target.next();
    assert_eq!((again.event(), event(&again)), (refused.event(), second));
    assert_ne!(again.header("x-lglp-delivery"), refused.header("x-lglp-delivery"));
    settled(&server, "ci", 0);
    assert!(metric(
        &server,
        "lglp_webhook_deliveries_total{webhook=\"ci\",outcome=\"rejected\"} 1"
    ));

    // A redirect is no delivery, and is not followed.
    let elsewhere = Target::start();
    for status in ["302 Found", "307 Temporary Redirect"] {
        target.answers(&format!(
            "HTTP/1.1 {status}\r\nLocation: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            elsewhere.url()
        ));
        let (_, pinged) = server.post("/v1/webhooks/ci/ping", "");
        assert_eq!(
            (&pinged["delivered"], &pinged["status"]),
            (&json!(false), &json!(status[..3].parse::<u16>().unwrap()))
        );
        assert!(
            pinged["error"].as_str().expect("a reason").contains("redirect"),
            "{pinged}"
        );
        assert_eq!(target.next().event(), 0);
    }
    assert!(elsewhere.deliveries.try_recv().is_err());
    // Nor is an endless answer read.
    target.answers(&format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}",
        1u64 << 40,
        "x".repeat(1 << 20)
    ));
    assert_eq!(server.post("/v1/webhooks/ci/ping", "").1["delivered"], true);
    target.next();

    // While nobody listens there, the server is killed between promotions; its successor goes on where it was.
    drop(target);
    let mut missed = vec![promote(&server), promote(&server)];
    drop(server);
    let server = registry.serve();
    missed.push(promote(&server));
    let standing = settled(&server, "ci", 3);
    assert!(standing["undelivered"]["oldest_at"].is_string(), "{standing}");
    assert!(metric(&server, "lglp_webhook_undelivered_events{webhook=\"ci\"} 3"));
    let pinged = server.post("/v1/webhooks/ci/ping", "").1;
    assert_eq!((&pinged["delivered"], &pinged["status"]), (&json!(false), &Value::Null));
    let listed = registry.ok(&["webhook", "list"]);
    assert!(listed.contains("ci") && listed.contains(" s "), "{listed}");
    let target = Target::at(address);
    let mut came: Vec<Value> = (0..3).map(|_| event(&target.next())).collect();
    assert_eq!(came, missed, "in order, each once");
    settled(&server, "ci", 0);

    // Killed at once after a promotion, with the webhook at work: nothing is lost, though it may come twice.
    missed = (0..4).map(|_| promote(&server)).collect();
    drop(server);
    let server = registry.serve();
    settled(&server, "ci", 0);
    came = target.deliveries.try_iter().map(|d| event(&d)).collect();
    came.dedup();
    assert_eq!(came, missed);
}

#[test]
fn only_this_machine_and_allowed_hosts_are_sent_to() {
    let registry = Registry::default();
    let target = Target::start();
    let server = registry.serve_with(&["--webhook-allow", "ci.example.org:8443", "--webhook-allow", "10.1.2.3"]);
    let create = |url: &str| server.post("/v1/webhooks", &json!({ "id": "ci", "url": url }).to_string());
    for url in [
        "http://10.0.0.1/",
        "http://192.0.2.1:9000/",
        "http://0.0.0.0/",
        "http://169.254.169.254/latest/meta-data",
        "http://example.org/",
        "http://localhost.example.org/",
        "http://127.0.0.1@10.0.0.1/",
        "http://10.0.0.1\\@127.0.0.1/",
        "http://user:password@127.0.0.1/",
        "http://167772161/",
        "http://012.0.0.1/",
        "http://0xa000001/",
        "http://[::ffff:10.0.0.1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fd00::1]/",
        "https://ci.example.org/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "127.0.0.1:9000",
        "",
        &format!("http://127.0.0.1/{}", "x".repeat(2048)),
    ] {
        let (status, problem) = create(url);
        assert_eq!(
            (status, &problem["errors"][0]["pointer"]),
            (422, &json!("/url")),
            "{url}: {problem}"
        );
    }
    let said = create("http://192.0.2.1:9000/").1.to_string();
    assert!(said.contains("--webhook-allow 192.0.2.1:9000"), "{said}");
    assert_eq!(server.get("/v1/webhooks").1, json!({ "webhooks": [] }));
    for url in [
        "https://ci.example.org:8443/a",
        "http://10.1.2.3:1/",
        "http://localhost:9/",
        "http://[::1]:9/",
    ] {
        assert_eq!(create(url).0, 201, "{url}");
        assert_eq!(server.call("DELETE", "/v1/webhooks/ci", &[], None).0, 204);
    }

    // The command line does the same by a server and without one.
    let url = target.url().replace("127.0.0.1", "localhost");
    let refused = ["webhook", "create", "--id", "w", "--url", "http://10.0.0.1/"];
    assert!(registry.fails(&refused).contains("neither a loopback address"));
    let created = registry.ok(&[
        "webhook",
        "create",
        "--id",
        "w",
        "--url",
        &url,
        "--events",
        "webhook_created",
    ]);
    assert!(created.contains("secret: ") && created.contains(&url), "{created}");
    assert!(registry.ok(&["webhook", "ping", "w"]).contains("delivered: 204"));
    assert_eq!(target.next().change(), json!({ "kind": "ping", "webhook": "w" }));
    assert!(
        registry
            .fails(&["webhook", "delete", "nobody"])
            .contains("there is no webhook nobody")
    );

    // Who lost an answer asks again with its key, and is told the same secret.
    let body = json!({ "id": "once", "url": url, "events": ["hardware_created"] }).to_string();
    let key = [("Idempotency-Key", "k1")];
    let first = server.call("POST", "/v1/webhooks", &key, Some(&body));
    assert_eq!(
        (first.0, &server.call("POST", "/v1/webhooks", &key, Some(&body))),
        (201, &first)
    );
    let other = body.replace("hardware_created", "dataset_frozen");
    assert_eq!(server.call("POST", "/v1/webhooks", &key, Some(&other)).0, 409);
    assert_eq!(server.post("/v1/webhooks", &body).0, 409);
    for (wrong, pointer) in [
        (json!({ "id": "No", "url": url }), "/id"),
        (
            json!({ "id": "no", "url": url, "events": ["alias-moved"] }),
            "/events/0",
        ),
        (json!({ "id": "no", "url": url, "events": [] }), "/events"),
        (json!({ "id": "no", "url": url, "secret": "mine" }), "/secret"),
    ] {
        let (status, problem) = server.post("/v1/webhooks", &wrong.to_string());
        assert_eq!(
            (status, &problem["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{problem}"
        );
    }
    let unknown = json!({ "id": "no", "url": url, "hardware": ["toaster"] });
    assert_eq!(server.post("/v1/webhooks", &unknown.to_string()).0, 404);
    let (status, problem) = server.call("PUT", "/v1/webhooks/once", &[], Some("{}"));
    assert_eq!(status, 405);
    assert!(
        problem["detail"].as_str().expect("text").contains("GET, HEAD, DELETE"),
        "{problem}"
    );

    // `w` asked for creations of webhooks, and is told of those since its own.
    assert_eq!(
        target.next().change(),
        json!({ "kind": "webhook_created", "webhook": "once" })
    );
    // What was received and not noted yet would come again after a kill.
    settled(&server, "w", 0);
    drop(server);
    assert!(registry.fails(&["webhook", "ping", "w"]).contains("lglp serve"));
    assert!(registry.fails(&refused).contains("neither a loopback address"));
    let offline = registry.json(&["webhook", "create", "--id", "offline", "--url", &url]);
    assert_eq!(offline["secret"].as_str().map(str::len), Some(64));
    let ids = |listed: Value| -> Vec<String> {
        let listed = listed.as_array().expect("webhooks").clone();
        listed
            .iter()
            .map(|w| w["id"].as_str().expect("a name").to_owned())
            .collect()
    };
    let listed = registry.json(&["webhook", "list"]);
    assert_eq!(listed[2]["undelivered"]["events"], 1, "{listed}");
    assert_eq!(ids(listed), ["offline", "once", "w"]);
    registry.ok(&["webhook", "delete", "offline"]);

    // What happened without a server is delivered by the next one.
    let everywhere = format!("0.0.0.0:{}", target.address.port());
    let server = registry.serve_with(&["--webhook-allow", &everywhere]);
    assert_eq!(
        target.next().change(),
        json!({ "kind": "webhook_created", "webhook": "offline" })
    );
    assert_eq!(
        server.get("/v1/webhooks").1["webhooks"].as_array().map(Vec::len),
        Some(2)
    );

    // 0.0.0.0 leads here without being a loopback address: what is no longer allowed is not sent to.
    let listed = json!({ "id": "listed", "url": format!("http://{everywhere}/hook") });
    assert_eq!(server.post("/v1/webhooks", &listed.to_string()).0, 201);
    assert_eq!(target.next().change()["webhook"], "listed");
    assert_eq!(server.post("/v1/webhooks/listed/ping", "").1["status"], 204);
    assert_eq!(target.next().change()["webhook"], "listed");
    settled(&server, "w", 0);
    drop(server);
    let server = registry.serve();
    let pinged = server.post("/v1/webhooks/listed/ping", "").1;
    assert_eq!((&pinged["delivered"], &pinged["status"]), (&json!(false), &Value::Null));
    assert!(
        pinged["error"]
            .as_str()
            .expect("a reason")
            .contains("neither a loopback address"),
        "{pinged}"
    );

    // Deliveries that lead back here do not go round.
    let own =
        json!({ "id": "own", "url": format!("{}/v1/webhooks/own/ping", server.base), "events": ["webhook_deleted"] });
    assert_eq!(server.post("/v1/webhooks", &own.to_string()).0, 201);
    assert_eq!(server.post("/v1/webhooks/own/ping", "").1["status"], 508);
}

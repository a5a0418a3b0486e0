//! Promotion and rollback: moves of an alias that are seen before they are made, and never half made.

use lglp_tests::{HARDWARE, Registry, readable};
use serde_json::{Value, json};

const ALIAS: &str = "/v1/xeon-1t/aliases/production";

fn version_answering(server: &lglp_tests::Server) -> Value {
    let body = json!({ "architectures": [readable(160, 1, 3, 3)] }).to_string();
    server.post(&format!("/v1/{HARDWARE}/predict"), &body).1["model"]["version"].clone()
}

#[test]
fn an_alias_moves_only_for_those_who_have_seen_where_it_is() {
    let registry = Registry::with_production("gbdt");
    registry.json(&["train", "--hardware", HARDWARE, "--recipe", "gbdt", "--seed", "1"]);
    let server = registry.serve();
    let put = |headers: &[(&str, &str)], body: &Value| server.call("PUT", ALIAS, headers, Some(&body.to_string()));
    let to = |version: u32| json!({ "version": version, "reason": "a test", "actor": "tester" });
    let (_, before) = server.get(ALIAS);
    assert_eq!((&before["version"], &before["generation"]), (&json!(1), &json!(1)));
    for (headers, status, kind) in [
        (&[][..], 428, "precondition-required"),
        (&[("If-Match", "latest")][..], 428, "precondition-required"),
        (&[("If-Match", "\"0\"")][..], 412, "stale-generation"),
        (&[("If-Match", "\"7\"")][..], 412, "stale-generation"),
    ] {
        let (found, problem) = put(headers, &to(2));
        let kind = format!("urn:lglp:problem:{kind}");
        assert_eq!((found, problem["type"].as_str()), (status, Some(kind.as_str())));
    }
    assert_eq!(put(&[("If-Match", "\"1\"")], &to(9)).0, 404, "there is no version 9");
    assert_eq!(put(&[("If-Match", "\"1\"")], &json!({ "reason": "no version" })).0, 422);
    assert_eq!(
        (server.get(ALIAS).1, version_answering(&server)),
        (before, json!(1)),
        "nothing has moved"
    );

    let (status, moved) = put(&[("If-Match", "\"1\"")], &to(2));
    assert_eq!(
        (status, &moved["version"], &moved["generation"]),
        (200, &json!(2), &json!(2))
    );
    assert_eq!(version_answering(&server), json!(2));
    let back = registry.json(&["promote", "--hardware", HARDWARE, "1", "--reason", "roll back"]);
    assert_eq!(back["generation"], 3);
    assert_eq!(version_answering(&server), json!(1));

    // Every move is in the audit log, whose chain holds, with who did it and why.
    let audit = server.get("/v1/audit?limit=1000").1;
    let moves: Vec<&Value> = audit
        .as_array()
        .expect("entries")
        .iter()
        .filter(|entry| entry.to_string().contains("production"))
        .collect();
    assert_eq!(moves.len(), 3, "{audit}");
    assert!(moves[1].to_string().contains("tester") && moves[2].to_string().contains("roll back"));
    assert_eq!(server.get("/v1/audit/head").0, 200);
}

#[test]
fn a_version_that_cannot_be_loaded_is_not_promoted() {
    let registry = Registry::with_production("gbdt");
    registry.json(&["train", "--hardware", HARDWARE, "--recipe", "gbdt", "--seed", "1"]);
    let version = registry.json(&["models", "--hardware", HARDWARE, "2"]);
    let digest = version["content"]["artifacts"]["regressor"].as_str().expect("a digest");
    let hex = digest.strip_prefix("sha256:").expect("a digest");
    let file = registry.path().join("blobs/sha256").join(&hex[..2]).join(hex);
    let mut model = std::fs::read(&file).expect("the fitted state");
    let middle = model.len() / 2;
    model[middle] ^= 1;
    let mut permissions = std::fs::metadata(&file).expect("the file").permissions();
    #[allow(clippy::permissions_set_readonly_false)]
    permissions.set_readonly(false);
    std::fs::set_permissions(&file, permissions).expect("permissions");
    std::fs::write(&file, model).expect("a file");
    let said = registry.fails(&["promote", "--hardware", HARDWARE, "2"]);
    assert!(said.contains("corrupt"), "{said}");
    let server = registry.serve();
    assert_eq!(server.get("/readyz").1, json!({ "status": "ready", "unavailable": {} }));
    let (status, problem) = server.call("PUT", ALIAS, &[("If-Match", "\"1\"")], Some("{\"version\": 2}"));
    assert_eq!(status, 500, "{problem}");
    assert_eq!(version_answering(&server), json!(1));
}

#[test]
fn creating_a_version_twice_with_one_key_creates_it_once() {
    let registry = Registry::with_production("gbdt");
    let server = registry.serve();
    let path = format!("/v1/{HARDWARE}/models");
    let mut content = server.get(&format!("{path}/1")).1["content"].clone();
    content["creator"] = json!("somebody");
    let key = [("Idempotency-Key", "one"), ("Content-Type", "application/json")];
    let (status, first) = server.call("POST", &path, &key, Some(&content.to_string()));
    assert_eq!((status, &first["version"]), (201, &json!(2)), "{first}");
    let (status, again) = server.call("POST", &path, &key, Some(&content.to_string()));
    assert_eq!((status, again), (201, first));
    content["seed"] = json!(99);
    let (status, problem) = server.call("POST", &path, &key, Some(&content.to_string()));
    assert_eq!(status, 409, "{problem}");
    let absent = format!("sha256:{}", "0".repeat(64));
    content["training_log"] = json!(absent);
    let (status, problem) = server.post(&path, &content.to_string());
    assert_eq!(
        (status, problem["type"].as_str()),
        (422, Some("urn:lglp:problem:missing-blob")),
        "{problem}"
    );
    assert_eq!(server.get(&path).1["versions"].as_array().map(Vec::len), Some(2));
}

/// A team trains and promotes while a server holds the registry: commands must do there what they do alone.
#[test]
fn commands_do_the_same_whether_a_server_holds_the_registry_or_not() {
    let (alone, served) = (Registry::default(), Registry::default());
    let server = served.serve();
    for registry in [&alone, &served] {
        registry.import(60);
        registry.train("gbdt");
        registry.ok(&["promote", "--hardware", HARDWARE, "1"]);
    }
    for arguments in [
        vec!["hardware"],
        vec!["models", "--hardware", HARDWARE],
        vec!["models", "--hardware", HARDWARE, "1"],
        vec!["plugins"],
        vec!["spaces"],
    ] {
        let (mut here, mut there) = (alone.json(&arguments), served.json(&arguments));
        strip_times(&mut here);
        strip_times(&mut there);
        assert_eq!(here, there, "{arguments:?}");
    }
    assert_eq!(version_answering(&server), json!(1));
    for registry in [&alone, &served] {
        let said = registry.fails(&["train", "--hardware", "toaster"]);
        assert!(said.contains("toaster"), "{said}");
        let said = registry.fails(&["promote", "--hardware", HARDWARE, "5"]);
        assert!(said.contains("no version 5"), "{said}");
    }
}

/// Takes away what differs between any two runs: moments, and digests of records that hold them.
fn strip_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.ends_with("_at") && name != "digest" && name != "training_log");
            fields.values_mut().for_each(strip_times);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_times),
        _ => {}
    }
}

/// The story: whatever a server did not find, a command called by the name of what it had asked about: of a version that is not there, "there
/// is no hardware target".
#[test]
fn commands_name_what_the_server_did_not_find() {
    let registry = Registry::with_production("mac-proportional");
    let _server = registry.serve();
    for (arguments, said) in [
        (["validate", "--hardware", HARDWARE, "9"], "there is no version 9"),
        (["promote", "--hardware", HARDWARE, "9"], "there is no version 9"),
        (
            ["gate", "--hardware", "nowhere", "--json"],
            "there is no hardware target nowhere",
        ),
    ] {
        let told = registry.fails(&arguments);
        assert!(told.contains(said), "{arguments:?}: {told}");
    }
}

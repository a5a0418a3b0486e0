//! What is wrong with a request is named where it is: fields that nobody knows, and items of lists by their number.

use lglp_tests::{HARDWARE, Registry, Server, root};
use serde_json::{Value, json};

/// Shipped measurements, from one on.
fn measurements(from: usize, count: usize) -> Vec<Value> {
    let path = root().join("datasets").join(HARDWARE).join("mobilenetv3.jsonl");
    let text = std::fs::read_to_string(path).expect("the shipped dataset");
    let lines = text.lines().skip(from).take(count);
    lines.map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[track_caller]
fn refused(server: &Server, (method, path): (&str, &str), body: &Value, (status, pointer, said): (u16, &str, &str)) {
    let (answered, problem) = server.call(method, path, &[], Some(&body.to_string()));
    let fault = &problem["errors"][0];
    assert_eq!(
        (answered, &fault["pointer"]),
        (status, &json!(pointer)),
        "{path}: {problem}"
    );
    let detail = fault["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(said), "{said} is not in {problem}");
}

/// A misspelt field of a measurement or of a new hardware target was left out in silence, and with it what it told.
#[test]
fn a_field_that_nobody_knows_is_refused_in_every_body() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let target: Value = {
        let text = std::fs::read_to_string(root().join("datasets").join(HARDWARE).join("hardware.json"));
        serde_json::from_str(&text.expect("the shipped target")).expect("JSON")
    };
    let with = |value: &Value, place: &str| {
        let mut value = value.clone();
        value.pointer_mut(place).expect("a place")["energy_joules"] = json!(1);
        value
    };
    let record = format!("/v1/{HARDWARE}/measurements");
    let rows = Value::from(measurements(200, 3));
    let said = "unknown field `energy_joules`";
    for place in ["/2", "/1/samples/0"] {
        let pointer = format!("{place}/energy_joules");
        refused(&server, ("POST", &record), &with(&rows, place), (422, &pointer, said));
    }
    for place in ["", "/reference"] {
        let pointer = format!("{place}/energy_joules");
        let put = ("PUT", "/v1/hardware/xeon-1t");
        refused(&server, put, &with(&target, place), (422, &pointer, said));
    }
    let (_, version) = server.get(&format!("/v1/{HARDWARE}/models/1"));
    let create = format!("/v1/{HARDWARE}/models");
    for place in ["", "/golden/0", "/plugins/0"] {
        let body = with(&version["content"], place);
        let pointer = format!("{place}/energy_joules");
        refused(&server, ("POST", &create), &body, (422, &pointer, said));
    }
    let mut both = version["content"].clone();
    both["golden"][0]["energy_j"] = json!(0.5);
    refused(&server, ("POST", &create), &both, (422, "/golden/0", "one of the two"));
    let mark = json!({ "exclusions": [{ "space": "mobilenetv3", "digest": rows[0]["digest"], "round": 0, "reason": "off",
        "evidence": {}, "energy_joules": 1 }] });
    let exclude = format!("/v1/{HARDWARE}/exclusions");
    refused(
        &server,
        ("POST", &exclude),
        &mark,
        (422, "/exclusions/0/energy_joules", said),
    );
    let dataset = json!({ "space": "mobilenetv3", "rows": 1, "origin": "o", "creator": "c", "content": "x", "row": 1 });
    refused(
        &server,
        ("POST", &format!("/v1/{HARDWARE}/datasets")),
        &dataset,
        (422, "/row", "unknown field `row`"),
    );
    let alias = format!("/v1/{HARDWARE}/aliases/candidate");
    refused(
        &server,
        ("PUT", &alias),
        &json!({ "version": 1, "reasn": "" }),
        (422, "/reasn", "unknown field `reasn`"),
    );

    // Nothing was recorded by any of them, and what is spelt right is taken.
    assert_eq!(server.post(&record, &rows.to_string()), (200, json!({ "recorded": 3 })));
    assert_eq!(
        server
            .call("PUT", "/v1/hardware/xeon-1t", &[], Some(&target.to_string()))
            .0,
        200
    );
    let folder = registry.folder.path().join("dataset");
    std::fs::write(folder.join("hardware.json"), with(&target, "").to_string()).expect("a file");
    let said = registry.fails(&["dataset", "import", folder.to_str().expect("UTF-8")]);
    assert!(
        said.contains("hardware.json") && said.contains("unknown field `energy_joules`"),
        "{said}"
    );
}

/// "There is no measurement" of a list of thousands did not say which.
#[test]
fn an_item_of_a_list_is_named_by_its_number() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let known = measurements(0, 3);
    let mark = |digest: &Value| json!({ "space": "mobilenetv3", "digest": digest, "round": 0, "reason": "off", "evidence": {} });
    let exclude = format!("/v1/{HARDWARE}/exclusions");
    let nowhere = json!(format!("sha256:{}", "0".repeat(64)));
    let marks = [mark(&known[0]["digest"]), mark(&nowhere)];
    let missing = (404, "/exclusions/1", "there is no measurement");
    refused(&server, ("POST", &exclude), &json!({ "exclusions": marks }), missing);
    let taken = json!({ "exclusions": [mark(&known[0]["digest"])] });
    assert_eq!(
        server.post(&exclude, &taken.to_string()),
        (200, json!({ "excluded": 1 }))
    );
    let mut other = mark(&known[0]["digest"]);
    other["reason"] = json!("doubtful");
    let marks = json!({ "exclusions": [mark(&known[1]["digest"]), other] });
    refused(
        &server,
        ("POST", &exclude),
        &marks,
        (409, "/exclusions/1/reason", "with another reason"),
    );
    let empty = json!({ "exclusions": [mark(&known[1]["digest"]), { "space": "mobilenetv3",
        "digest": known[2]["digest"], "round": 0, "reason": "", "evidence": {} }] });
    refused(
        &server,
        ("POST", &exclude),
        &empty,
        (422, "/exclusions/1/reason", "must not be empty"),
    );

    let record = format!("/v1/{HARDWARE}/measurements");
    let mut rows = known.clone();
    rows[2]["latency_ms"] = json!(1.5);
    refused(
        &server,
        ("POST", &record),
        &json!(rows),
        (409, "/2/latency_ms", "with another latency_ms"),
    );
    let mut rows = measurements(200, 2);
    rows[1]["flags"] = json!(["", "x".repeat(5000)]);
    refused(
        &server,
        ("POST", &record),
        &json!(rows),
        (422, "/1/flags/1", "4096 bytes"),
    );

    let hook = |events: Value, hardware: Value| json!({ "id": "ci", "url": "http://127.0.0.1:9/hook", "events": events, "hardware": hardware });
    let unheard = hook(json!(["promotion", "promotoin"]), json!([]));
    refused(
        &server,
        ("POST", "/v1/webhooks"),
        &unheard,
        (422, "/events/1", "\"promotoin\" is no kind of event"),
    );
    let elsewhere = hook(json!(["promotion"]), json!([HARDWARE, "nowhere"]));
    refused(
        &server,
        ("POST", "/v1/webhooks"),
        &elsewhere,
        (404, "/hardware", "there is no hardware target nowhere"),
    );

    let plan = server
        .post("/v1/blobs", &json!({ "architectures": ["a", 7] }).to_string())
        .1;
    let measure =
        json!({ "kind": "measure", "parameters": { "space": "mobilenetv3", "count": 0, "plan": plan["digest"] } });
    let jobs = format!("/v1/{HARDWARE}/jobs");
    refused(
        &server,
        ("POST", &jobs),
        &measure,
        (422, "/parameters/plan", "architectures[1]: invalid type: integer"),
    );
    let onboard = json!({ "kind": "onboard", "parameters": { "space": "mobilenetv3", "budget": 20,
        "sources": [HARDWARE, 3] } });
    refused(
        &server,
        ("POST", &jobs),
        &onboard,
        (422, "/parameters/sources/1", "invalid type"),
    );

    let (_, version) = server.get(&format!("/v1/{HARDWARE}/models/1"));
    let create = format!("/v1/{HARDWARE}/models");
    let mut lost = version["content"].clone();
    lost["artifacts"]["regressor"] = nowhere;
    refused(
        &server,
        ("POST", &create),
        &lost,
        (422, "/artifacts/regressor", "sha256:000"),
    );
}

/// A list that the command sends in parts of 500 is one list to whoever reads what is wrong with it.
#[test]
fn an_item_of_a_later_part_is_named_by_its_number_in_the_whole() {
    let registry = Registry::default();
    registry.import(520);
    let folder = registry.folder.path().join("dataset");
    let path = folder.join("mobilenetv3.jsonl");
    let text = std::fs::read_to_string(&path).expect("the dataset");
    let mut rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    rows[510]["latency_ms"] = json!(1.5);
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    std::fs::write(&path, lines.join("\n")).expect("a file");
    let _server = registry.serve();
    let said = registry.fails(&["dataset", "import", folder.to_str().expect("UTF-8")]);
    assert!(said.contains("/510/latency_ms"), "{said}");
}

//! Bodies as programs write them: other notations, numbers with a fraction of nothing, fields that come twice.

use lglp_tests::{HARDWARE, Registry, sample};
use serde_json::json;

/// A body that Python printed, or PowerShell sent in UTF-16, was "expected value at line 1 column 1".
#[test]
fn bodies_that_are_no_json_say_what_they_are_instead() {
    let registry = Registry::with_production("linear");
    let token = registry.token("ann", "admin", &[]);
    let server = registry.serve();
    let body = json!({ "architectures": sample(1, 3), "model": null }).to_string();
    let printed = body.replace('"', "'").replace("null", "None");
    let wide: Vec<u8> = format!("\u{feff}{body}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let job = r#"{"kind": "train", "parameters": {"recipe": "linear", "seed": None}}"#;
    for (path, body, said) in [
        (
            "predict",
            printed.as_bytes(),
            "line 1 column 2; that is how Python prints a value, and json.dumps",
        ),
        ("predict", &wide, "the body is UTF-16"),
        ("jobs", job.as_bytes(), "json.dumps writes it as JSON"),
        ("jobs", &wide, "the body is UTF-16"),
        ("explain", printed.as_bytes(), "json.dumps"),
        (
            "predict",
            b"{\"architectures\" []}",
            "the body is not JSON: expected `:` at line 1 column 18",
        ),
    ] {
        let (status, answer) = server.post_bytes_as(&token, &format!("/v1/{HARDWARE}/{path}"), body);
        assert_eq!(
            (status, &answer["type"]),
            (400, &json!("urn:lglp:problem:malformed-json")),
            "{path}: {answer}"
        );
        let detail = answer["detail"].as_str().expect("a detail");
        assert!(detail.contains(said), "{path}: {detail}");
        assert!(
            said.contains("json.dumps") || !detail.contains("Python"),
            "{path}: {detail}"
        );
    }
}

/// Data frames write 3 as 3.0, which bodies took and paths, queries and options refused; a query that could not be read did not say
/// which of its parameters was at fault.
#[test]
fn whole_numbers_may_be_written_with_a_fraction_of_nothing() {
    let registry = Registry::with_production("linear");
    let said = registry.ok(&["sample", "--space", "mobilenetv3", "--count", "2.0", "--seed=7.0"]);
    assert_eq!(
        said,
        registry.ok(&["sample", "--space", "mobilenetv3", "--count", "2", "--seed", "7"])
    );
    for (number, why) in [("2.5", "invalid digit"), ("5000.0", "5000 is not in 1..=4096")] {
        let said = registry.fails(&["network", &sample(1, 3)[0], "--batch", number]);
        assert!(said.contains("--batch") && said.contains(why), "{said}");
    }
    let shown = registry.json(&["models", "--hardware", HARDWARE, "1"]);
    assert_eq!(registry.json(&["models", "--hardware", HARDWARE, "1.0"]), shown);
    let architecture = sample(1, 3).remove(0);
    let predict = |model: &str| registry.json(&["predict", "--hardware", HARDWARE, "--model", model, &architecture]);
    assert_eq!(predict("1.0"), predict("1"));
    registry.ok(&[
        "train",
        "--hardware",
        HARDWARE,
        "--recipe",
        "linear",
        "--seed",
        "3.0",
        "--job",
    ]);

    let server = registry.serve();
    for (plain, written) in [
        ("/v1/xeon-1t/models/1", "/v1/xeon-1t/models/1.0"),
        ("/v1/xeon-1t/models/1/lineage", "/v1/xeon-1t/models/1.00/lineage"),
        (
            "/v1/xeon-1t/models/1/diff/1?count=5&seed=2",
            "/v1/xeon-1t/models/1.0/diff/1.0?count=5.0&seed=2.0",
        ),
        ("/v1/audit?limit=2&from=1", "/v1/audit?limit=2.0&from=1.0"),
        (
            "/v1/xeon-1t/validations?version=1",
            "/v1/xeon-1t/validations?version=1.0",
        ),
        (
            "/v1/xeon-1t/measurements?space=mobilenetv3&round=0",
            "/v1/xeon-1t/measurements?round=0.0&space=mobilenetv3",
        ),
    ] {
        let (status, answer) = server.get(plain);
        assert_eq!(status, 200, "{plain}: {answer}");
        assert_eq!(server.get(written), (status, answer), "{written}");
    }
    for (bad, status, said) in [
        (
            "/v1/audit?limit=2.5",
            400,
            "limit: invalid value: 2.5, expected a whole number",
        ),
        ("/v1/audit?limit=-1.0", 400, "limit: invalid value: -1.0"),
        ("/v1/audit?limits=2", 400, "unknown field `limits`"),
        ("/v1/audit?limit=2&limit=3", 400, "duplicate field `limit`"),
        ("/v1/xeon-1t/measurements", 400, "missing field `space`"),
        ("/v1/xeon-1t/models/1.5", 404, "expected a whole number"),
        ("/v1/xeon-1t/models/one", 404, "expected a whole number"),
        ("/v1/xeon-1t/models/7.0", 404, "version 7"),
        ("/v1/jobs/5.0", 404, "5"),
    ] {
        let (found, answer) = server.get(bad);
        assert_eq!(found, status, "{bad}: {answer}");
        assert!(
            answer["detail"].as_str().is_some_and(|detail| detail.contains(said)),
            "{bad}: {answer}"
        );
    }
    let target = |batch: &str| {
        format!(r#"{{"name":"x","runtime":"onnxruntime","settings":{{"batch_size":{batch}}},"fingerprint":{{}}}}"#)
    };
    for batch in ["64.0", "64"] {
        let (status, answer) = server.call("PUT", "/v1/hardware/x", &[], Some(&target(batch)));
        assert_eq!(
            (status / 100, &answer["settings"]["batch_size"]),
            (2, &json!(64)),
            "{answer}"
        );
    }
    assert_eq!(server.call("PUT", "/v1/hardware/x", &[], Some(&target("64.5"))).0, 422);
    let job = server.get("/v1/jobs/1.0").1;
    assert_eq!(
        (&job["id"], &job["parameters"]["seed"]),
        (&json!(1), &json!(3)),
        "{job}"
    );
}

/// Of a field that came twice the last was taken in silence, and a search went on with numbers of another network.
#[test]
fn a_field_that_comes_twice_is_refused_wherever_it_is() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let network = |twice: &str| {
        let blocks: Vec<String> = (0..10)
            .map(|block| {
                let stride = if block < 4 { 2 } else { 1 };
                format!(r#"{{"stride":{stride},"se":false,"layers":[{{"kernel":3,"expansion":4,"shortcut":false{twice}}}]}}"#)
            })
            .collect();
        format!(
            r#"{{"architectures":[{{"resolution":160,"blocks":[{}]}}]}}"#,
            blocks.join(",")
        )
    };
    let predict = format!("/v1/{HARDWARE}/predict");
    assert_eq!(server.post(&predict, &network("")).0, 200);
    let (status, answer) = server.post(&predict, &network(r#","kernel":7"#));
    assert_eq!(
        (status, &answer["errors"][0]["pointer"]),
        (422, &json!("/architectures/0")),
        "{answer}"
    );
    assert!(answer.to_string().contains("duplicate field `kernel`"), "{answer}");
    for (path, body) in [
        (
            format!("/v1/{HARDWARE}/jobs"),
            r#"{"kind":"train","parameters":{"recipe":"linear","seed":1,"seed":2}}"#,
        ),
        (
            format!("/v1/{HARDWARE}/jobs"),
            r#"{"kind":"measure","parameters":{"space":"mobilenetv3","count":1,"settings":{"threads":1,"threads":2}}}"#,
        ),
    ] {
        let (status, answer) = server.post(&path, body);
        assert!(
            status == 422 && answer.to_string().contains("duplicate field"),
            "{body}: {status} {answer}"
        );
    }
    let body = r#"{"name":"x","runtime":"onnxruntime","settings":{"threads":1,"threads":2},"fingerprint":{}}"#;
    let (status, answer) = server.call("PUT", "/v1/hardware/x", &[], Some(body));
    assert!(
        status == 422 && answer.to_string().contains("duplicate field"),
        "{status} {answer}"
    );
    let said = registry.fails(&[
        "predict",
        "--hardware",
        HARDWARE,
        r#"{"resolution":160,"resolution":320,"blocks":[]}"#,
    ]);
    assert!(said.contains("duplicate field `resolution`"), "{said}");
}

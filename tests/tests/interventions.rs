//! What was recorded by mistake can be taken back: hardware targets are deleted and renamed, measurements deleted. A wrong unit or a
//! misspelt name stayed for good once, and kept the name.

use lglp_tests::{HARDWARE, Registry, sample};
use serde_json::{Value, json};

fn predict(architectures: &[String]) -> String {
    json!({ "architectures": architectures }).to_string()
}

fn latencies(answer: &Value) -> Vec<f64> {
    let predictions = answer["predictions"].as_array().expect("predictions");
    predictions
        .iter()
        .map(|one| one["latency_ms"].as_f64().expect("ms"))
        .collect()
}

/// Versions of a target are numbered from 1, so that one of a later target of its name could be answered from the memory of the first.
#[test]
#[ignore = "takes long"]
fn a_deleted_target_is_forgotten_at_once() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let (path, asked) = (format!("/v1/{HARDWARE}/predict"), predict(&sample(5, 3)));
    let before = latencies(&server.post(&path, &asked).1);

    let target = format!("/v1/hardware/{HARDWARE}");
    let (status, problem) = server.call("DELETE", &format!("{target}?reason=a+trial"), &[], None);
    assert_eq!(status, 409, "{problem}");
    let said = problem["detail"].as_str().expect("a detail");
    assert!(
        problem["type"].as_str().is_some_and(|kind| kind.ends_with("in-use"))
            && said.contains("version 1 is in production"),
        "{problem}"
    );
    let (status, problem) = server.call("DELETE", &format!("{target}?force=true"), &[], None);
    assert_eq!(status, 400, "without a reason: {problem}");
    assert_eq!(
        latencies(&server.post(&path, &asked).1),
        before,
        "what is refused changes nothing"
    );

    let deleted = registry.ok(&["hardware", "delete", HARDWARE, "--reason", "a trial", "--force"]);
    assert!(deleted.contains("is deleted"), "{deleted}");
    let (status, problem) = server.post(&path, &asked);
    assert_eq!(status, 404, "{problem}");
    assert_eq!(server.get("/readyz").0, 200);
    let entry = &registry.json(&["audit", "--kind", "hardware_deleted"])[0];
    assert_eq!(
        (&entry["change"]["hardware"], &entry["reason"], &entry["before"]["name"]),
        (&json!(HARDWARE), &json!("a trial"), &json!(HARDWARE))
    );

    registry.import(60);
    registry.train("linear");
    registry.ok(&["promote", "--hardware", HARDWARE, "1"]);
    let (status, answer) = server.post(&path, &asked);
    assert_eq!((status, &answer["model"]["version"]), (200, &json!(1)));
    assert_ne!(latencies(&answer), before, "another model has the same name and number");
    drop(server);
    let texts = sample(5, 3);
    let mut arguments = vec!["predict", "--hardware", HARDWARE];
    arguments.extend(texts.iter().map(String::as_str));
    assert_eq!(latencies(&registry.json(&arguments)), latencies(&answer));
    registry.ok(&["registry", "verify"]);
}

#[test]
fn a_renamed_target_answers_as_before() {
    let registry = Registry::with_production("linear");
    let asked = predict(&sample(5, 3));
    let server = registry.serve();
    let before = latencies(&server.post(&format!("/v1/{HARDWARE}/predict"), &asked).1);
    let rename = |to: &str, force: bool| {
        let body = json!({ "to": to, "reason": "misspelt", "force": force }).to_string();
        server.post(&format!("/v1/hardware/{HARDWARE}/rename"), &body)
    };
    assert_eq!(rename("lab-1t", false).0, 409);
    let (status, problem) = rename("Lab 1t", true);
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/to")));
    let (status, target) = rename("lab-1t", true);
    assert_eq!((status, &target["name"]), (200, &json!("lab-1t")), "{target}");
    assert_eq!(latencies(&server.post("/v1/lab-1t/predict", &asked).1), before);
    assert_eq!(server.post(&format!("/v1/{HARDWARE}/predict"), &asked).0, 404);
    drop(server);
    // And without a server, back again.
    let said = registry.ok(&[
        "hardware",
        "rename",
        "lab-1t",
        HARDWARE,
        "--reason",
        "it was right",
        "--force",
    ]);
    assert!(
        said.contains(&format!("lab-1t is called {HARDWARE} from now on")),
        "{said}"
    );
    registry.ok(&["registry", "verify"]);
    registry.ok(&["train", "--hardware", HARDWARE, "--recipe", "linear"]);
    let server = registry.serve();
    assert_eq!(
        latencies(&server.post(&format!("/v1/{HARDWARE}/predict"), &asked).1),
        before
    );
}

/// Latencies in seconds were imported as milliseconds: every row of the right table differed, and none could take its place.
#[test]
fn measurements_of_a_wrong_unit_are_deleted_and_imported_again() {
    let registry = Registry::default();
    let table = |name: &str, unit: f64| {
        let rows = sample(20, 4).into_iter().enumerate();
        let rows: String = rows
            .map(|(at, text)| format!("{text},{}\n", (at + 3) as f64 * unit))
            .collect();
        let path = registry.folder.path().join(name);
        std::fs::write(&path, format!("architecture,latency_ms\n{rows}")).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    };
    let import = |file: &str| {
        registry.ok(&[
            "dataset",
            "import",
            file,
            "--hardware",
            "phone",
            "--space",
            "mobilenetv3",
        ])
    };
    import(&table("seconds.csv", 0.001));
    let delete = ["dataset", "delete", "--hardware", "phone", "--space", "mobilenetv3"];
    assert!(registry.fails(&delete).contains("--reason"));
    let said = registry.ok(&[&delete[..], &["--reason", "seconds taken as milliseconds"]].concat());
    assert!(said.contains("phone: 20 measurements of mobilenetv3 deleted"), "{said}");
    assert!(import(&table("milliseconds.csv", 1.0)).contains("20 of them new"));
    registry.ok(&["registry", "verify"]);
}

#[test]
fn only_admins_take_back() {
    let registry = Registry::with_production("linear");
    let (admin, operator) = (
        registry.token("ann", "admin", &[]),
        registry.token("ci", "operator", &[]),
    );
    let confined = registry.token("bob", "admin", &["--hardware", HARDWARE]);
    let server = registry.serve();
    let delete = format!("/v1/hardware/{HARDWARE}?reason=a+trial&force=true");
    let measurements = format!("/v1/{HARDWARE}/measurements?space=mobilenetv3&reason=a+trial&force=true");
    let rename = json!({ "to": "lab", "reason": "a trial", "force": true }).to_string();
    let renaming = format!("/v1/hardware/{HARDWARE}/rename");
    for (method, path, body) in [
        ("DELETE", &delete, None),
        ("DELETE", &measurements, None),
        ("POST", &renaming, Some(rename.as_str())),
    ] {
        assert_eq!(server.call_as(&operator, method, path, body).0, 403, "{method} {path}");
    }
    assert_eq!(
        server.call_as(&confined, "POST", &renaming, Some(&rename)).0,
        403,
        "a name that is none of the token's"
    );
    let (status, deleted) = server.call_as(&admin, "DELETE", &measurements, None);
    assert_eq!((status, deleted), (200, json!({ "deleted": 120 })));
    assert_eq!(server.call_as(&admin, "DELETE", &delete, None).0, 204);
}

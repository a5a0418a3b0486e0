//! Measurements that are too many for one body, and lists of them: they go in parts, and nothing is half recorded.

use lglp_tests::{HARDWARE, Registry, Server, sample};
use serde_json::{Value, json};

use super::table;

/// What measurements of a table look like over REST.
fn rows(server: &Server, count: usize) -> Vec<Value> {
    let path = format!("/v1/{HARDWARE}/measurements?space=mobilenetv3");
    let mut rows = server.get(&path).1.as_array().expect("measurements").clone();
    rows.truncate(count);
    for row in &mut rows {
        row["hardware"] = json!("phone");
        row["samples"] = json!([]);
    }
    rows
}

fn store(server: &Server, part: &[Value]) -> Value {
    server.post("/v1/blobs", &json!(part).to_string()).1["digest"].clone()
}

/// Parts were recorded one by one once: a fault in the last left the others behind.
#[test]
fn parts_are_recorded_together_or_not_at_all() {
    let registry = Registry::default();
    registry.import(30);
    let server = registry.serve();
    let target = json!({ "name": "phone", "runtime": "imported", "settings": {}, "fingerprint": {} }).to_string();
    assert_eq!(server.call("PUT", "/v1/hardware/phone", &[], Some(&target)).0, 200);
    let rows = rows(&server, 30);
    let mut wrong = rows[10..20].to_vec();
    wrong[3]["latency_ms"] = json!(1e300);
    let mut foreign = rows[20..].to_vec();
    foreign[2]["architecture"] = json!("no such network");
    let (first, second, third) = (
        store(&server, &rows[..10]),
        store(&server, &rows[10..20]),
        store(&server, &rows[20..]),
    );
    let (wrong, foreign) = (store(&server, &wrong), store(&server, &foreign));
    let import =
        |parts: &[&Value]| server.post("/v1/phone/measurements/import", &json!({ "parts": parts }).to_string());
    let none = json!(format!("sha256:{}", "0".repeat(64)));
    for (parts, place) in [
        (vec![&first, &wrong, &third], "/parts/1/3/latency_ms"),
        (vec![&first, &second, &foreign], "/parts/2/2/architecture"),
        (vec![&first, &none], "/parts/1"),
        (vec![], "/parts"),
    ] {
        let (status, problem) = import(&parts);
        assert_eq!(
            (status, problem["errors"][0]["pointer"].as_str()),
            (422, Some(place)),
            "{problem}"
        );
        assert_eq!(server.get("/v1/phone/spaces").1, json!([]), "{place}");
    }
    let all = [&first, &second, &third];
    assert_eq!(import(&all), (200, json!({ "recorded": 30 })));
    assert_eq!(
        import(&all),
        (200, json!({ "recorded": 0 })),
        "sent again, it changes nothing"
    );
    let entries = registry.json(&["audit", "--hardware", "phone", "--kind", "measurements_recorded"]);
    assert_eq!(
        entries.as_array().map(Vec::len),
        Some(1),
        "one step has one entry: {entries}"
    );
}

/// A table of more rows than one body holds failed on the limit, or was recorded in part.
#[test]
fn a_large_table_is_imported_through_a_server() {
    let registry = Registry::default();
    registry.import(1);
    let texts = sample(2500, 11).into_iter().enumerate();
    let lines: String = texts
        .map(|(at, text)| format!("{text},{}\n", 5.0 + at as f64 / 100.0))
        .collect();
    let file = table(&registry, "large.csv", &format!("architecture,latency_ms\n{lines}"));
    let server = registry.serve();
    let import = [
        "dataset",
        "import",
        &file,
        "--hardware",
        "phone",
        "--space",
        "mobilenetv3",
    ];
    assert!(registry.ok(&import).contains("2500 measurements, 2500 of them new"));
    assert!(registry.ok(&import).contains("2500 measurements, 0 of them new"));
    drop(server);
    assert!(registry.ok(&import).contains("0 of them new"), "as without a server");
    registry.ok(&["registry", "verify"]);
}

#[test]
fn lists_of_measurements_come_page_by_page() {
    let registry = Registry::default();
    registry.import(25);
    let server = registry.serve();
    let path = format!("/v1/{HARDWARE}/measurements");
    let whole = server.get(&format!("{path}?space=mobilenetv3")).1;
    let (mut query, mut pages, mut found) = ("space=mobilenetv3&limit=10".to_owned(), Vec::new(), Vec::new());
    loop {
        let url = format!("{path}?{query}");
        let page = server.get(&url).1.as_array().expect("a page").clone();
        pages.push(page.len());
        found.extend(page);
        let Some(link) = server.header("GET", &url, &[], "Link") else {
            break;
        };
        let next = link
            .strip_prefix("<?")
            .and_then(|link| link.strip_suffix(">; rel=\"next\""));
        query = next.expect("the next page, relative to this one").to_owned();
    }
    assert_eq!(pages, [10, 10, 5]);
    assert_eq!(Value::from(found), whole);
    let light = server.get(&format!("{path}?space=mobilenetv3&samples=false")).1;
    let mut bare = whole.clone();
    for row in bare.as_array_mut().expect("rows") {
        row["samples"] = json!([]);
    }
    assert_eq!(light, bare, "samples are most of it");
    for wrong in ["limit=0", "after=3", "limit=ten"] {
        let (status, problem) = server.get(&format!("{path}?space=mobilenetv3&{wrong}"));
        assert_eq!(status, 400, "{wrong}: {problem}");
    }
}

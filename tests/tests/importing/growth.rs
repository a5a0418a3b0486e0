//! Targets whose measurements come from elsewhere: they grow, are corrected, and are validated.

use lglp_tests::Registry;
use serde_json::{Value, json};

use super::{COLUMNS, import, once_for_all, table};

/// A table that grew was refused, since its digest was a part of the target; one that was corrected had no way in at all.
#[test]
fn a_table_grows_and_is_corrected() {
    let registry = Registry::default();
    let full = once_for_all(45);
    let part: String = full.lines().take(41).map(|line| format!("{line}\n")).collect();
    registry.ok(&import(&table(&registry, "part.csv", &part), "gpu-b64"));
    let grown = table(&registry, "grown.csv", &full);
    assert!(
        registry
            .ok(&import(&grown, "gpu-b64"))
            .contains("45 measurements, 5 of them new")
    );

    let corrected = table(&registry, "corrected.csv", &full.replacen(",22.857", ",21.5", 1));
    let arguments = [
        &import(&corrected, "gpu-b64")[..],
        &["--correct", "a cell was mistyped"],
    ]
    .concat();
    let said = registry.ok(&arguments);
    assert!(
        said.contains("1 of them new") && said.contains("1 measurement recorded before is corrected"),
        "{said}"
    );
    assert!(
        registry.ok(&import(&corrected, "gpu-b64")).contains("0 of them new"),
        "it is what is recorded now"
    );
    let server = registry.serve();
    let rows = server.get("/v1/gpu-b64/measurements?space=ofa-mobilenetv3").1;
    let latencies: Vec<(f64, u64)> = (rows.as_array().expect("rows").iter())
        .map(|row| {
            (
                row["latency_ms"].as_f64().expect("ms"),
                row["round"].as_u64().expect("a replicate"),
            )
        })
        .filter(|(latency, _)| [22.857, 21.5].contains(latency))
        .collect();
    assert_eq!(latencies, [(22.857, 0), (21.5, 1)], "nothing recorded is written over");
    let marked = server.get("/v1/gpu-b64/exclusions?space=ofa-mobilenetv3").1;
    assert_eq!(
        (&marked[0]["reason"], marked.as_array().map(Vec::len)),
        (&json!("a cell was mistyped"), Some(1))
    );
    drop(server);
    let version = registry.json(&["train", "--hardware", "gpu-b64", "--recipe", "linear"]);
    assert_eq!(
        version["content"]["space"], "ofa-mobilenetv3",
        "the only one that it was measured in"
    );

    let others: String = full.lines().take(1).map(|line| format!("{line}\n")).collect();
    let others = others
        + &once_for_all(80)
            .lines()
            .skip(60)
            .map(|line| format!("{line}\n"))
            .collect::<String>();
    let others = table(&registry, "others.csv", &others);
    let said = registry.fails(&import(&others, "gpu-b64"));
    assert!(said.contains("say --add"), "{said}");
    registry.ok(&[&import(&others, "gpu-b64")[..], &["--add"]].concat());
    let other_device: Vec<&str> = import(&grown, "gpu-b64")
        .into_iter()
        .map(|a| if a == "a GPU" { "another GPU" } else { a })
        .collect();
    let said = registry.fails(&other_device);
    assert!(said.contains("another GPU") && said.contains("another name"), "{said}");
    let zero: Vec<&str> = import(&grown, "gpu-0")
        .into_iter()
        .map(|a| if a == "64" { "0" } else { a })
        .collect();
    registry.fails(&zero);
}

/// A target that was imported could never be validated, so that no gate but by force let a version pass.
#[test]
fn an_imported_target_is_validated_by_what_it_was_not_trained_on() {
    let registry = Registry::default();
    let space = ["--hardware", "phone", "--space", "ofa-mobilenetv3"];
    let full = once_for_all(150);
    let part: String = full.lines().take(101).map(|line| format!("{line}\n")).collect();
    let file = table(&registry, "part.csv", &part);
    let columns = ["--columns", COLUMNS, "--latency", "gpu_64"];
    registry.ok(&[&["dataset", "import", &file][..], &space, &columns].concat());
    registry.ok(&["train", "--hardware", "phone", "--recipe", "linear"]);
    registry.ok(&[
        "gate",
        "--hardware",
        "phone",
        "--max-mape",
        "100",
        "--min-n",
        "8",
        "--reason",
        "a first one",
    ]);

    fn validate<'a>(more: &[&'a str]) -> Vec<&'a str> {
        [&["validate", "--hardware", "phone", "1"], more].concat()
    }
    let held_out = registry.json(&validate(&["--n", "10"]));
    assert_eq!(held_out["content"]["selection"]["on"], "held_out", "{held_out}");
    assert_eq!(held_out["content"]["pairs"].as_array().map(Vec::len), Some(10));
    let metrics = &registry.json(&["models", "--hardware", "phone", "1"])["content"]["metrics"];
    let (told, found) = (&metrics["mape"], &held_out["content"]["metrics"]["mape"]);
    let close = (told.as_f64().expect("a number") - found.as_f64().expect("a number")).abs() < 1e-9;
    assert!(close, "all ten rows of the test part: {told} and {found}");
    let said = registry.fails(&validate(&["--n", "11"]));
    assert!(said.contains("only 10 measurements were held out"), "{said}");
    let said = registry.fails(&validate(&["--n", "5", "--on", "recorded"]));
    assert!(said.contains("only 0 recorded measurements"), "{said}");
    registry.ok(&["promote", "--hardware", "phone", "1"]);

    // Fresh rows come in by a table, and judge it as well.
    let grown = table(&registry, "grown.csv", &full);
    registry.ok(&[&["dataset", "import", &grown][..], &space, &columns].concat());
    let server = registry.serve();
    let recorded = registry.json(&validate(&["--n", "30"]));
    assert_eq!(recorded["content"]["selection"]["on"], "recorded", "{recorded}");
    let frozen: Vec<&Value> = held_out["content"]["pairs"].as_array().expect("pairs").iter().collect();
    let apart = |pair: &Value| frozen.iter().all(|held| held["architecture"] != pair["architecture"]);
    assert!(
        recorded["content"]["pairs"]
            .as_array()
            .expect("pairs")
            .iter()
            .all(apart)
    );
    let body = json!({ "kind": "validate", "parameters": { "version": 1, "n": 5, "on": "fresh" } }).to_string();
    let (status, answer) = server.post("/v1/phone/jobs", &body);
    assert_eq!(
        (status, &answer["errors"][0]["pointer"]),
        (422, &json!("/parameters/on")),
        "{answer}"
    );
}

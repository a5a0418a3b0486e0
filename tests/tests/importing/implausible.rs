//! What no device takes, and what was not measured twice, does not come in.

use lglp_tests::{HARDWARE, Registry, root};
use serde_json::{Value, json};

use super::{import, once_for_all, table};

/// A latency of 1e300 or 1e-320 ms made every training fail, or a model that was promotable and predicted 2e36 ms.
#[test]
fn what_no_network_takes_is_refused_by_line() {
    let registry = Registry::default();
    let mut lines: Vec<String> = once_for_all(30).lines().map(str::to_owned).collect();
    for (line, latency) in [(3, "1e300"), (7, "1e-320"), (9, "8.64e7"), (11, "nan"), (12, "fast")] {
        lines[line - 1] = lines[line - 1].rsplit_once(',').expect("cells").0.to_owned() + "," + latency;
    }
    let file = table(&registry, "absurd.csv", &lines.join("\n"));
    let said = registry.fails(&import(&file, "gpu-b64"));
    for expected in [
        "5 rows of absurd.csv cannot be read",
        "line 3, column gpu_64: `1e300` is no latency",
        "expected 1e-6 ms or more and less than 8.64e7 ms",
        "line 7, column gpu_64: `1e-320`",
        "line 9, column gpu_64: `8.64e7`",
        "line 11, column gpu_64: `nan`",
        "line 12, column gpu_64: `fast` is no number",
    ] {
        assert!(said.contains(expected), "{expected:?} is not in: {said}");
    }

    // A folder, and a request: the place is named.
    registry.import(30);
    let folder = registry.folder.path().join("dataset");
    let measurements = folder.join("mobilenetv3.jsonl");
    let text = std::fs::read_to_string(&measurements).expect("measurements");
    let mut rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    rows[4]["latency_ms"] = json!(1e300);
    rows[5]["energy_j"] = json!(1e-320);
    let server = registry.serve();
    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/measurements"), &json!(rows[3..6]).to_string());
    assert_eq!(
        (status, &answer["errors"][0]["pointer"]),
        (422, &json!("/1/latency_ms")),
        "{answer}"
    );
    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/measurements"), &json!([rows[5]]).to_string());
    assert_eq!(
        (status, &answer["errors"][0]["pointer"]),
        (422, &json!("/0/energy_j")),
        "{answer}"
    );
    drop(server);
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    std::fs::write(&measurements, lines.join("\n")).expect("a file");
    let said = registry.fails(&["dataset", "import", folder.to_str().expect("UTF-8")]);
    assert!(
        said.contains("mobilenetv3.jsonl, line 5: ") && said.contains("latency_ms"),
        "{said}"
    );
}

/// Rows that were pasted twice counted as measurements that agree to the last digit: "noise floor 0.00 %". Of two columns of
/// one name the first was taken in silence.
#[test]
fn copied_rows_and_columns_of_one_name_are_refused() {
    let registry = Registry::default();
    let good = once_for_all(30);
    let copies: String = good.lines().skip(5).take(2).map(|line| format!("{line}\n")).collect();
    let file = table(&registry, "copied.csv", &format!("{good}{copies}"));
    let said = registry.fails(&import(&file, "gpu-b64"));
    assert!(
        said.contains("2 rows of copied.csv") && said.contains("line 32, column gpu_64: every cell is that of line 6"),
        "{said}"
    );
    // The same latency of the same architecture, told apart by the column `id`, was measured twice.
    let again: String = good
        .lines()
        .skip(1)
        .take(1)
        .map(|line| line.replacen("0,", "30,", 1) + "\n")
        .collect();
    let file = table(&registry, "again.csv", &format!("{good}{again}"));
    assert!(
        registry
            .ok(&import(&file, "gpu-b64"))
            .contains("31 measurements, 31 of them new")
    );

    for (name, problem) in [
        ("id", "columns 1 and 49 of twice.csv are both named `id`"),
        ("gpu_64", "columns 48 and 49 of twice.csv are both named `gpu_64`"),
    ] {
        let mut lines = good.lines();
        let header = format!("{}, {name} \n", lines.next().expect("a header"));
        let rows: String = lines.map(|line| format!("{line},1\n")).collect();
        let file = table(&registry, "twice.csv", &(header + &rows));
        let arguments = import(&file, "gpu-2");
        if name == "id" {
            // Nobody asks for that one.
            registry.ok(&arguments);
            continue;
        }
        let said = registry.fails(&arguments);
        assert!(said.contains(problem), "{said}");
    }

    // In a folder a copied line has another replicate.
    registry.import(30);
    let folder = registry.folder.path().join("dataset");
    let measurements = folder.join("mobilenetv3.jsonl");
    let text = std::fs::read_to_string(&measurements).expect("measurements");
    let copied: Vec<String> = text
        .lines()
        .map(|line| line.replace("\"round\":0", "\"round\":1"))
        .collect();
    std::fs::write(&measurements, copied.join("\n")).expect("a file");
    let said = registry.fails(&["dataset", "import", folder.to_str().expect("UTF-8")]);
    assert!(said.contains("it was measured once"), "{said}");

    let spaces = registry.folder.path().join("spaces");
    std::fs::create_dir_all(&spaces).expect("a folder");
    for copy in ["a.toml", "b.toml"] {
        std::fs::copy(root().join("catalog/spaces/mobilenetv3.toml"), spaces.join(copy)).expect("a file");
    }
    let said = registry.fails(&["spaces", "--spaces", spaces.to_str().expect("UTF-8")]);
    assert!(
        said.contains("a.toml") && said.contains("b.toml") && said.contains("define the space `mobilenetv3`"),
        "{said}"
    );
}

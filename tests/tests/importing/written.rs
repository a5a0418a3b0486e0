//! Tables as spreadsheets, data frames and Python write them.

use lglp_tests::{Registry, sample};
use serde_json::{Value, json};

use super::{COLUMNS, import, once_for_all, table};

/// Measurements of an imported target, by line of its table: architecture and latency.
fn rows(registry: &Registry, hardware: &str, space: &str) -> Vec<(u64, String, f64)> {
    let server = registry.serve();
    let listed = server.get(&format!("/v1/{hardware}/measurements?space={space}")).1;
    let mut rows: Vec<_> = (listed.as_array().expect("measurements").iter())
        .map(|m| {
            let line = m["protocol"]["line"].as_u64().expect("a line");
            let architecture = m["architecture"].as_str().expect("text").to_owned();
            (line, architecture, m["latency_ms"].as_f64().expect("ms"))
        })
        .collect();
    rows.sort_by_key(|row| row.0);
    rows
}

fn into<'a>(file: &'a str, hardware: &'a str, space: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [
        &["dataset", "import", file, "--hardware", hardware, "--space", space][..],
        more,
    ]
    .concat()
}

/// Excel in half of Europe writes semicolons and decimal commas: the whole table was one column without a name that was known, and
/// each latency was no number.
#[test]
fn semicolons_tabs_and_decimal_commas_are_hinted_at_and_read() {
    let registry = Registry::default();
    let architectures = sample(2, 5);
    let text = format!(
        "architecture;latency_ms\n{};12,5\n{};1e3\n",
        architectures[0], architectures[1]
    );
    let space = "mobilenetv3";
    let file = table(&registry, "sheet.csv", &text);
    let said = registry.fails(&into(&file, "phone", space, &[]));
    assert!(
        said.contains("no column `architecture`; it seems to be delimited by ';': add --delimiter ';'"),
        "{said}"
    );
    let said = registry.fails(&into(&file, "phone", space, &["--delimiter", ";"]));
    assert!(
        said.contains(
            "line 2, column latency_ms: `12,5` is no number; if its comma begins the fraction, add --decimal ','"
        ),
        "{said}"
    );
    let both = ["--delimiter", ";", "--decimal", ","];
    registry.ok(&into(&file, "phone", space, &both));
    let latencies: Vec<f64> = rows(&registry, "phone", space).into_iter().map(|row| row.2).collect();
    assert_eq!(latencies, [12.5, 1000.0]);

    // A point may stand between thousands where a comma is the decimal mark, so that 1.234 is no number then.
    let file = table(&registry, "thousands.csv", &text.replace("12,5", "1.234"));
    let said = registry.fails(&into(&file, "phone", space, &both));
    assert!(said.contains("`1.234` is no number"), "{said}");

    let tabs = text.replace(';', "\t").replace("12,5", "12.5");
    let file = table(&registry, "sheet.tsv", &tabs);
    let said = registry.fails(&into(&file, "tablet", space, &[]));
    assert!(said.contains("add --delimiter tab"), "{said}");
    registry.ok(&into(&file, "tablet", space, &["--delimiter", "tab"]));
    for bad in [["--delimiter", ";;"], ["--delimiter", "x"], ["--decimal", ";"]] {
        assert!(
            registry.fails(&into(&file, "tablet", space, &bad)).contains("expected"),
            "{bad:?}"
        );
    }
    let said = registry.fails(&["dataset", "import", "datasets/xeon-1t", "--delimiter", ";"]);
    assert!(said.contains("is a folder"), "{said}");
}

/// One bad row of thousands kept the table out, and a person deleted rows by hand until it came in.
#[test]
fn bad_rows_are_left_out_by_request_and_listed() {
    let registry = Registry::default();
    let mut lines: Vec<Vec<u8>> = once_for_all(12).lines().map(|line| line.as_bytes().to_vec()).collect();
    lines[2] = String::from_utf8_lossy(&lines[2])
        .replacen(",132,", ",131,", 1)
        .into_bytes();
    lines[4].extend_from_slice(b",9");
    lines[6] = b"6,\xe4".to_vec();
    lines[8] = lines[7].clone();
    lines[10] = b"10,140".to_vec();
    let path = registry.folder.path().join("bad.csv");
    std::fs::write(&path, lines.join(&b'\n')).expect("a file");
    let file = path.to_str().expect("UTF-8");
    let faults = [
        "line 3, column resolution: `131` is not one of",
        "line 5: 49 cells, and the header has 48; a cell with ',' in it stands in double quotes",
        "line 7: not UTF-8",
        "line 9, column gpu_64: every cell is that of line 8",
        "line 11: 2 cells, and the header has 48",
    ];
    let refused = registry.fails(&import(file, "gpu-b64"));
    let said = registry.ok(&[&import(file, "gpu-b64")[..], &["--skip-bad-rows"]].concat());
    assert!(
        said.starts_with("gpu-b64: 7 measurements, 7 of them new; 5 rows left out:\n"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1 + faults.len(), "{said}");
    for fault in faults {
        assert!(said.contains(fault), "{fault:?} is not in: {said}");
        assert!(refused.contains(fault), "{fault:?} is not in: {refused}");
    }
    let imported: Vec<u64> = rows(&registry, "gpu-b64", "ofa-mobilenetv3")
        .into_iter()
        .map(|row| row.0)
        .collect();
    assert_eq!(imported, [2, 4, 6, 8, 10, 12, 13]);

    // What is left out once comes in once it is mended; what is not bad says nothing more.
    let file = table(&registry, "good.csv", &once_for_all(12));
    let said = registry.ok(&[&import(&file, "gpu-b64")[..], &["--skip-bad-rows"]].concat());
    assert_eq!(said, "gpu-b64: 12 measurements, 5 of them new\n");

    let none: String = once_for_all(3)
        .lines()
        .map(|line| line.replace(",4", ",nine") + "\n")
        .collect();
    let none = table(&registry, "none.csv", &none);
    let said = registry.fails(&[&import(&none, "gpu-0")[..], &["--skip-bad-rows"]].concat());
    assert!(
        said.contains("no row of none.csv can be read; nothing was imported") && !said.contains("--skip-bad-rows"),
        "{said}"
    );
    assert!(!registry.ok(&["hardware"]).contains("gpu-0"));
}

/// Samplers fill the slots past a depth with anything, and data frames write `0.0`, `nan` or nothing for what is not there: each was
/// refused.
#[test]
fn what_stands_past_a_depth_is_ignored_unless_the_table_says_what_must() {
    let registry = Registry::default();
    let plain = once_for_all(30);
    let marks = ["0.0,0.0", "None,None", "nan,NaN", "null,", ",", "0,0"];
    let with = |marks: &[&str]| -> String {
        let row = |(at, line): (usize, &str)| line.replace(",0,0", &format!(",{}", marks[at % marks.len()])) + "\n";
        plain.lines().enumerate().map(row).collect()
    };
    let space = "ofa-mobilenetv3";
    let file = table(&registry, "plain.csv", &plain);
    registry.ok(&import(&file, "plain"));
    let expected = rows(&registry, "plain", space);

    let odd = table(&registry, "odd.csv", &with(&["7,6", "9,-1", "x,y", "3.5,0"]));
    registry.ok(&import(&odd, "odd"));
    assert_eq!(rows(&registry, "odd", space), expected);

    let columns = std::fs::read_to_string(lglp_tests::root().join(COLUMNS)).expect("columns") + "absent = \"0\"\n";
    let columns = table(&registry, "columns.toml", &columns);
    let strict = ["--columns", &columns, "--latency", "gpu_64"];
    let framed = table(&registry, "framed.csv", &with(&marks));
    registry.ok(&into(&framed, "framed", space, &strict));
    assert_eq!(rows(&registry, "framed", space), expected);
    let said = registry.fails(&into(&odd, "strict", space, &strict));
    assert!(said.contains("leaves this layer out; write `0`"), "{said}");

    // Within the depth it is no layer.
    let gap = table(&registry, "gap.csv", &plain.replacen(",5,4", ",None,4", 1));
    let said = registry.fails(&import(&gap, "gap"));
    assert!(said.contains("`None` is not one of 3, 5, 7"), "{said}");
}

/// A column of dictionaries, as `str(architecture)` writes them, was text that "does not belong in canonical text", and a missing bracket
/// in one was, too.
#[test]
fn architectures_are_dictionaries_of_python_or_json() {
    let registry = Registry::default();
    let space = "ofa-mobilenetv3";
    let form = json!({ "wid": null, "r": [224], "d": [2, 3, 4, 2, 2], "ks": vec![5; 20], "e": vec![4; 20] });
    let (dictionary, quoted) = (python(&form), form.to_string().replace('"', "\"\""));
    let text = format!("architecture,latency_ms\n\"{dictionary}\",1.5\n\"{quoted}\",2.5\n");
    let file = table(&registry, "dicts.csv", &text);
    registry.ok(&into(&file, "phone", space, &[]));
    let rows = rows(&registry, "phone", space);
    assert_eq!(rows[0].1, rows[1].1);
    assert!(rows[0].1.starts_with("ofa-mobilenetv3@224/s2-k5e4-k5e4i/"), "{rows:?}");

    let file = table(&registry, "broken.csv", &text.replacen(", 'ks'", " 'ks'", 1));
    let said = registry.fails(&into(&file, "phone", space, &[]));
    assert!(
        said.contains("line 2, column architecture: ") && said.contains("not readable as JSON: expected"),
        "{said}"
    );

    let said = registry.fails(&into(&file, "phone", "mobilenetv3", &[]));
    assert!(
        said.contains(
            "an architecture of the space `ofa-mobilenetv3` (5 blocks, 20 layers at most), where one of `mobilenetv3`"
        ),
        "{said}"
    );
}

/// What Python prints of a value.
fn python(value: &Value) -> String {
    let text = value.to_string().replace('"', "'").replace("null", "None");
    text.replace(',', ", ").replace(':', ": ")
}

/// A folder that was edited by hand said `expected value at line 1 column 2` of its hundredth line, and a table in UTF-16 that it had no
/// column.
#[test]
fn marks_and_encodings_are_read_or_named() {
    let registry = Registry::default();
    let text = once_for_all(5);
    let utf_16: Vec<u8> = format!("\u{feff}{text}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let path = registry.folder.path().join("wide.csv");
    std::fs::write(&path, &utf_16).expect("a file");
    let said = registry.fails(&import(path.to_str().expect("UTF-8"), "gpu-b64"));
    assert!(said.contains("wide.csv is UTF-16; save it as UTF-8"), "{said}");
    for (magic, said) in [
        (
            &b"PK\x03\x04\x14"[..],
            "is a workbook or an archive; save its sheet as CSV",
        ),
        (&b"PAR1\x15"[..], "is Parquet; save it as CSV"),
        (&b"\x1f\x8b\x08"[..], "is compressed; unpack it"),
    ] {
        std::fs::write(&path, magic).expect("a file");
        let error = registry.fails(&import(path.to_str().expect("UTF-8"), "gpu-b64"));
        assert!(error.contains(said), "{error}");
    }

    let columns = std::fs::read_to_string(lglp_tests::root().join(COLUMNS)).expect("columns");
    let columns = table(&registry, "columns.toml", &format!("\u{feff}{columns}"));
    let file = table(&registry, "ofa.csv", &text);
    let options = ["--columns", &columns, "--latency", "gpu_64"];
    registry.ok(&into(&file, "gpu-b64", "ofa-mobilenetv3", &options));

    registry.import(10);
    let folder = registry.folder.path().join("dataset");
    let folder_name = folder.to_str().expect("UTF-8");
    for file in ["hardware.json", "mobilenetv3.jsonl"] {
        let path = folder.join(file);
        let good = std::fs::read_to_string(&path).expect("text");
        std::fs::write(&path, format!("\u{feff}{good}")).expect("a file");
        registry.ok(&["dataset", "import", folder_name]);
        let wide: Vec<u8> = good.encode_utf16().flat_map(u16::to_be_bytes).collect();
        std::fs::write(&path, wide).expect("a file");
        let said = registry.fails(&["dataset", "import", folder_name]);
        assert!(said.contains(file) && said.contains("this is UTF-16"), "{said}");
        let printed = good.replace('"', "'");
        std::fs::write(&path, printed).expect("a file");
        let said = registry.fails(&["dataset", "import", folder_name]);
        assert!(said.contains(file) && said.contains("json.dumps"), "{said}");
        std::fs::write(&path, good).expect("a file");
    }
    let path = folder.join("mobilenetv3.jsonl");
    let good = std::fs::read_to_string(&path).expect("text");
    let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
    lines[6] = lines[6].replacen("\":", "\"", 1);
    std::fs::write(&path, lines.join("\n")).expect("a file");
    let said = registry.fails(&["dataset", "import", folder_name]);
    assert!(
        said.contains("mobilenetv3.jsonl, line 7: column ")
            && said.contains(": expected `:`")
            && !said.contains("line 1"),
        "{said}"
    );
}

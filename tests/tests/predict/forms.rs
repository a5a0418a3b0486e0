//! Architectures as people paste them: of another space, as Python prints them, in files.

use lglp_tests::{HARDWARE, Registry, readable, sample};
use serde_json::{Value, json};

use super::{latencies, predict};

/// A dictionary of Once-for-All's five stages, sent to a target of ten blocks, was told "5 values; expected 10 depths", as if some were
/// missing: nobody learned that it belongs to another space.
#[test]
fn an_architecture_of_another_space_is_told_by_its_shape() {
    let registry = Registry::with_production("linear");
    let ofa = json!({ "wid": null, "ks": vec![3; 20], "e": vec![4; 20], "d": [2, 3, 4, 2, 2], "r": [224] });
    let text = ofa.to_string();
    let python = text.replace('"', "'").replace("null", "None");
    let layer = json!({ "kernel": 3, "expansion": 4 });
    let readable = json!({ "resolution": 224, "blocks": vec![json!({ "layers": [layer, layer] }); 5] });
    let mut sized = ofa.clone();
    let fields = sized.as_object_mut().expect("an object");
    fields.remove("r");
    fields.insert("image_size".into(), json!(224.0));
    let said = "an architecture of the space `ofa-mobilenetv3` (5 blocks, 20 layers at most), where one of `mobilenetv3` (10 blocks, \
                40 layers at most) is expected";
    let forms = [ofa.clone(), json!(text), json!(python), readable, sized];
    let file = registry.folder.path().join("pasted.txt");
    std::fs::write(&file, &python).expect("a file");
    let file = format!("@{}", file.to_str().expect("UTF-8"));
    let at_file = registry.fails(&["predict", "--hardware", HARDWARE, &file]);
    assert!(at_file.contains(said), "{at_file}");
    let network = registry.fails(&["network", "--space", "mobilenetv3", &python]);
    assert!(network.contains(said), "{network}");
    let unnamed = registry.fails(&["network", &python]);
    assert!(
        unnamed.contains("give --space") && unnamed.contains("those of ofa-mobilenetv3"),
        "{unnamed}"
    );
    assert!(
        registry
            .ok(&["network", "--space", "ofa-mobilenetv3", &python])
            .contains("ofa-mobilenetv3@224/")
    );
    let server = registry.serve();
    for form in &forms {
        let (status, answer) = predict(&server, &json!({ "architectures": [form] }));
        let first = &answer["errors"][0];
        assert_eq!(
            (status, &first["pointer"]),
            (422, &json!("/architectures/0")),
            "{form}: {answer}"
        );
        assert!(
            first["detail"].as_str().is_some_and(|detail| detail.starts_with(said)),
            "{answer}"
        );
        let body = json!({ "architecture": form }).to_string();
        let (status, answer) = server.post(&format!("/v1/{HARDWARE}/explain"), &body);
        assert_eq!(
            (status, &answer["errors"][0]["pointer"]),
            (422, &json!("/architecture")),
            "{answer}"
        );
        assert!(
            answer["detail"].as_str().is_some_and(|detail| detail.contains(said)),
            "{answer}"
        );
    }
    // Two lists that are too short are of no space: a length is what is wrong.
    let mut short = ofa;
    (short["ks"], short["e"]) = (json!(vec![3; 19]), json!(vec![3; 19]));
    let (_, answer) = predict(&server, &json!({ "architectures": [short] }));
    assert_eq!(answer["errors"][0]["pointer"], "/architectures/0/d", "{answer}");
}

/// What Python prints was "not readable as JSON", or text that "does not belong in canonical text", and so was JSON with a fault or
/// behind a mark.
#[test]
#[ignore = "takes long"]
fn files_of_architectures_are_json_or_python_and_their_faults_have_a_line() {
    let registry = Registry::with_production("linear");
    let texts = sample(2, 3);
    let forms = [readable(320, 1, 5, 4), readable(160, 2, 3, 6)];
    let python = |value: &Value| {
        let text = value.to_string().replace('"', "'");
        text.replace("true", "True").replace("false", "False")
    };
    let path = registry.folder.path().join("architectures");
    let at_file = format!("@{}", path.to_str().expect("UTF-8"));
    let arguments = ["predict", "--hardware", HARDWARE, &at_file];
    let predicted = |bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("a file");
        latencies(&registry.json(&arguments))
    };
    let expected = predicted(json!(forms).to_string().as_bytes());
    let (first, second) = (python(&forms[0]), python(&forms[1]));
    for pasted in [
        format!("[{first},\n {second},\n]\n"),
        format!("({first}, {second})"),
        format!("{{'architectures': [{first}, {second}]}}"),
        format!("{first}\n\n  {}\n", forms[1]),
        format!("\u{feff}{first}\r\n{second}\r\n"),
    ] {
        assert_eq!(predicted(pasted.as_bytes()), expected, "{pasted}");
    }
    let expected = predicted(texts.join("\n").as_bytes());
    let quoted = format!("'{}'\n\"{}\"\n", texts[0], texts[1]);
    assert_eq!(predicted(quoted.as_bytes()), expected, "quoted lines");

    let fails = |bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("a file");
        registry.fails(&arguments)
    };
    for (bad, said) in [
        (
            format!("{}\n{}\n", texts[0], forms[0].to_string().replacen("\":", "\"", 1)),
            "not readable as JSON: line 2, column ",
        ),
        (
            format!("{}\n\"{}\n", texts[0], texts[1]),
            "not readable as JSON: line 2, column ",
        ),
        (format!("[{first}\n{second}]"), "expected `,` or `]` at line 2 column 1"),
        (format!("[{first},\n {{'resolution': 320,"), "not readable as JSON"),
        ("mobilenetv3:320".to_owned(), "does not belong in canonical text"),
    ] {
        let error = fails(bad.as_bytes());
        assert!(error.contains(said), "{bad}: {error}");
    }
    let wide: Vec<u8> = format!("\u{feff}{}", texts[0])
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(fails(&wide).contains("this is UTF-16; save it as UTF-8"));
    assert!(fails(b"mobilenetv3@320\n\xe4\n").contains("line 2 is not UTF-8"));
}

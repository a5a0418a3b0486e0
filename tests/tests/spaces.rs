//! Search spaces of one's own: begun, checked, and used as those that are there.

use lglp_tests::{Registry, root};
use serde_json::{Value, json};

#[test]
fn a_space_is_begun_checked_and_used() {
    let registry = Registry::default();
    let folder = registry.folder.path().join("spaces");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("mine.toml");
    let path = file.to_str().expect("UTF-8");
    let said = registry.ok(&["space", "new", "mine", "-o", path]);
    assert!(said.contains(&format!("lglp space check {path}")), "{said}");
    let written = std::fs::read_to_string(&file).expect("a file");
    let said = registry.fails(&["space", "new", "mine", "-o", path]);
    assert!(said.contains(path), "what is there is left: {said}");
    assert_eq!(registry.ok(&["space", "new", "mine"]), written);
    let said = registry.fails(&["space", "new", "My Space"]);
    assert!(said.contains("a-z, 0-9 and '-'"), "{said}");

    let found = registry.json(&["space", "check", path]);
    assert_eq!(
        (&found[0]["space"], &found[0]["layers"]),
        (&json!("mine"), &json!([5, 15]))
    );
    // 3 resolutions, and of each of 5 stages, one of which may have squeeze-and-excitation, 4 + 16 + 64 layers.
    let exact = 3.0 * 84f64.powi(5) * 2.0;
    assert_eq!(found[0]["architectures_log10"], exact.log10().round() as i64);
    let example = found[0]["example"].as_str().expect("text");
    assert!(registry.ok(&["space", "check", path]).contains(example));
    let most = found[0]["million_macs"][1].as_f64().expect("millions");
    assert!((100.0..2_000.0).contains(&most), "{found}");

    let spaces = folder.to_str().expect("UTF-8");
    let server = registry.serve_with(&["--spaces", spaces]);
    let (status, drawn) = server.get("/v1/spaces/mine/sample");
    assert_eq!((status, &drawn["architectures"][0]), (200, &json!(example)), "{drawn}");
}

/// Each mistake is told with its file and its field.
#[test]
fn a_space_that_cannot_be_is_told_where() {
    let registry = Registry::default();
    let file = registry.folder.path().join("faulty.toml");
    let path = file.to_str().expect("UTF-8");
    let whole = registry.ok(&["space", "new", "faulty"]);
    for (from, to, wanted) in [
        (
            "kernel = [3, 5] ",
            "kernel = [3, 4] ",
            "choices.kernel [3, 4] must be odd",
        ),
        (
            "channels = [24, 40]",
            "channels = [16, 40]",
            "a block of 24 channels is followed by one that takes 16",
        ),
        (
            "activation = \"relu6\"\ndefault",
            "activation = \"relu7\"\ndefault",
            "relu7",
        ),
        ("depth = [1, 2, 3]", "depth = []", "block 1, depth"),
        // It passed the check, and ended the process where a layer allowed none.
        (
            "shortcut = [false, true] ",
            "shortcut = [true] ",
            "choices.shortcut must hold false",
        ),
        ("classes = 1000", "clases = 1000", "clases"),
    ] {
        let faulty = whole.replacen(from, to, 1);
        assert_ne!(faulty, whole, "{from}");
        std::fs::write(&file, faulty).expect("a file");
        let said = registry.fails(&["space", "check", path]);
        assert!(said.contains(path) && said.contains(wanted), "{wanted}: {said}");
    }
}

/// All that come with lglp are consistent, and their networks are theirs when they are read as ONNX.
#[test]
fn the_spaces_of_the_catalog_are_consistent() {
    let registry = Registry::default();
    let folder = root().join("catalog/spaces");
    let files: Vec<String> = std::fs::read_dir(folder)
        .expect("the catalog")
        .map(|file| file.expect("a file").path().to_str().expect("UTF-8").to_owned())
        .collect();
    let mut arguments = vec!["space", "check"];
    arguments.extend(files.iter().map(String::as_str));
    let found = registry.json(&arguments);
    assert_eq!(found.as_array().map(Vec::len), Some(files.len()));
}

/// What Once-for-All's own sampler of the ProxylessNAS space writes: six depths, the last of them 1, and 21 kernels and expansions.
#[test]
fn what_once_for_all_samples_of_proxylessnas_is_read() {
    let registry = Registry::default();
    let sampled = "{'ks': [3, 5, 7, 3, 5, 7, 3, 3, 5, 7, 3, 5, 7, 3, 5, 7, 3, 5, 7, 3, 5], \
                   'e': [3, 4, 6, 3, 4, 6, 3, 4, 6, 3, 4, 6, 3, 4, 6, 3, 4, 6, 3, 4, 6], 'd': [2, 3, 4, 2, 3, 1], 'r': 176}";
    let facts = registry.json(&["network", sampled, "--space", "ofa-proxyless"]);
    assert_eq!(
        facts["architecture"],
        "ofa-proxyless@176/s2-k3e3-k5e4i/s2-k5e4-k7e6i-k3e3i/s2-k5e6-k7e3i-k3e4i-k5e6i/s1-k7e3-k3e4i/s2-k3e4-k5e6i-k7e3i/s1-k5e6"
    );
}

/// A target that is measured by nothing but a table.
fn import(registry: &Registry, spaces: &str, space: &str, table: &str) {
    let file = registry.folder.path().join("table.csv");
    std::fs::write(&file, table).expect("a file");
    let path = file.to_str().expect("UTF-8");
    registry.ok(&[
        "dataset",
        "import",
        path,
        "--spaces",
        spaces,
        "--hardware",
        "phone",
        "--space",
        space,
    ]);
}

/// What nobody says of networks is learned from choices: a table comes in, a recipe that reads choices is found, a version is served, and
/// recipes that read layers or operators say what they lack before they train.
#[test]
fn a_space_of_choices_alone_is_imported_trained_and_served() {
    let registry = Registry::default();
    let folder = registry.folder.path().join("spaces");
    std::fs::create_dir_all(&folder).expect("a folder");
    let (spaces, file) = (folder.to_str().expect("UTF-8"), folder.join("mine.toml"));
    let path = file.to_str().expect("UTF-8");
    registry.ok(&["space", "new", "mine", "--kind", "choices", "-o", path]);
    let found = registry.json(&["space", "check", path]);
    assert_eq!(found[0]["million_macs"], Value::Null);
    let drawn = registry.ok(&["sample", "--spaces", spaces, "--space", "mine", "--count", "160"]);
    // Each layer takes its time, and heads cost.
    let price = |word: &str| match word {
        "conv" => 1.0,
        "attention" => 2.0,
        "mixed" => 2.5,
        "8" => 0.5,
        _ => 0.0,
    };
    let latency = |text: &str| 3.0 + text.split(['@', ',']).skip(2).map(price).sum::<f64>();
    let rows = drawn.lines().map(|text| format!("\"{text}\",{}\n", latency(text)));
    let table: String = std::iter::once("architecture,latency_ms\n".to_owned())
        .chain(rows)
        .collect();
    import(&registry, spaces, "mine", &table);

    for (recipe, words) in [
        ("lightgbm", "reads layers of inverted residuals"),
        ("additive", "does not say which networks"),
    ] {
        let said = registry.fails(&[
            "train",
            "--spaces",
            spaces,
            "--hardware",
            "phone",
            "--space",
            "mine",
            "--recipe",
            recipe,
        ]);
        assert!(said.contains(words), "{recipe}: {said}");
    }
    let trained = registry.json(&["train", "--spaces", spaces, "--hardware", "phone", "--space", "mine"]);
    let trained = &trained["content"];
    assert_eq!(trained["recipe"]["name"], "decisions-ridge", "{trained}");
    assert!(trained["metrics"]["mape"].as_f64().expect("%") < 1.0, "{trained}");
    assert_eq!(
        trained["metrics"].get("mac_mape"),
        None,
        "nobody knows of multiply-accumulates: {trained}"
    );
    registry.ok(&[
        "promote",
        "--spaces",
        spaces,
        "--hardware",
        "phone",
        "1",
        "--force",
        "--reason",
        "a test",
    ]);

    let server = registry.serve_with(&["--spaces", spaces]);
    let asked = "mine@5,conv,attention,conv,mixed,conv,8,4";
    let (status, answer) = server.post("/v1/phone/predict", &json!({ "architectures": [asked] }).to_string());
    assert_eq!(status, 200, "{answer}");
    let told = answer["predictions"][0]["latency_ms"].as_f64().expect("ms");
    assert!((told / latency(asked) - 1.0).abs() < 0.02, "{told}");
    let (status, answer) = server.post(
        "/v1/phone/predict",
        &json!({ "architectures": ["mine@5,conv"] }).to_string(),
    );
    assert_eq!(status, 422, "{answer}");
    assert_eq!(
        answer["errors"][0]["detail"],
        "`layer.2` is missing; allowed: conv, attention, mixed"
    );
}

/// Blocks of one's own: measured, learned from operator by operator, explained, searched, and asked for as files.
#[test]
fn a_space_of_blocks_is_measured_trained_and_served() {
    let registry = Registry::default();
    let folder = registry.folder.path().join("spaces");
    std::fs::create_dir_all(&folder).expect("a folder");
    let (spaces, file) = (folder.to_str().expect("UTF-8"), folder.join("nets.toml"));
    registry.ok(&[
        "space",
        "new",
        "nets",
        "--kind",
        "blocks",
        "-o",
        file.to_str().expect("UTF-8"),
    ]);
    let with = |arguments: &[&'static str]| -> Vec<String> {
        let spaces = ["--spaces", spaces].map(str::to_owned);
        arguments.iter().map(|word| (*word).to_owned()).chain(spaces).collect()
    };
    let ok = |arguments: &[&'static str]| {
        let all = with(arguments);
        registry.ok(&all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    ok(&[
        "measure",
        "--hardware",
        "here",
        "--space",
        "nets",
        "--count",
        "32",
        "--budget",
        "0.1",
    ]);
    ok(&["train", "--hardware", "here", "--space", "nets", "--recipe", "additive"]);
    ok(&["promote", "--hardware", "here", "1", "--force", "--reason", "a test"]);
    let asked = "nets@96,3,32,64,96,plain,separable,plain";
    let explained = ok(&["explain", "--hardware", "here", asked, "--changes", "4"]);
    assert!(
        explained.contains("depth: 3 to 2") && explained.contains("BLOCK"),
        "{explained}"
    );

    let server = registry.serve_with(&["--spaces", spaces]);
    let readable = json!({
        "resolution": 96, "depth": 3, "width": [32, 64, 96], "layer": ["plain", "separable", "plain"],
    });
    let body = json!({ "architectures": [asked, readable] }).to_string();
    let (status, answer) = server.post("/v1/here/predict", &body);
    assert_eq!(status, 200, "{answer}");
    let told = answer["predictions"][0]["latency_ms"].as_f64().expect("ms");
    assert_eq!(answer["predictions"][1]["latency_ms"], told);
    // As a file, it is the same to 1 %.
    let onnx = registry.folder.path().join("net.onnx");
    let path = onnx.to_str().expect("UTF-8");
    registry.ok(&["network", asked, "--spaces", spaces, "-o", path]);
    let bytes = std::fs::read(&onnx).expect("a file");
    let (status, answer) = server.post_form("/v1/here/predict", &[("network", Some("net.onnx"), &bytes)]);
    assert_eq!(status, 200, "{answer}");
    let of_file = answer["predictions"][0]["latency_ms"].as_f64().expect("ms");
    assert!((of_file / told - 1.0).abs() < 0.01, "{of_file} for {told}");

    // Of the same decisions without networks, files are measured that are named by their architecture.
    let definition = std::fs::read_to_string(&file).expect("a file");
    let (decisions, _) = definition.split_once("[network]").expect("it has networks");
    let plain = decisions.replacen("name = \"nets\"", "name = \"plain\"", 1);
    std::fs::write(folder.join("plain.toml"), plain).expect("a file");
    // By whose reference network a target is calibrated that has none of its own.
    let usual = root().join("catalog/spaces/mobilenetv3.toml");
    std::fs::copy(usual, folder.join("mobilenetv3.toml")).expect("a file");
    let exported = registry.folder.path().join("files");
    std::fs::create_dir_all(&exported).expect("a folder");
    let named = |architecture: &str| exported.join(format!("{architecture}.onnx"));
    std::fs::copy(&onnx, named("plain@96,3,32,64,96,plain,separable,plain")).expect("a file");
    std::fs::copy(&onnx, named("plain@96,3")).expect("a file");
    drop(server);
    let arguments = [
        "measure",
        "--spaces",
        spaces,
        "--hardware",
        "there",
        "--space",
        "plain",
        "--budget",
        "0.1",
    ];
    let said = registry.fails(&[&arguments[..], &["--count", "2"]].concat());
    assert!(said.contains("--onnx DIR"), "{said}");
    let exported = exported.to_str().expect("UTF-8");
    let said = registry.ok(&[&arguments[..], &["--onnx", exported]].concat());
    assert!(said.contains("1 measured now, 1 in replicate 0"), "{said}");
    let kept = std::fs::read_to_string(registry.export("there").join("plain.jsonl")).expect("a file");
    assert!(kept.contains("\"plain@96,3,32,64,96,plain,separable,plain\""), "{kept}");
}

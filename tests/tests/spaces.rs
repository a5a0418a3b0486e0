//! Search spaces of one's own: begun, checked, and used as those that are there.

use lglp_tests::{Registry, root};
use serde_json::json;

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

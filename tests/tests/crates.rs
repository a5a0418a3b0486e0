//! Who may know whom: ARCHITECTURE.md's table of crates against what cargo says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use lglp_tests::root;
use serde_json::Value;

/// What each package of the workspace is built with, by its folder: others by their folders, libraries by their names.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
            "--locked",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let folder = |package: &Value| {
        let manifest = package["manifest_path"].as_str().expect("a path").to_owned();
        let folder = manifest.strip_suffix("/Cargo.toml").expect("a manifest");
        let below = folder
            .strip_prefix(root().to_str().expect("UTF-8"))
            .expect("in the workspace");
        below.trim_start_matches('/').to_owned()
    };
    let folders: BTreeMap<&str, String> = packages
        .iter()
        .map(|package| (package["name"].as_str().expect("a name"), folder(package)))
        .collect();
    let known = |package: &Value| {
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let normal = dependencies.iter().filter(|dependency| dependency["kind"].is_null());
        let names = normal.map(|dependency| dependency["name"].as_str().expect("a name"));
        names
            .map(|name| folders.get(name).map_or(name, String::as_str).to_owned())
            .collect()
    };
    packages
        .iter()
        .map(|package| (folder(package), known(package)))
        .collect()
}

/// What tests alone are made of.
fn is_of_tests(folder: &str) -> bool {
    folder.starts_with("tests") || folder == "registry/conformance"
}

/// The folders of those that know a library; tests aside.
fn by<'a>(dependencies: &'a BTreeMap<String, BTreeSet<String>>, library: &str) -> Vec<&'a str> {
    let know = dependencies
        .iter()
        .filter(|(folder, known)| !is_of_tests(folder) && known.contains(library));
    know.map(|(folder, _)| folder.as_str()).collect()
}

/// The names in backticks of a cell.
fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Crate, the others that it knows, libraries that it alone knows: the rows of ARCHITECTURE.md.
fn table() -> Vec<(String, BTreeSet<String>, BTreeSet<String>)> {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the page");
    let mut lines = page
        .lines()
        .skip_while(|line| !line.starts_with("| crate | knows of the others |"));
    let rows = lines.by_ref().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let name = names(cells[1]).pop_first().expect("a crate");
        (name, names(cells[2]), names(cells[3]))
    })
    .collect()
}

/// Walls were prose: of 53,700 lines 28,000 were one crate, in which whoever wanted to knew everybody.
#[test]
fn crates_know_whom_the_page_says_they_know() {
    let dependencies = dependencies();
    let table = table();
    assert_eq!(table.len(), 10, "rows of the table");
    let rooms: BTreeSet<&str> = table.iter().map(|(name, ..)| name.as_str()).collect();
    for (name, others, alone) in &table {
        let known = &dependencies[name];
        let found: BTreeSet<String> = known
            .iter()
            .filter(|name| rooms.contains(name.as_str()))
            .cloned()
            .collect();
        assert_eq!(&found, others, "whom `{name}` knows");
        for library in alone {
            assert_eq!(by(&dependencies, library), [name], "who knows `{library}`");
        }
    }
}

/// Libraries that a few alone know.
#[test]
fn what_is_for_some_is_for_nobody_else() {
    let dependencies = dependencies();
    let by = |library| by(&dependencies, library);
    // The registry's records are described where the contract asks for it.
    assert_eq!(by("utoipa"), ["openapi", "registry", "server"]);
    assert_eq!(by("clap"), ["cli", "terminal", "worker"]);
    assert_eq!(by("libloading"), ["engine", "plugins/tensorrt"]);
    assert_eq!(by("prost"), ["engine", "onnx", "plugins/tensorrt"]);
}

/// A plugin is written against the SDK alone, so that others can be written like it.
#[test]
fn plugins_know_the_sdk_alone() {
    let dependencies = dependencies();
    for (folder, known) in dependencies.iter().filter(|(folder, _)| folder.starts_with("plugins/")) {
        let others = known
            .iter()
            .filter(|name| dependencies.contains_key(*name) && *name != "sdk" && !name.starts_with("plugins/"));
        assert_eq!(others.count(), 0, "{folder} knows {known:?}");
    }
}

/// A worker's archive brought the server along: the program has no part of it, nor of the registry's store.
#[test]
fn a_workers_program_holds_no_server() {
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo
        .args([
            "tree",
            "--package",
            "lglp-worker",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .args(["--offline", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("UTF-8");
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("lglp-engine") && crates.contains("ureq"), "{tree}");
    for unwanted in [
        "sled",
        "actix-web",
        "actix-http",
        "utoipa-swagger-ui",
        "lglp-server",
        "tokio",
    ] {
        assert!(!crates.contains(unwanted), "{unwanted} is in the worker's program");
    }
}

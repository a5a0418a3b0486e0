//! `lglp plugin check`: plugins of this repository keep to the contract, and each way to break it is noticed.

use std::path::Path;
use std::process::Command;

use lglp_tests::plugins::plugins_of;
use lglp_tests::{Registry, release, root};
use serde_json::Value;

/// What a plugin does, and the check that notices it; `None` where it cannot be loaded, with a word of the reason.
const FAULTS: [(&str, Result<&str, &str>); 27] = [
    ("WRITES_BEHIND", Ok("bounds")),
    ("WRITES_BEFORE", Ok("bounds")),
    ("READS_BEHIND", Ok("bounds")),
    ("RANDOM", Ok("deterministic")),
    ("TELLS_PLACES", Ok("batches")),
    ("LEAKS", Ok("memory")),
    ("NOT_A_NUMBER", Ok("shapes")),
    ("SEGFAULTS", Ok("shapes")),
    ("ABORTS", Ok("shapes")),
    ("EXITS", Ok("shapes")),
    ("HANGS", Ok("shapes")),
    ("SHARES_A_BUFFER", Ok("threads")),
    ("CONSTANT", Ok("features")),
    ("NAME_IS_NO_TEXT", Err("UTF-8")),
    ("SCHEMA_IS_NO_JSON", Err("not JSON")),
    ("SCHEMA_IS_NO_SCHEMA", Ok("schema")),
    ("EMPTY_SHAPE", Ok("shapes")),
    ("HANGS_IN_CREATE", Ok("shapes")),
    ("EXITS_AT_LOAD", Err("status 0")),
    ("FREES_TWICE", Ok("deterministic")),
    ("UNKNOWN_STATUS", Ok("shapes")),
    ("OTHER_INSTANCES", Ok("deterministic")),
    ("NEWER_VERSION", Err("plugin ABI 1.")),
    ("OTHER_MAGIC", Err("magic")),
    // It went over to the group of whoever checks it, and was waited for, for ever.
    ("LEAVES_THE_GROUP", Ok("shapes")),
    ("LEAVES_FILES_OPEN", Ok("memory")),
    ("WRITES_TO_ROWS", Ok("bounds")),
];

/// Compiles the plugin that breaks the contract so.
fn faulty(folder: &Path, fault: &str) -> String {
    let file = folder.join(format!("{fault}.so"));
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-w", &format!("-DFAULT={fault}"), "-I"])
        .arg(root().join("sdk/include"))
        .arg(root().join("tests/plugins/faulty.c"))
        .arg("-o")
        .arg(&file)
        .status()
        .expect("a C compiler");
    assert!(compiled.success(), "{fault}");
    file.display().to_string()
}

/// Checks a plugin; whether it passes, and the report.
fn checked(registry: &Registry, file: &str, limit: &str) -> (bool, Value) {
    let output = registry.run(&["plugin", "check", file, "--limit", limit, "--json"]);
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (output.status.success(), report)
}

/// The checks of the only component with a verdict.
fn with_verdict<'a>(report: &'a Value, verdict: &str) -> Vec<&'a str> {
    let findings = report["components"][0]["findings"].as_array();
    let findings = findings.into_iter().flatten();
    let those = findings.filter(|finding| finding["verdict"] == verdict);
    those.filter_map(|finding| finding["check"].as_str()).collect()
}

#[test]
#[ignore = "takes long"]
fn each_way_to_break_the_contract_is_noticed() {
    let registry = Registry::default();
    let folder = tempfile::tempdir().expect("a folder");
    let (passed, report) = checked(&registry, &faulty(folder.path(), "NONE"), "8");
    assert!(passed, "{report:#}");
    for (fault, expected) in FAULTS {
        let limit = if fault.contains("HANGS") || fault == "LEAVES_THE_GROUP" {
            "1"
        } else {
            "8"
        };
        let (passed, report) = checked(&registry, &faulty(folder.path(), fault), limit);
        assert!(!passed, "{fault}: {report:#}");
        match expected {
            Ok(check) => {
                let failed = with_verdict(&report, "failed");
                assert!(failed.contains(&check), "{fault}: {report:#}");
            }
            Err(words) => {
                let reason = report["unloadable"].as_str().unwrap_or_default();
                assert!(reason.contains(words), "{fault}: {report:#}");
            }
        }
    }
}

/// A fault costs its own checks, and no other.
#[test]
fn other_checks_go_on() {
    let registry = Registry::default();
    let folder = tempfile::tempdir().expect("a folder");
    let (_, report) = checked(&registry, &faulty(folder.path(), "LEAKS"), "8");
    assert_eq!(with_verdict(&report, "failed"), ["memory"], "{report:#}");
    let (_, report) = checked(&registry, &faulty(folder.path(), "SHARES_A_BUFFER"), "8");
    assert_eq!(with_verdict(&report, "failed"), ["threads"], "{report:#}");
}

#[test]
fn plugins_of_this_repository_keep_to_the_contract() {
    let registry = Registry::default();
    let plugins = release().join("plugins");
    let entries = std::fs::read_dir(&plugins).expect("the plugins");
    let files: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "so"))
        .map(|path| path.display().to_string())
        .collect();
    assert!(files.len() >= 8, "{files:?}");
    for file in files {
        // LSTMs are fitted for seconds.
        let limit = if file.contains("lstm") { "20" } else { "10" };
        let (passed, report) = checked(&registry, &file, limit);
        assert!(passed, "{report:#}");
    }
}

#[test]
fn what_keeps_to_the_contract_is_installed() {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    registry.plugins = Some(folder.clone());
    let made = tempfile::tempdir().expect("a folder");
    let (good, bad) = (faulty(made.path(), "NONE"), faulty(made.path(), "SEGFAULTS"));
    let said = registry.fails(&["plugin", "install", &bad]);
    assert!(
        said.contains("does not keep to the contract of plugins, and is not installed"),
        "{said}"
    );
    assert!(!folder.join("SEGFAULTS.so").exists());
    let said = registry.ok(&["plugin", "install", &good]);
    assert!(
        said.contains("takes it up by `lglp plugin rescan`, or at its next start"),
        "{said}"
    );
    let installed = std::fs::read(folder.join("NONE.so")).expect("it is there");
    assert_eq!(installed, std::fs::read(&good).expect("the file"));
    // What has the name of another's component is there, and is said not to be of use.
    let twin = made.path().join("twin.so");
    std::fs::copy(&good, &twin).expect("copied");
    let said = registry.ok(&["plugin", "install", "--unchecked", twin.to_str().expect("UTF-8")]);
    assert!(said.contains("is already provided by the plugin"), "{said}");
    // What could not be looked at is not said to be good.
    let tensorrt = release()
        .join("plugins/liblglp_plugin_tensorrt.so")
        .display()
        .to_string();
    if registry
        .run(&["plugin", "check", &tensorrt, "--json"])
        .stdout
        .windows(7)
        .any(|word| word == b"skipped")
    {
        let said = registry.fails(&["plugin", "install", &tensorrt]);
        assert!(said.contains("could not be checked, and is not installed"), "{said}");
    }
    let left = std::fs::read_dir(&folder).expect("the folder");
    let left = left.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert!(!left.into_iter().any(|name| name.starts_with(".tmp")));
    let said = registry.fails(&["plugin", "install", made.path().to_str().expect("UTF-8")]);
    assert!(said.contains("end in .so"), "{said}");
}

#[test]
fn what_cannot_be_checked_is_said() {
    let registry = Registry::default();
    let encoders = release()
        .join("plugins/liblglp_plugin_encoders.so")
        .display()
        .to_string();
    let said = registry.fails(&["plugin", "check", &encoders, "--component", "none"]);
    assert!(said.contains("it has no component `none`; there are"), "{said}");
    let said = registry.fails(&["plugin", "check", "no-such-file.so"]);
    assert!(said.contains("no-such-file.so"), "{said}");
    let said = registry.fails(&["plugin", "check", &encoders, "--parameters", "{"]);
    assert!(said.contains("--parameters: expected JSON"), "{said}");
}

//! Which commands make a registry, and what is said where there is none, or another process has it open.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use lglp_tests::{HARDWARE, Registry, program, root};

/// The program in an empty folder, without any option.
fn elsewhere(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    for variable in ["LGLP_SERVER", "LGLP_REGISTRY", "LGLP_SPACES", "LGLP_RECIPES", "COLUMNS"] {
        command.env_remove(variable);
    }
    command.output().expect("the program runs; `make build` builds it")
}

fn said(output: &Output) -> String {
    assert!(!output.status.success(), "it succeeded");
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn is_empty(folder: &Path) -> bool {
    folder.read_dir().expect("a folder").next().is_none()
}

/// `lglp hardware` in another folder than the one with the measurements made `data/registry` there, and printed an empty table.
#[test]
fn commands_that_ask_make_no_registry() {
    let folder = tempfile::tempdir().expect("a folder");
    let asking: [&[&str]; 9] = [
        &["hardware"],
        &["models", "--hardware", HARDWARE],
        &["audit"],
        &["jobs"],
        &["token", "list"],
        &["registry", "verify"],
        &["gate", "--hardware", HARDWARE],
        &[
            "measure",
            "--hardware",
            "here",
            "--space",
            "mobilenetv3",
            "--count",
            "1",
            "--job",
        ],
        &["dataset", "export", "--hardware", HARDWARE, "out"],
    ];
    for arguments in asking {
        let said = said(&elsewhere(folder.path(), arguments));
        let here = folder.path().canonicalize().expect("a path");
        for part in [
            "there is no registry at data/registry",
            here.to_str().expect("UTF-8"),
            "lglp dataset import",
            "--registry",
            "--server",
        ] {
            assert!(said.contains(part), "{arguments:?}: {part:?} is not in {said}");
        }
        assert!(is_empty(folder.path()), "{arguments:?} left something");
    }
    // What is asked with a path is told by it alone.
    let absolute = folder.path().join("there");
    let asked = ["hardware", "--registry", absolute.to_str().expect("UTF-8")];
    let told = format!("there is no registry at {}: make one", absolute.display());
    assert!(said(&elsewhere(folder.path(), &asked)).contains(&told));
}

/// Where the search spaces were missing, a command that measures, imports or serves left an empty registry behind.
#[test]
fn nothing_is_made_where_search_spaces_are_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let dataset = root().join("datasets").join(HARDWARE);
    let table = root().join("tests/Cargo.toml");
    let (dataset, table) = (dataset.to_str().expect("UTF-8"), table.to_str().expect("UTF-8"));
    let making: [&[&str]; 5] = [
        &["serve", "--bind", "127.0.0.1:0"],
        &[
            "measure",
            "--hardware",
            "here",
            "--space",
            "mobilenetv3",
            "--count",
            "1",
        ],
        &["onboard", "--hardware", "here"],
        &["dataset", "import", dataset],
        &[
            "dataset",
            "import",
            table,
            "--hardware",
            "phone",
            "--space",
            "mobilenetv3",
        ],
    ];
    for arguments in making {
        let said = said(&elsewhere(folder.path(), arguments));
        assert!(said.contains("spaces"), "{arguments:?}: {said}");
        assert!(!said.contains("serving"), "{arguments:?}: {said}");
        assert!(is_empty(folder.path()), "{arguments:?} left something");
    }
}

#[test]
fn commands_that_begin_with_nothing_make_a_registry() {
    let registry = Registry::default();
    registry.token("ann", "admin", &[]);
    assert!(registry.path().join("format.json").is_file());
    assert_eq!(registry.json(&["hardware"]), serde_json::json!([]));
}

/// A second `lglp serve` said that its port was taken, and `make serve` asked whether it was.
#[test]
fn a_second_server_tells_who_holds_the_registry() {
    let registry = Registry::default();
    let first = registry.serve();
    let address = first.base.strip_prefix("http://").expect("an address").to_owned();
    let held = format!(
        "is in use by process {} (lglp serve) at {}",
        first.child.id(),
        first.base
    );
    for bind in [address.as_str(), "127.0.0.1:0"] {
        let said = registry.fails(&["serve", "--bind", bind]);
        assert!(said.contains(&held), "{bind}: {said}");
    }
    // Another registry's server wants another address, and leaves nothing.
    let other = Registry::default();
    let said = other.fails(&["serve", "--bind", &address]);
    let expected = format!("another program listens on {address}; give another address by --bind");
    assert!(said.contains(&expected), "{said}");
    assert!(!other.path().exists());
}

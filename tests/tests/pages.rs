//! Pages that must name all of something.

use std::path::Path;

use lglp_tests::root;

/// Calls `visit` with the text of each Rust file below a folder.
fn sources(folder: &Path, visit: &mut dyn FnMut(&str)) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            visit(&std::fs::read_to_string(&path).expect("a source"));
        }
    }
}

/// Variables of the environment stood on six pages, and half of them on none.
#[test]
fn every_variable_of_the_environment_is_on_its_page() {
    let page = std::fs::read_to_string(root().join("docs/environment.md")).expect("the page");
    let mut names = Vec::new();
    for folder in [
        "cli/src",
        "client/src",
        "engine/src",
        "server/src",
        "terminal/src",
        "worker/src",
        "plugins",
        "sdk/src",
        "registry/src",
        "tests/src",
    ] {
        sources(&root().join(folder), &mut |text| {
            for before in ["env = \"", "var_os(\"", "env::var(\"", "try_from_env(\""] {
                let found = text.split(before).skip(1).filter_map(|rest| rest.split('"').next());
                // What a program is built for is told so, too, in small letters.
                let found = found.filter(|name| !name.contains(char::is_lowercase));
                names.extend(found.map(str::to_owned));
            }
        });
    }
    names.sort();
    names.dedup();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        // Cargo's, of build scripts.
        if name != "OUT_DIR" {
            assert!(
                page.contains(&format!("`{name}`")),
                "{name} is not on docs/environment.md"
            );
        }
    }
}

/// What events hold stood nowhere: the contract called each an object, and the page showed one of them.
#[test]
fn every_kind_of_event_is_on_its_page() {
    let page = std::fs::read_to_string(root().join("docs/webhooks.md")).expect("the page");
    for kind in lglp_registry::Change::kinds() {
        assert!(page.contains(&format!("`{kind}`")), "{kind} is not on docs/webhooks.md");
    }
}

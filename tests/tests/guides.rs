//! Guides, followed to the letter.

use std::path::Path;
use std::process::Command;

use lglp_tests::plugins::plugins_of;
use lglp_tests::{HARDWARE, Registry, program, root};

/// The blocks of a page: their language, and their text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((_, begun)) = rest.split_once("\n```") {
        let (language, begun) = begun.split_once('\n').expect("a line");
        let (text, behind) = begun.split_once("\n```").expect("its end");
        found.push((language, text));
        rest = behind;
    }
    found
}

/// Lines of an encoder that the page promises at most.
const LINES: usize = 80;

#[test]
fn an_encoder_is_written_trained_validated_promoted_and_served() {
    let page = std::fs::read_to_string(root().join("docs/write-an-encoder.md")).expect("the page");
    let registry = Registry::default();
    registry.import(120);
    let (plugins, at) = (plugins_of(&registry), registry.folder.path());
    let project = at.join("graph-statistics");
    let mut script = String::from("set -euo pipefail\n");
    for (language, text) in blocks(&page) {
        match language {
            "rust" => {
                assert!(text.lines().count() <= LINES, "{} lines", text.lines().count());
                let written = at.join("lib.rs");
                std::fs::write(&written, text).expect("written");
                script += &format!("cp {} src/lib.rs\n", written.display());
            }
            "console" => {
                for command in text.lines().filter_map(|line| line.strip_prefix("$ ")) {
                    script += &format!("echo '$' {command:?}\n{command}\n");
                    if command.starts_with("cd ") {
                        // What crates need is compiled once for all tests.
                        script += &format!("ln -s {} target\n", root().join("target/begun-plugins").display());
                    }
                }
            }
            "text" => {}
            other => panic!("a block of {other}"),
        }
    }
    std::fs::create_dir_all(root().join("target/begun-plugins")).expect("a folder");
    let folder_of_program = program().parent().map(Path::to_owned).expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(at)
        .env("PATH", format!("{}:{path}", folder_of_program.display()))
        .env("CARGO_NET_OFFLINE", "true")
        .env("LGLP_REGISTRY", registry.path())
        .env("LGLP_PLUGINS", &plugins)
        .env("LGLP_RECIPES", at.join("recipes"))
        .env("LGLP_SPACES", root().join("catalog/spaces"))
        .env("LGLP_NATIVE", root().join(".native/lib"))
        .env_remove("LGLP_SERVER")
        .output()
        .expect("bash");
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}\n{errors}");
    assert!(project.join("src/lib.rs").exists());
    let last = said.lines().last().expect("a prediction");
    assert!(
        last.contains(&format!("{HARDWARE} version 1 (graph-statistics,")),
        "{said}"
    );
}

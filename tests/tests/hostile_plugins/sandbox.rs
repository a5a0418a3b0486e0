//! What the sandbox keeps from plugins.

use std::process::Stdio;

use lglp_tests::Registry;
use lglp_tests::plugins::{compile, listed, plugins_of};
use serde_json::{Value, json};

use super::hostile;

/// A plugin wrote where it liked, read the registry's folder, changed modes of others' files, sent datagrams to sockets of others, took
/// memory that no limit counted.
#[test]
fn the_sandbox_keeps_away_what_no_plugin_needs() {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    let secret = registry.folder.path().join("secret");
    std::fs::write(&secret, "a secret").expect("a file");
    let source = format!(
        "#define FAULT NONE\n#define NAME \"tries\"\n#define SECRET \"{}\"\n{}\n{}",
        secret.display(),
        include_str!("../../plugins/hostile.c"),
        include_str!("../../plugins/trying.c")
    );
    compile(&source, &folder.join("tries.so"));
    hostile(&folder, "NONE", "none");
    registry.plugins = Some(folder);
    let mut command = registry.command(&["plugins", "--json"]);
    let output = command
        .env("LGLP_TOKEN", "a token")
        .stderr(Stdio::piped())
        .output()
        .expect("it runs");
    let plugins: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let restricted = listed(&plugins, "none.so")["restricted"].clone();
    let holds = |what: &str| restricted.as_array().is_some_and(|all| all.contains(&json!(what)));
    assert!(holds("landlock") && holds("seccomp"), "{restricted}");
    let said = listed(&plugins, "tries.so")["unavailable"]
        .as_str()
        .expect("a reason")
        .to_owned();
    assert!(said.ends_with("works 1, token 0, let through:"), "{said}");
    assert_eq!(std::fs::read_to_string(&secret).expect("it is there"), "a secret");
}

/// A runtime of whoever wrote a plugin ran without the sandbox: whoever may name a runtime had it do what it liked.
#[test]
fn a_runtime_of_others_is_in_the_sandbox_until_the_owner_lets_it_out() {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    // Another file than the one that ships: loaders do not look behind the end.
    let own = folder.join("liblglp_plugin_command.so");
    let mut bytes = std::fs::read(&own).expect("it is built");
    bytes.extend(b"of somebody else");
    std::fs::remove_file(&own).expect("it was copied");
    std::fs::write(folder.join("theirs.so"), bytes).expect("a file");
    registry.plugins = Some(folder);
    let answer = json!({ "samples": [{ "wall_ms": 12.5 }] }).to_string();
    let program = format!("command={}", json!(["printf", "%s\n", "{onnx}", answer]));
    let command = "measure --hardware here --space ofa-mobilenetv3 --budget 0.1 --runtime command --count 1 --set";
    let mut arguments: Vec<&str> = command.split(' ').collect();
    arguments.push(&program);
    let measure = |registry: &Registry| {
        let mut measure = registry.command(&arguments);
        let output = measure.stderr(Stdio::piped()).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), said)
    };
    let (worked, said) = measure(&registry);
    assert!(!worked && said.contains("sandbox = false in plugins.toml"), "{said}");
    let settings = registry.folder.path().join("plugins.toml");
    std::fs::write(&settings, "[\"theirs.so\"]\nsandbox = false\n").expect("a file");
    let (worked, said) = measure(&registry);
    assert!(worked, "{said}");
}

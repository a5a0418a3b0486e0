//! The runtime `command`: real programs through `lglp measure`, scripts that answer as others do, and programs that misbehave in
//! every way there is.

mod answers;
mod faults;
mod real;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use lglp_registry::prelude::*;
use lglp_registry::{HardwareName, HolderInfo, Measurement, SledStore};
use lglp_tests::{Registry, program, python, reference, root};
use serde_json::{Value, json};

const SPACE: &str = "ofa-mobilenetv3";

/// `lglp measure` of so many architectures on the target `here`, with the settings of a new target.
fn measure(count: usize, settings: &[(&str, Value)]) -> Vec<String> {
    let fixed = format!("measure --hardware here --space {SPACE} --budget 0.2 --runtime command --count {count}");
    let mut arguments: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
    for (name, value) in settings {
        arguments.extend(["--set".to_owned(), format!("{name}={value}")]);
    }
    arguments
}

fn borrowed(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

fn measurements(registry: &Registry) -> Vec<Measurement> {
    let store = SledStore::open(registry.path(), HolderInfo::default()).expect("the registry opens");
    let here: HardwareName = "here".parse().expect("a name");
    store.measurements(&here, SPACE, None).unwrap_or_default()
}

/// What the runtime of the target `here` says of itself. How it was set up, which the command line said, is a digest alone.
fn described(registry: &Registry) -> Value {
    let target = registry.json(&["hardware"])[0].clone();
    let mut told = target["fingerprint"]["runtime"].clone();
    let configuration = told.as_object_mut().and_then(|told| told.remove("configuration"));
    let digest = configuration.expect("the digest of what was set up");
    assert!(
        digest.as_str().is_some_and(|digest| digest.starts_with("sha256:")),
        "{digest}"
    );
    for own in ["command", "preset", "program", "arguments", "environment"] {
        assert_eq!(
            target["settings"][own],
            Value::Null,
            "{own} is the machine's own: {target}"
        );
    }
    told
}

/// A Python program in a file of its own.
fn script(registry: &Registry, name: &str, text: &str) -> PathBuf {
    let path = registry.folder.path().join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

/// The same, to be started by its name.
fn executable(registry: &Registry, name: &str, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = script(registry, name, &format!("#!{}\n{text}", python().display()));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    path
}

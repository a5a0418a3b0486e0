//! Which plugins are loaded: those that the machine's owner knows by digest, or by the key that signed them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lglp_tests::plugins::{compile, listed, plugins_of};
use lglp_tests::{Registry, root};
use serde_json::Value;

/// A registry whose plugins have one more, and where that lies.
fn with_plugin() -> (Registry, PathBuf) {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    let source = std::fs::read_to_string(root().join("sdk/templates/c/encoder.c")).expect("the template");
    let file = folder.join("mine.so");
    compile(&source.replace("@name@", "mine"), &file);
    registry.plugins = Some(folder);
    (registry, file)
}

fn trust(registry: &Registry, text: &str) -> String {
    let file = registry.folder.path().join("trust.toml");
    std::fs::write(&file, text).expect("written");
    file.display().to_string()
}

fn digest(registry: &Registry) -> String {
    let plugins = registry.json(&["plugins"]);
    listed(&plugins, "mine.so")["sha256"]
        .as_str()
        .expect("a digest")
        .to_owned()
}

/// Why the plugin is not loaded; `None` where it is.
fn refused(registry: &Registry, trust: &str) -> Option<String> {
    let plugins: Value = registry.json(&["plugins", "--trust", trust]);
    let mine = listed(&plugins, "mine.so");
    mine["unavailable"].as_str().map(str::to_owned)
}

fn signed(registry: &Registry, key: &str, file: &Path, password: Option<&str>) -> Output {
    let mut command = registry.command(&["plugin", "sign", "--key", key, file.to_str().expect("UTF-8")]);
    if let Some(password) = password {
        command.env("LGLP_SIGNING_PASSWORD", password);
    }
    command.output().expect("it runs")
}

#[test]
fn a_digest_lets_in_that_file_alone() {
    let (registry, file) = with_plugin();
    let known = trust(&registry, &format!("digests = [\"{}\"]", digest(&registry)));
    assert_eq!(refused(&registry, &known), None);
    let plugins = registry.json(&["plugins", "--trust", &known]);
    let other = listed(&plugins, "liblglp_plugin_encoders.so");
    assert!(
        other["unavailable"]
            .as_str()
            .is_some_and(|why| why.contains("trusts neither its digest")),
        "{other}"
    );
    // Another build is another file.
    let mut bytes = std::fs::read(&file).expect("the plugin");
    bytes.push(0);
    std::fs::write(&file, bytes).expect("written");
    assert!(refused(&registry, &known).is_some_and(|why| why.contains("trusts neither its digest")));
}

#[test]
fn a_signature_lets_in_what_it_was_made_of() {
    let (registry, file) = with_plugin();
    let at = |name: &str| registry.folder.path().join(name).display().to_string();
    let (mine, others) = (at("mine.key"), at("others.key"));
    let made = registry.ok(&["plugin", "keygen", "--without-password", "-o", &mine]);
    registry.ok(&["plugin", "keygen", "--without-password", "-o", &others]);
    let mode = std::fs::metadata(&mine).expect("the key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let line = made
        .lines()
        .next()
        .expect("the line for the file")
        .split('#')
        .next()
        .expect("without the comment");
    let known = trust(&registry, line);
    assert!(
        refused(&registry, &known).is_some_and(|why| why.contains("there is no")),
        "unsigned"
    );
    assert!(signed(&registry, &others, &file, None).status.success());
    assert!(
        refused(&registry, &known).is_some_and(|why| why.contains("is of no key")),
        "signed by another"
    );
    assert!(signed(&registry, &mine, &file, None).status.success());
    assert_eq!(refused(&registry, &known), None);
    let plugin = file.to_str().expect("UTF-8");
    assert!(
        registry
            .ok(&["plugin", "verify", "--trust", &known, plugin])
            .contains("is trusted by")
    );
    // The tool that signatures are named after reads them, where it is installed.
    let public = std::fs::read_to_string(format!("{mine}.pub")).expect("the public key");
    let public = public.lines().nth(1).expect("a key");
    if let Ok(verified) = Command::new("minisign")
        .args(["-V", "-P", public, "-m", plugin])
        .output()
    {
        assert!(verified.status.success(), "{verified:?}");
    }
    let mut bytes = std::fs::read(&file).expect("the plugin");
    bytes.push(0);
    std::fs::write(&file, &bytes).expect("written");
    assert!(
        refused(&registry, &known).is_some_and(|why| why.contains("is of no key")),
        "changed since"
    );
    let said = registry.fails(&["plugin", "verify", "--trust", &known, plugin]);
    assert!(said.contains("is of no key"), "{said}");
    for damaged in [
        "",
        "no signature",
        "untrusted comment: x\nAAAA\ntrusted comment: y\nAAAA\n",
    ] {
        std::fs::write(file.with_extension("so.minisig"), damaged).expect("written");
        assert!(refused(&registry, &known).is_some(), "{damaged}");
    }
}

#[test]
fn a_key_may_have_a_password() {
    let (registry, file) = with_plugin();
    let key = registry.folder.path().join("locked.key").display().to_string();
    let mut keygen = registry.command(&["plugin", "keygen", "-o", &key]);
    let made = keygen.env("LGLP_SIGNING_PASSWORD", "sesame").output().expect("it runs");
    assert!(made.status.success(), "{made:?}");
    assert!(signed(&registry, &key, &file, Some("sesame")).status.success());
    let refused = signed(&registry, &key, &file, Some("another"));
    assert!(!refused.status.success());
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("is it the password?"),
        "{refused:?}"
    );
    let said = registry.fails(&["plugin", "keygen", "-o", &key]);
    assert!(said.contains("is there already"), "{said}");
}

#[test]
fn a_file_that_cannot_be_meant_is_refused() {
    let (registry, _) = with_plugin();
    for (text, words) in [
        ("keys = [\"RW\"]", "is no public key of minisign"),
        ("digests = [\"sha256:12\"]", "digests"),
        ("key = []", "key"),
        ("keys = ", "trust.toml"),
    ] {
        let said = registry.fails(&["plugins", "--trust", &trust(&registry, text)]);
        assert!(said.contains(words), "{text}: {said}");
    }
    let open = trust(&registry, "keys = []");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o666)).expect("set");
    let said = registry.fails(&["plugins", "--trust", &open]);
    assert!(said.contains("everybody may write it"), "{said}");
    let said = registry.fails(&["plugins", "--trust", "no-such-file.toml"]);
    assert!(said.contains("no-such-file.toml"), "{said}");
}

//! Plugins by authors who write no Rust: the header is all that they have.

use lglp_tests::plugins::{compile, listed, plugins_of};
use lglp_tests::{HARDWARE, Registry, root};

/// An example of the SDK.
fn example(name: &str) -> String {
    std::fs::read_to_string(root().join("sdk/examples").join(name)).expect("the example")
}

/// A registry whose plugins have one more, compiled from C.
fn with_plugin(source: &str, file: &str) -> Registry {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    compile(source, &folder.join(file));
    registry.plugins = Some(folder);
    let plugins = registry.json(&["plugins"]);
    let plugin = listed(&plugins, file);
    assert!(plugin["unavailable"].is_null(), "{plugin}");
    registry.import(120);
    registry
}

#[test]
fn an_encoder_reads_choices() {
    let registry = with_plugin(&example("encoder.c"), "encoder_in_c.so");
    let version = registry.train("choices");
    assert!(version["content"]["metrics"]["spearman"].as_f64().expect("a number") > 0.5);
    // Its parameters are checked against its schema, its refusals reach the user.
    let said = registry.fails(&["train", "--hardware", HARDWARE, "--recipe", "choices-wrong"]);
    assert!(said.contains("scale"), "{said}");
}

/// Multiply-accumulates by kind tell nearly all of a latency, and choices as numbers do not: so the operators came across.
#[test]
fn an_encoder_reads_operators() {
    let registry = with_plugin(&example("operators.c"), "operators_in_c.so");
    let version = registry.train("macs-by-kind");
    assert!(
        version["content"]["metrics"]["spearman"].as_f64().expect("a number") > 0.95,
        "{version}"
    );
}

/// Plugins that were built against the first header, whose tables are shorter, load as they are.
#[test]
fn a_plugin_of_an_earlier_version_loads() {
    let whole = "static const LglpEncoderTable encoder = {.create = create, .destroy = free, .shape = shape, .encode = encode};";
    let shorter = "static const struct { void *callbacks[4]; } encoder = {{(void *)create, (void *)free, (void *)shape, (void *)encode}};";
    let example = example("encoder.c");
    assert!(example.contains(whole), "the example has another table");
    let old = example
        .replace(whole, shorter)
        .replace(".encoder = &encoder", ".encoder = (const LglpEncoderTable *)&encoder")
        .replace(".abi_minor = LGLP_ABI_MINOR", ".abi_minor = 0");
    let registry = with_plugin(&old, "old_encoder.so");
    assert!(
        registry.train("choices")["content"]["metrics"]["spearman"]
            .as_f64()
            .expect("a number")
            > 0.5
    );
}

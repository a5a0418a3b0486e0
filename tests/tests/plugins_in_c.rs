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

/// The story: of two components of one name in one plugin the host took both, and the second could never be asked for.
#[test]
fn a_plugin_has_one_component_of_a_name() {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    let example = example("encoder.c");
    let (before, rest) = example.split_once("components[] = {{").expect("the list of components");
    let (component, after) = rest.split_once("}};").expect("its end");
    let twice = format!("{before}components[] = {{{{{component}}}, {{{component}}}}};{after}");
    compile(&twice, &folder.join("twice.so"));
    registry.plugins = Some(folder);
    let plugins = registry.json(&["plugins"]);
    let said = listed(&plugins, "twice.so")["unavailable"].as_str().expect("a reason");
    assert!(
        said.contains("it provides two components of the kind encoder with the name `choices`"),
        "{said}"
    );
}

/// The story: an encoder whose shape is refused was made, and destroyed never.
#[test]
fn an_encoder_is_destroyed_where_its_shape_is_refused() {
    let refusing = example("encoder.c")
        .replace("    *steps = 1;\n", "    *steps = 1;\n    if (*steps == 1) return LGLP_STATUS_FAILED;\n")
        .replace(".destroy = free", ".destroy = destroy")
        .replace(
            "static const LglpEncoderTable",
            "static void destroy(void *instance) {\n    fputs(\"destroyed\\n\", stderr);\n    free(instance);\n}\n\nstatic const LglpEncoderTable",
        );
    let mut registry = with_plugin(&format!("#include <stdio.h>\n{refusing}"), "refusing.so");
    registry.isolation = Some("in-process");
    let said = registry.fails(&["train", "--hardware", HARDWARE, "--recipe", "choices"]);
    assert!(said.contains("destroyed"), "{said}");
}

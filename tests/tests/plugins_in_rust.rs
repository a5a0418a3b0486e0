//! The example that plugin authors begin with: it is built, it loads, and a model learns from it.

use lglp_tests::plugins::{listed, plugins_of};
use lglp_tests::{HARDWARE, Registry, release, root};

const EXAMPLE: &str = "liblglp_example_encoder.so";

/// The example of the page was never built: by its default scale, 0, every model of it was trained on zeros.
#[test]
fn the_example_learns_by_its_defaults() {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    let built = release().join(EXAMPLE);
    std::fs::copy(built, folder.join(EXAMPLE)).expect("`make build` builds the example");
    registry.plugins = Some(folder);
    let plugins = registry.json(&["plugins"]);
    assert!(listed(&plugins, EXAMPLE)["unavailable"].is_null(), "{plugins}");
    registry.import(120);
    let version = registry.train("scaled-choices");
    assert!(version["content"]["metrics"]["spearman"].as_f64().expect("a number") > 0.5);
    let said = registry.fails(&["train", "--hardware", HARDWARE, "--recipe", "scaled-choices-by-0"]);
    assert!(said.contains("scale: expected a number other than 0"), "{said}");
}

#[test]
fn the_page_shows_the_example_as_it_is_built() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect("a file of the SDK");
    let example = read("sdk/examples/encoder/src/lib.rs");
    assert!(read("sdk/README.md").contains(&format!("```rust\n{example}```")));
}

//! The boundary between host and plugins stays what it is: what was built against an earlier header loads into every later host, and each
//! refusal says why.

use std::collections::BTreeSet;
use std::path::Path;

use lglp_tests::plugins::{compile, listed, plugins_of};
use lglp_tests::{Registry, root};

/// Headers as they were published; a further one is added with each minor version, and none is changed.
const VERSIONS: [&str; 5] = ["1.0", "1.1", "1.2", "1.3", "1.4"];

const KINDS: [&str; 4] = ["encoder", "extractor", "regressor", "runtime"];

/// A plugin of each kind, as `lglp plugin new` begins it, against the header of a version.
fn built(folder: &Path, version: &str, kind: &str) -> String {
    let name = format!("{kind}-of-{}", version.replace('.', "-"));
    let source = std::fs::read_to_string(root().join(format!("sdk/templates/c/{kind}.c"))).expect("the template");
    let header = std::fs::read_to_string(root().join(format!("tests/abi/{version}/lglp_plugin.h")));
    let header = header.expect("the header of the version");
    // In the place of today's.
    let source = source
        .replace("#include \"lglp_plugin.h\"", &header)
        .replace("@name@", &name);
    compile(&source, &folder.join(format!("{name}.so")));
    name
}

#[test]
fn plugins_of_every_earlier_version_load_and_learn() {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    let names: Vec<String> = VERSIONS
        .iter()
        .flat_map(|version| KINDS.map(|kind| built(&folder, version, kind)))
        .collect();
    registry.plugins = Some(folder);
    let plugins = registry.json(&["plugins"]);
    for name in &names {
        let plugin = listed(&plugins, &format!("{name}.so"));
        assert_eq!(plugin["description"]["components"][0]["name"], **name, "{plugin}");
    }
    registry.import(120);
    let recipes = registry.folder.path().join("recipes");
    let train = |name: &str, encoder: &str, regressor: &str| {
        let recipe = format!(
            "name = \"{name}\"\ntitle = \"An early plugin\"\n\n[encoder]\nname = \"{encoder}\"\n\n[regressor]\nname = \"{regressor}\"\n"
        );
        std::fs::write(recipes.join(format!("{name}.toml")), recipe).expect("written");
        registry.train(name)["content"]["metrics"]["spearman"]
            .as_f64()
            .expect("a number")
    };
    for version in VERSIONS.map(|version| version.replace('.', "-")) {
        let (encoder, regressor) = (format!("encoder-of-{version}"), format!("regressor-of-{version}"));
        let spearman = train(&format!("linear-on-{version}"), &encoder, "linear");
        assert!(spearman > 0.5, "{version}: {spearman}");
        // Neighbours tell less of 120 architectures.
        let spearman = train(&format!("by-{version}"), &encoder, &regressor);
        assert!(spearman.is_finite(), "{version}: {spearman}");
    }
}

#[test]
fn todays_header_has_its_fixture() {
    let header = std::fs::read_to_string(root().join("sdk/include/lglp_plugin.h")).expect("the header");
    let number = |name: &str| {
        let line = header
            .lines()
            .find(|line| line.starts_with(&format!("#define {name} ")));
        line.and_then(|line| line.rsplit(' ').next())
            .expect("a number")
            .to_owned()
    };
    let version = format!("{}.{}", number("LGLP_ABI_MAJOR"), number("LGLP_ABI_MINOR"));
    assert!(
        VERSIONS.contains(&&*version),
        "put today's header into tests/abi/{version}, and the version into the list"
    );
}

/// The place of the machine in the header of an ELF file, and a machine that this is not.
const ELF_MACHINE: usize = 18;
const OTHER_MACHINE: u8 = if cfg!(target_arch = "aarch64") { 62 } else { 183 };

#[test]
fn each_refusal_has_a_reason_of_its_own() {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    let source = std::fs::read_to_string(root().join("sdk/templates/c/encoder.c")).expect("the template");
    let source = source.replace("@name@", "refused");
    let changed = |from: &str, to: &str, file: &str| {
        assert!(source.contains(from), "{from}");
        compile(&source.replace(from, to), &folder.join(file));
    };
    changed("= LGLP_ABI_MINOR", "= LGLP_ABI_MINOR + 1", "newer.so");
    changed("= LGLP_ABI_MAJOR", "= LGLP_ABI_MAJOR + 1", "major.so");
    changed("= LGLP_MAGIC", "= 1", "magic.so");
    changed("sizeof(LglpPluginTable)", "8", "small.so");
    changed("lglp_plugin = {", "other_name = {", "symbol.so");
    changed(
        ".encoder = &encoder",
        ".runtime = (const LglpRuntimeTable *)&encoder",
        "table.so",
    );
    changed(".kind = LGLP_KIND_ENCODER", ".kind = 99", "kind.so");
    compile(&source, &folder.join("whole.so"));
    let whole = std::fs::read(folder.join("whole.so")).expect("the plugin");
    std::fs::remove_file(folder.join("whole.so")).expect("removed");
    std::fs::write(folder.join("cut-off.so"), &whole[..whole.len() / 3]).expect("written");
    let mut foreign = whole.clone();
    foreign[ELF_MACHINE] = OTHER_MACHINE;
    std::fs::write(folder.join("foreign.so"), foreign).expect("written");
    std::fs::write(folder.join("text.so"), "no plugin").expect("written");
    std::fs::write(folder.join("empty.so"), "").expect("written");
    registry.plugins = Some(folder);
    let plugins = registry.json(&["plugins"]);
    let reason = |file: &str| {
        let reason = listed(&plugins, file)["unavailable"].as_str();
        reason.unwrap_or_else(|| panic!("{file} is taken")).to_owned()
    };
    let expected = [
        ("newer.so", "it was built for plugin ABI 1.5"),
        ("major.so", "it was built for plugin ABI 2.4"),
        ("magic.so", "wrong magic number"),
        ("small.so", "its tables are too small"),
        ("symbol.so", "it exports no symbol `lglp_plugin`"),
        ("table.so", "lacks the table of its kind"),
        ("kind.so", "unknown kind 99"),
        ("cut-off.so", "cut off"),
        ("foreign.so", "for another processor"),
        ("text.so", "no shared library"),
        ("empty.so", "it is empty"),
    ];
    for (file, words) in expected {
        assert!(reason(file).contains(words), "{file}: {}", reason(file));
    }
    let distinct: BTreeSet<String> = expected.map(|(file, _)| reason(file)).into();
    assert_eq!(distinct.len(), expected.len());
}

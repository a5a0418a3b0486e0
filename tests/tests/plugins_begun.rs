//! `lglp plugin new`: what it begins builds, passes its own tests and the checks, and is served as it is.

use std::path::{Path, PathBuf};
use std::process::Command;

use lglp_tests::plugins::{listed, plugins_of};
use lglp_tests::{HARDWARE, Registry, python, release, root};

const KINDS: [&str; 4] = ["encoder", "extractor", "regressor", "runtime"];

/// Begins a plugin in an empty folder, outside of the workspace.
fn begun(registry: &Registry, name: &str, kind: &str, language: &str) -> PathBuf {
    let folder = registry.folder.path().join(name);
    let at = folder.to_str().expect("UTF-8");
    registry.ok(&[
        "plugin",
        "new",
        name,
        "--kind",
        kind,
        "--language",
        language,
        "--output",
        at,
    ]);
    folder
}

fn runs(command: &mut Command) {
    let output = command.output().expect("it starts");
    let said = format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{command:?}\n{said}");
}

/// Puts plugins and their recipes where a registry has its own, and serves the first prediction of each.
fn serve(mut registry: Registry, made: &[(&str, PathBuf, PathBuf)]) {
    let folder = plugins_of(&registry);
    let file_of = |name: &str, plugin: &Path| {
        let suffix = plugin.extension().and_then(|suffix| suffix.to_str()).expect("a suffix");
        format!("{name}.{suffix}")
    };
    for (name, plugin, _) in made {
        std::fs::copy(plugin, folder.join(file_of(name, plugin))).expect("copied");
    }
    registry.plugins = Some(folder);
    let plugins = registry.json(&["plugins"]);
    for (name, plugin, _) in made {
        let plugin = listed(&plugins, &file_of(name, plugin));
        assert_eq!(plugin["description"]["components"][0]["name"], *name, "{plugin}");
    }
    registry.import(120);
    let mut version = 0;
    for (name, _, project) in made {
        let recipe = project.join("recipe.toml");
        if !recipe.exists() {
            continue;
        }
        // Commands have made the folder by now.
        let recipes = registry.folder.path().join("recipes");
        std::fs::copy(&recipe, recipes.join(format!("{name}.toml"))).expect("copied");
        registry.train(name);
        version += 1;
        registry.ok(&["promote", "--hardware", HARDWARE, &version.to_string()]);
        let sampled = registry.ok(&["sample", "--space", "mobilenetv3"]);
        let told = registry.json(&["predict", "--hardware", HARDWARE, sampled.trim()]);
        assert_eq!(told["model"]["recipe"], *name);
        assert!(told["predictions"][0]["latency_ms"].as_f64() > Some(0.0), "{told}");
    }
    assert_eq!(version, 3, "all but the runtime have a recipe");
}

#[test]
fn plugins_in_c_are_whole() {
    let registry = Registry::default();
    let mut made = Vec::new();
    for (kind, name) in KINDS
        .into_iter()
        .zip(["in-c-encoder", "in-c-extractor", "in-c-regressor", "in-c-runtime"])
    {
        let project = begun(&registry, name, kind, "c");
        runs(
            Command::new("make")
                .arg("test")
                .env("LGLP", release().join("lglp"))
                .current_dir(&project),
        );
        made.push((name, project.join(format!("{name}.so")), project));
    }
    serve(registry, &made);
}

/// The interpreter of plugins that are Python programs, with NumPy and scikit-learn.
fn interpreted(registry: &Registry) {
    let settings = format!("[default]\npython = \"{}\"\n", python().display());
    std::fs::write(registry.folder.path().join("plugins.toml"), settings).expect("a file");
}

#[test]
fn plugins_in_python_are_whole() {
    let registry = Registry::default();
    interpreted(&registry);
    let mut made = Vec::new();
    for (kind, name) in KINDS
        .into_iter()
        .zip(["python-encoder", "python-extractor", "python-regressor"])
    {
        let project = begun(&registry, name, kind, "python");
        runs(Command::new(python()).args(["-m", "unittest"]).current_dir(&project));
        let program = project.join(format!("{}.py", name.replace('-', "_")));
        registry.ok(&["plugin", "check", program.to_str().expect("UTF-8"), "--limit", "15"]);
        made.push((name, program, project));
    }
    serve(registry, &made);
    let said = Registry::default().fails(&["plugin", "new", "runs", "--kind", "runtime", "--language", "python"]);
    assert!(said.contains("write it in Rust or C"), "{said}");
}

#[test]
fn plugins_in_rust_are_whole() {
    let registry = Registry::default();
    // One for all of them, and for the next run: the crates that they need are compiled once.
    let target = root().join("target/begun-plugins");
    let mut made = Vec::new();
    for (kind, name) in KINDS
        .into_iter()
        .zip(["rust-encoder", "rust-extractor", "rust-regressor", "rust-runtime"])
    {
        let project = begun(&registry, name, kind, "rust");
        let cargo = |arguments: &[&str]| {
            runs(
                Command::new("cargo")
                    .args(arguments)
                    .args(["--release", "--offline"])
                    .env("CARGO_TARGET_DIR", &target)
                    .current_dir(&project),
            );
        };
        cargo(&["test"]);
        cargo(&["build"]);
        let library = target.join(format!("release/lib{}.so", name.replace('-', "_")));
        registry.ok(&["plugin", "check", library.to_str().expect("UTF-8"), "--limit", "15"]);
        made.push((name, library, project));
    }
    serve(registry, &made);
}

/// A regressor called `regressor` was a type of the name of its trait, and did not compile.
#[test]
fn a_name_may_be_a_word_of_the_template() {
    let registry = Registry::default();
    for (name, kind) in [
        ("regressor", "regressor"),
        ("parameters", "encoder"),
        ("loaded", "runtime"),
        ("self", "extractor"),
    ] {
        let folder = begun(&registry, name, kind, "rust");
        let source = std::fs::read_to_string(folder.join("src/lib.rs")).expect("the source");
        let type_name = source.split("struct ").filter_map(|rest| rest.split([' ', ';']).next());
        let capital = name[..1].to_uppercase() + &name[1..];
        assert!(
            type_name.into_iter().any(|one| one == capital.clone() + "Plugin"),
            "{source}"
        );
    }
    let said = registry.fails(&["plugin", "new", "linear", "--kind", "regressor"]);
    assert!(said.contains("already: take another name"), "{said}");
}

#[test]
fn nothing_is_written_over() {
    let registry = Registry::default();
    let folder = begun(&registry, "first", "encoder", "c");
    let at = folder.to_str().expect("UTF-8");
    let said = registry.fails(&["plugin", "new", "first", "--kind", "encoder", "--output", at]);
    assert!(said.contains("is there already"), "{said}");
    for name in ["First", "1st", "../first", "", "a b"] {
        let said = registry.fails(&["plugin", "new", name, "--kind", "encoder"]);
        assert!(said.contains("a plugin's name has a-z"), "{name}: {said}");
    }
    let said = registry.fails(&["plugin", "new", "second", "--kind", "encoder", "--sdk", at]);
    assert!(said.contains("it is not the folder of the crate lglp-sdk"), "{said}");
    assert!(!Path::new("second").exists());
}

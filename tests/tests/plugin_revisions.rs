//! Builds of one plugin, side by side: a version goes on with the one that it was fitted with.

use std::path::{Path, PathBuf};

use lglp_tests::plugins::{compile, listed, plugins_of};
use lglp_tests::{HARDWARE, Registry, Server, readable};
use serde_json::{Value, json};

const RECIPE: &str = "name = \"builds\"\ntitle = \"Of one build or another\"\n\n[encoder]\nname = \"rows-builds\"\n\n\
                      [regressor]\nname = \"mean-builds\"\n";

/// Compiles a build of the plugin, under a name that is not its file's, and puts it in the place of another, whole.
fn build(folder: &Path, file: &str, plugin: &str, factor: u32, fault: &str) {
    let source = include_str!("../plugins/hostile.c").replace("sizeof NAME - 1", "sizeof PLUGIN - 1");
    let source = source.replace(
        "NAME_IS_NO_TEXT ? \"\\xff\\xfe\" : NAME",
        "NAME_IS_NO_TEXT ? \"\\xff\\xfe\" : PLUGIN",
    );
    let source = format!(
        "#define FAULT {fault}\n#define NAME \"builds\"\n#define PLUGIN \"{plugin}\"\n#define FACTOR {factor}\n{source}"
    );
    let made = folder.join("made");
    compile(&source, &made);
    std::fs::rename(made, folder.join(file)).expect("a file");
}

fn with_plugin() -> (Registry, PathBuf) {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    build(&folder, "builds.so", "first", 1, "NONE");
    registry.plugins = Some(folder.clone());
    registry.import(60);
    std::fs::write(registry.folder.path().join("recipes/builds.toml"), RECIPE).expect("a file");
    (registry, folder)
}

/// What a version predicts.
fn predicted(server: &Server, version: u32) -> f64 {
    let body = json!({ "model": version.to_string(), "architectures": [readable(320, 2, 5, 4)] }).to_string();
    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/predict"), &body);
    assert_eq!(status, 200, "{answer}");
    answer["predictions"][0]["latency_ms"].as_f64().expect("ms")
}

fn rescan(server: &Server, query: &str) -> Value {
    let (status, told) = server.post(&format!("/v1/plugins/rescan{query}"), "");
    assert_eq!(status, 200, "{told}");
    told
}

/// What these builds predict is of no use, which is not what the test is about.
const UNCHECKED: &str = "?unchecked=true";

/// A plugin's upgrade made every older version unloadable, or, worse, had it say something else.
#[test]
fn a_version_goes_on_with_its_build_and_new_ones_have_the_new_one() {
    let (registry, folder) = with_plugin();
    registry.train("builds");
    let server = registry.serve();
    let first = predicted(&server, 1);
    assert_eq!(
        rescan(&server, ""),
        json!({ "taken_up": [], "gone": [], "left": {}, "unchecked": {} })
    );
    build(&folder, "builds.so", "first", 2, "NONE");
    assert_eq!(predicted(&server, 1), first);
    assert_eq!(rescan(&server, UNCHECKED)["taken_up"], json!(["builds.so"]));
    assert_eq!(predicted(&server, 1), first);
    let (status, job) = server.post(
        &format!("/v1/{HARDWARE}/jobs"),
        &json!({ "kind": "train", "parameters": { "recipe": "builds" } }).to_string(),
    );
    assert_eq!(status, 202, "{job}");
    server.wait(&format!("/v1/jobs/{}", job["id"]), |job| job["state"] == "succeeded");
    assert_eq!(predicted(&server, 2), 2.0 * first);
    assert_eq!(server.terminate(), Some(0));
    // Across a restart, too, and where the plugin is gone altogether.
    let server = registry.serve();
    assert_eq!((predicted(&server, 1), predicted(&server, 2)), (first, 2.0 * first));
    std::fs::remove_file(folder.join("builds.so")).expect("a file");
    assert_eq!(rescan(&server, "")["gone"], json!(["builds.so"]));
    assert_eq!((predicted(&server, 1), predicted(&server, 2)), (first, 2.0 * first));
    assert_eq!(server.terminate(), Some(0));
    let server = registry.serve();
    assert_eq!((predicted(&server, 1), predicted(&server, 2)), (first, 2.0 * first));
    let said = registry.fails(&["train", "--hardware", HARDWARE, "--recipe", "builds"]);
    assert!(said.contains("no encoder `rows-builds`"), "{said}");
}

#[test]
fn a_build_that_cannot_be_used_leaves_the_former_one() {
    let (registry, folder) = with_plugin();
    registry.train("builds");
    let server = registry.serve();
    let first = predicted(&server, 1);
    build(&folder, "builds.so", "first", 2, "ABORTS_AT_LOAD");
    build(&folder, "another.so", "another", 2, "EXITS_AT_LOAD");
    std::fs::write(folder.join("liblglp_plugin_command.so"), "no library").expect("a file");
    let told = rescan(&server, "");
    assert_eq!(told["taken_up"], json!([]), "{told}");
    for (file, reason) in [
        ("builds.so", "signal 6"),
        ("another.so", "status 0"),
        ("liblglp_plugin_command.so", "no shared library"),
    ] {
        assert!(
            told["left"][file].as_str().unwrap_or_default().contains(reason),
            "{told}"
        );
    }
    assert_eq!(predicted(&server, 1), first);
    let (_, plugins) = server.get("/v1/plugins");
    assert!(listed(&plugins, "builds.so")["unavailable"].is_null(), "{plugins}");
    assert!(!listed(&plugins, "another.so")["unavailable"].is_null(), "{plugins}");
    registry.ok(&["plugin", "rescan"]);
}

/// An encoder that has the fault, under a file's name.
fn encoder(folder: &Path, file: &str, fault: &str) {
    let made = folder.join("made");
    let source = include_str!("../plugins/faulty.c");
    compile(&format!("#define FAULT {fault}\n{source}"), &made);
    std::fs::rename(made, folder.join(file)).expect("a file");
}

/// What `lglp plugin install` refuses came in all the same where it was copied to the folder by hand.
#[test]
fn a_build_that_breaks_the_contract_is_not_taken_up() {
    let (registry, folder) = with_plugin();
    let server = registry.serve();
    encoder(&folder, "choices.so", "NONE");
    // The regressor predicts twice the mean, and so worse than the mean.
    build(&folder, "builds.so", "first", 2, "NONE");
    let told = rescan(&server, "");
    assert_eq!(told["taken_up"], json!(["choices.so"]), "{told}");
    let why = told["left"]["builds.so"].as_str().unwrap_or_default();
    assert!(
        why.contains("`mean-builds` does not keep to the contract of plugins (learns"),
        "{told}"
    );
    let digests = |server: &Server| {
        let (_, plugins) = server.get("/v1/plugins");
        ["builds.so", "choices.so"].map(|file| listed(&plugins, file)["sha256"].clone())
    };
    let before = digests(&server);
    for (fault, check) in [("RANDOM", "deterministic"), ("SEGFAULTS", "shapes")] {
        encoder(&folder, "choices.so", fault);
        let told = rescan(&server, "");
        assert_eq!(told["taken_up"], json!([]), "{told}");
        let why = told["left"]["choices.so"].as_str().unwrap_or_default();
        assert!(why.contains(check), "{told}");
        assert_eq!(digests(&server), before);
    }
    let said = registry.ok(&["plugin", "rescan", "--unchecked"]);
    assert!(said.contains("choices.so is taken up"), "{said}");
    let after = digests(&server);
    assert!(after[0] != before[0] && after[1] != before[1]);
    let (status, answer) = server.post("/v1/plugins/rescan?unchecked=perhaps", "");
    assert_eq!(status, 400, "{answer}");
}

/// What needs settings is taken up, and said not to have been looked at.
#[test]
fn what_a_rescan_cannot_check_is_said() {
    let (registry, folder) = with_plugin();
    let server = registry.serve();
    let ours = folder.join("liblglp_plugin_command.so");
    // Of other bytes than what ships, so that it is somebody's plugin.
    let mut bytes = std::fs::read(&ours).expect("a file");
    bytes.push(0);
    std::fs::remove_file(ours).expect("a file");
    std::fs::write(folder.join("mine.so"), bytes).expect("a file");
    let told = rescan(&server, "");
    assert_eq!(told["taken_up"], json!(["mine.so"]), "{told}");
    assert_eq!(told["gone"], json!(["liblglp_plugin_command.so"]), "{told}");
    let why = told["unchecked"]["mine.so"].as_str().unwrap_or_default();
    assert!(why.starts_with("`command`: "), "{told}");
}

/// Nobody who writes to what is kept has a version run something else: it is looked at as what comes from the plugin folder is.
#[test]
fn what_is_kept_is_run_only_as_it_was() {
    let (registry, folder) = with_plugin();
    registry.train("builds");
    let plugins = registry.json(&["plugins"]);
    let digest = listed(&plugins, "builds.so")["sha256"]
        .as_str()
        .expect("a digest")
        .to_owned();
    build(&folder, "builds.so", "first", 2, "NONE");
    let kept = registry
        .path()
        .join("plugins")
        .join(digest.trim_start_matches("sha256:"));
    let file = kept.join("builds.so");
    assert!(file.exists(), "{}", kept.display());
    // Of a digest that the owner does not trust, though that of the plugin folder is.
    let plugins = registry.json(&["plugins"]);
    let trusted = registry.folder.path().join("trust.toml");
    let digests: Vec<Value> = plugins["plugins"]
        .as_array()
        .expect("plugins")
        .iter()
        .map(|one| one["sha256"].clone())
        .collect();
    std::fs::write(&trusted, format!("digests = {}", json!(digests))).expect("a file");
    let server = registry.serve_with(&["--trust", trusted.to_str().expect("UTF-8")]);
    let body = json!({ "model": "1", "architectures": [readable(320, 2, 5, 4)] }).to_string();
    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/predict"), &body);
    // The new build says something else than was recorded at training, which is noticed.
    assert_eq!(
        (status, &answer["type"]),
        (503, &json!("urn:lglp:problem:version-unusable")),
        "{answer}"
    );
    drop(server);
    std::fs::write(&file, std::fs::read(folder.join("builds.so")).expect("a file")).expect("a file");
    let server = registry.serve();
    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/predict"), &body);
    assert_eq!(status, 503, "{answer}");
}

/// Another build that says the same is what a version may be bound to, and no other.
#[test]
fn a_version_is_bound_to_a_build_that_predicts_the_same() {
    let (registry, folder) = with_plugin();
    registry.train("builds");
    let rebind = ["models", "rebind", "--hardware", HARDWARE, "1"];
    let said = registry.fails(&rebind);
    assert!(said.contains("there is nothing to bind it to"), "{said}");
    build(&folder, "builds.so", "first", 2, "NONE");
    let said = registry.fails(&rebind);
    assert!(
        said.contains("the builds predict something else") || said.contains("predicted"),
        "{said}"
    );
    // Of other bytes, and the same in all it does to architectures of the usual size.
    build(&folder, "builds.so", "first", 1, "NOT_A_NUMBER");
    let server = registry.serve();
    let first = predicted(&server, 1);
    let (status, rebound) = server.post(&format!("/v1/{HARDWARE}/models/1/rebind"), "{}");
    assert_eq!(status, 201, "{rebound}");
    assert_eq!(
        (
            &rebound["version"],
            &rebound["compared"],
            &rebound["largest_difference"]
        ),
        (&json!(2), &json!(1000), &json!(0.0))
    );
    assert_eq!(predicted(&server, 2), first);
    let versions = [1, 2].map(|version| server.get(&format!("/v1/{HARDWARE}/models/{version}")).1);
    assert_eq!(versions[1]["content"]["rebound_from"], versions[0]["digest"]);
    assert_ne!(versions[1]["content"]["plugins"], versions[0]["content"]["plugins"]);
    assert_eq!(versions[1]["content"]["artifacts"], versions[0]["content"]["artifacts"]);
    drop(server);
    let said = registry.ok(&["models", "rebind", "--hardware", HARDWARE, "1", "--tolerance", "1e-6"]);
    assert!(said.contains("version 3 is version 1 with these builds"), "{said}");
}

/// The Rust and the C example could not be installed together.
#[test]
fn components_of_one_name_are_told_apart_by_their_plugins() {
    let (registry, folder) = with_plugin();
    build(&folder, "other.so", "second", 3, "NONE");
    let said = registry.fails(&["train", "--hardware", HARDWARE, "--recipe", "builds"]);
    assert!(
        said.contains("the encoder `rows-builds` is provided by the plugins first, second")
            && said.contains("plugin ="),
        "{said}"
    );
    for plugin in ["first", "second"] {
        let named = RECIPE.replace("\"builds\"\ntitle", &format!("\"{plugin}\"\ntitle"));
        let named = named.replace("rows-builds\"", &format!("rows-builds\"\nplugin = \"{plugin}\""));
        let named = named.replace("mean-builds\"", &format!("mean-builds\"\nplugin = \"{plugin}\""));
        std::fs::write(registry.folder.path().join(format!("recipes/{plugin}.toml")), named).expect("a file");
        let version = registry.train(plugin);
        assert!(
            version["content"]["plugins"]
                .to_string()
                .contains(&format!("\"plugin\":\"{plugin}\"")),
            "{}",
            version["content"]["plugins"]
        );
    }
    let server = registry.serve();
    let ratio = predicted(&server, 2) / predicted(&server, 1);
    assert!((ratio - 3.0).abs() < 1e-12, "{ratio}");
    drop(server);
    std::fs::copy(folder.join("other.so"), folder.join("third.so")).expect("a copy");
    let plugins = registry.json(&["plugins"]);
    let said = listed(&plugins, "third.so")["unavailable"].to_string();
    assert!(said.contains("already provided by the plugin `second`"), "{said}");
}

//! Bundles: a version leaves one server and arrives on another as it was, or not at all.

use std::path::{Path, PathBuf};

use lglp_registry::Digest;
use lglp_tests::bundle::{Entry, entries, pack};
use lglp_tests::{HARDWARE, Registry, Server, release, root, sample};
use serde_json::{Value, json};

/// A registry with one version, and its bundle.
struct Origin {
    registry: Registry,
    file: PathBuf,
    bytes: Vec<u8>,
}

impl Origin {
    fn new() -> Self {
        let registry = Registry::with_production("gbdt");
        let file = registry.folder.path().join("1.lglp");
        registry.ok(&["models", "export", "--hardware", HARDWARE, "1", "-o", text(&file)]);
        let bytes = std::fs::read(&file).expect("the bundle");
        Self { registry, file, bytes }
    }

    fn path(&self) -> &str {
        text(&self.file)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Status and body of an import over HTTP.
fn post(server: &Server, query: &str, bundle: &[u8]) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let url = format!("{}/v1/{HARDWARE}/models/import{query}", server.base);
    let mut response = agent.post(&url).send(bundle).expect("an answer");
    let body = response.body_mut().read_json().expect("JSON");
    (response.status().as_u16(), body)
}

fn predictions(server: &Server, architectures: &[String], version: u64) -> Value {
    let body = json!({ "architectures": architectures, "model": version }).to_string();
    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/predict"), &body);
    assert_eq!(status, 200, "{answer}");
    answer["predictions"].clone()
}

/// Nothing at all is in the registry of a server that was empty.
fn assert_empty(server: &Server) {
    assert_eq!(server.get("/v1/hardware").1["hardware"], json!([]));
    assert_eq!(server.get("/v1/audit").1, json!([]));
}

#[test]
fn a_version_arrives_as_it_was_and_predicts_the_same() {
    let origin = Origin::new();
    let alone = Registry::default();
    let by_hand = alone.json(&["models", "import", origin.path()]);

    let here = origin.registry.serve();
    let again = origin.registry.folder.path().join("again.lglp");
    let export = |force: &[&str]| {
        let arguments = ["models", "export", "--hardware", HARDWARE, "1", "-o", text(&again)];
        origin.registry.run(&[&arguments, force, &["--json"]].concat())
    };
    let said: Value = serde_json::from_slice(&export(&[]).stdout).expect("JSON");
    assert_eq!(
        std::fs::read(&again).expect("the bundle"),
        origin.bytes,
        "a version has one bundle, whoever makes it"
    );
    assert_eq!(said["sha256"], Digest::of(&origin.bytes).as_str());
    assert!(!export(&[]).status.success() && export(&["--force"]).status.success());

    let other = Registry::default();
    let there = other.serve();
    let sha256 = said["sha256"].as_str().expect("a digest");
    let said = other.fails(&["models", "import", origin.path(), "--sha256", &"0".repeat(64)]);
    assert!(said.contains(sha256) && said.contains(&"0".repeat(64)), "{said}");
    let version = other.json(&["models", "import", origin.path(), "--sha256", sha256]);
    let architectures = sample(100, 7);
    assert_eq!(
        predictions(&here, &architectures, 1),
        predictions(&there, &architectures, 1)
    );

    let before = here.get(&format!("/v1/{HARDWARE}/models/1")).1;
    let expected = json!([{
        "hardware": HARDWARE, "version": 1, "digest": before["digest"], "creator": before["content"]["creator"],
        "created_at": before["created_at"], "bundle": sha256,
    }]);
    assert_eq!(version["content"]["imported"], expected);
    for field in [
        "recipe",
        "dataset",
        "plugins",
        "metrics",
        "artifacts",
        "training_log",
        "split",
        "seed",
        "residuals",
    ] {
        assert_eq!(version["content"][field], before["content"][field], "{field}");
    }
    assert_eq!(
        by_hand["content"], version["content"],
        "a command does what a server does"
    );
    for path in ["/v1/hardware/xeon-1t", "/v1/xeon-1t/datasets"] {
        let [mut a, mut b] = [&here, &there].map(|server| server.get(path).1);
        for value in [&mut a, &mut b] {
            let record = if value.is_array() { &mut value[0] } else { value };
            record["created_at"] = Value::Null;
        }
        assert_eq!(a, b, "{path}");
    }

    // Twice is once, whoever repeats it.
    assert_eq!(post(&there, "", &origin.bytes), (200, version.clone()));
    assert_eq!(post(&there, "?actor=somebody", &origin.bytes), (200, version.clone()));
    let models = there.get(&format!("/v1/{HARDWARE}/models")).1;
    assert_eq!(models["versions"].as_array().map(Vec::len), Some(1));

    // Onwards from there, it remembers both.
    let onwards = other.folder.path().join("onwards.lglp");
    other.ok(&["models", "export", "--hardware", HARDWARE, "1", "-o", text(&onwards)]);
    let version = Registry::default().json(&["models", "import", text(&onwards)]);
    let steps = version["content"]["imported"].as_array().expect("steps");
    assert_eq!((steps.len(), &steps[0]), (2, &expected[0]));
    there.get("/v1/audit/head");
}

#[test]
fn damaged_and_forged_bundles_leave_nothing_behind() {
    let origin = Origin::new();
    let registry = Registry::default();
    let server = registry.serve();
    let refused = |bundle: &[u8], why: &str| {
        let (status, problem) = post(&server, "?accept_other_plugins=true", bundle);
        assert_eq!(
            (status, problem["type"].as_str()),
            (422, Some("urn:lglp:problem:invalid-bundle")),
            "{why}: {problem}"
        );
        problem["detail"].as_str().expect("a detail").to_owned()
    };
    let entries = entries(&origin.bytes);
    assert!(entries.len() >= 4 && pack(&entries[..entries.len() - 1]) == origin.bytes);

    // A bit in every entry's header, content and padding, and in the end; the unit tests take every bit of a small archive.
    let mut at = 0;
    for (name, content) in &entries {
        for place in [
            at,
            at + 150,
            at + 512,
            at + 512 + content.len() - 1,
            at + 512 + content.len(),
        ] {
            let mut damaged = origin.bytes.clone();
            damaged[place] ^= 4;
            refused(&damaged, &format!("byte {place}, {name}"));
        }
        at += 512 + content.len().next_multiple_of(512);
    }
    for length in [0, 1, 511, 512, at / 2, at, at + 512, origin.bytes.len() - 1] {
        refused(&origin.bytes[..length], &format!("{length} bytes"));
    }
    refused(&[origin.bytes.as_slice(), &[0]].concat(), "one byte more");
    refused(&[&origin.bytes[..], &origin.bytes[..]].concat(), "twice");

    // Forged ones, whose checksums hold.
    let parts = &entries[..entries.len() - 1];
    let forged = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut parts = parts.to_vec();
        change(&mut parts);
        pack(&parts)
    };
    let manifest = |pointer: &'static str, value: Value| {
        forged(&|parts| {
            let mut manifest: Value = serde_json::from_slice(&parts[0].1).expect("JSON");
            *manifest.pointer_mut(pointer).expect("a field") = value.clone();
            parts[0].1 = serde_json::to_vec(&manifest).expect("JSON");
        })
    };
    for name in [
        "../evil",
        "/tmp/evil",
        "blobs/../../evil",
        "blobs/evil",
        "manifest.json",
        "SHA256SUMS",
    ] {
        refused(&forged(&|parts| parts.push((name.into(), b"x".to_vec()))), name);
    }
    refused(&forged(&|parts| drop(parts.pop())), "a blob is missing");
    refused(&forged(&|parts| parts.swap(1, 2)), "another order");
    refused(&forged(&|parts| parts.push(parts[1].clone())), "a blob twice");
    let said = refused(&forged(&|parts| parts[1].1[0] ^= 1), "another model");
    assert!(said.contains("has not the SHA-256 of its name"), "{said}");
    let said = refused(
        &manifest("/version/content/metrics/mape", json!(0.1)),
        "a better metric",
    );
    assert!(said.contains("the version's content has the digest"), "{said}");
    for (pointer, value) in [
        ("/format", json!("tar")),
        ("/blobs/0/bytes", json!(1)),
        ("/blobs/0/role", json!("artifacts.extractor")),
        ("/blobs", json!([])),
        ("/hardware/name", json!("another")),
        ("/hardware/name", json!("../another")),
        ("/hardware/runtime", json!("")),
        ("/dataset/space", json!("ofa-mobilenetv3")),
        ("/dataset/rows", json!(7)),
        ("/version", Value::Null),
    ] {
        refused(&manifest(pointer, value), pointer);
    }
    // Numbers begin at 1, and times are times.
    for (pointer, value) in [
        ("/version/version", json!(0)),
        ("/version/version", json!(-1)),
        ("/version/version", json!(4_294_967_296u64)),
        ("/version/created_at", json!("yesterday")),
        ("/dataset/created_at", json!("")),
        ("/hardware/created_at", json!("2026-13-01T00:00:00Z")),
    ] {
        refused(&manifest(pointer, value), pointer);
    }
    // The same content in other bytes.
    let rewritten = |change: &dyn Fn(&str) -> String| {
        forged(&|parts| {
            let text = String::from_utf8(parts[0].1.clone()).expect("UTF-8");
            parts[0].1 = change(&text).into_bytes();
        })
    };
    assert_eq!(rewritten(&|text| text.to_owned()), origin.bytes);
    let again = |text: &str| {
        let manifest: Value = serde_json::from_str(text).expect("JSON");
        serde_json::to_string_pretty(&manifest).expect("JSON")
    };
    for (change, why) in [
        (&again as &dyn Fn(&str) -> String, "with spaces"),
        (&|text| format!("{text}\n"), "with a line's end"),
        (&|text| format!(" {text}"), "behind a space"),
        (&|text| text.replacen('{', "{\"another\":1,", 1), "with another field"),
        (
            &|text| text.replacen("\"version\":{", "\"version\":{\"another\":1,", 1),
            "with another field within",
        ),
        (
            &|text| text.replacen("\"dataset\":{", "\"dataset\":{\"rows\":1,", 1),
            "with a field twice",
        ),
        (&|text| text.replacen("lglp", "\\u006cglp", 1), "with an escape"),
    ] {
        let said = refused(&rewritten(change), why);
        assert!(said.contains("manifest.json"), "{why}: {said}");
    }
    let said = refused(&manifest("/format_version", json!(2)), "a later format");
    assert!(said.contains("format 2") && said.contains("a newer lglp"), "{said}");

    // Commands say the same without a server's help.
    let file = registry.folder.path().join("damaged.lglp");
    std::fs::write(&file, &origin.bytes[..origin.bytes.len() / 2]).expect("a file");
    let said = registry.fails(&["models", "import", text(&file)]);
    assert!(
        said.contains("damaged.lglp") && said.contains("the bundle is damaged"),
        "{said}"
    );
    assert_empty(&server);
    assert_eq!(post(&server, "", &origin.bytes).0, 201, "the whole one is taken");
}

#[test]
fn other_plugins_are_refused_until_they_are_accepted() {
    let origin = Origin::new();
    let mut registry = Registry::default();
    let folder = registry.folder.path().join("plugins");
    std::fs::create_dir_all(&folder).expect("a folder");
    for file in std::fs::read_dir(release().join("plugins")).expect("`make build` builds the plugins") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), folder.join(file.file_name())).expect("a copy");
    }
    let regressor = folder.join("liblglp_plugin_classical.so");
    let mut bytes = std::fs::read(&regressor).expect("the plugin");
    let fitted_with = Digest::of(&bytes);
    // The loader does not mind, but it is another file.
    bytes.push(0);
    std::fs::write(&regressor, &bytes).expect("a file");
    let loaded = Digest::of(&bytes);
    registry.plugins = Some(folder);

    let said = registry.fails(&["models", "import", origin.path()]);
    for part in ["gbdt", fitted_with.as_str(), loaded.as_str(), "--accept-other-plugins"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert!(!said.contains("encoder"), "the encoder's plugin is the same: {said}");
    let server = registry.serve();
    let (status, problem) = post(&server, "", &origin.bytes);
    assert_eq!(
        (status, problem["type"].as_str()),
        (409, Some("urn:lglp:problem:other-plugins")),
        "{problem}"
    );
    assert_empty(&server);

    let version = registry.json(&["models", "import", origin.path(), "--accept-other-plugins"]);
    assert_eq!(version["version"], 1);
    let lineage = server.get(&format!("/v1/{HARDWARE}/models/1/lineage")).1;
    let plugins = lineage["plugins"].as_array().expect("plugins");
    let traced: Vec<(&Value, &Value)> = plugins
        .iter()
        .map(|p| (&p["fitted_with"]["kind"], &p["state"]))
        .collect();
    assert_eq!(
        traced,
        [
            (&json!("encoder"), &json!("same")),
            (&json!("regressor"), &json!("other"))
        ]
    );
    assert_eq!(plugins[1]["fitted_with"]["sha256"], fitted_with.as_str());
    assert_eq!(plugins[1]["loaded_sha256"], loaded.as_str());
    let architectures = sample(10, 8);
    let here = origin.registry.serve();
    assert_eq!(
        predictions(&here, &architectures, 1),
        predictions(&server, &architectures, 1)
    );
    drop(server);

    let mut without = Registry::default();
    std::fs::remove_file(&regressor).expect("the plugin");
    without.plugins = registry.plugins.clone();
    let said = without.fails(&["models", "import", origin.path(), "--accept-other-plugins"]);
    assert!(said.contains("no plugin here provides the regressor `gbdt`"), "{said}");
    assert_eq!(without.json(&["hardware"]), json!([]));
}

#[test]
fn a_name_that_stands_for_another_machine_or_space_is_refused() {
    let origin = Origin::new();
    let registry = Registry::default();
    let mut machine: Value = {
        let shipped = std::fs::read_to_string(root().join("datasets").join(HARDWARE).join("hardware.json"));
        serde_json::from_str(&shipped.expect("the shipped dataset")).expect("JSON")
    };
    machine["fingerprint"]["cpu"] = json!("a toaster's");
    let server = registry.serve();
    let put = |machine: &Value| {
        let name = machine["name"].as_str().expect("a name");
        let json = [("Content-Type", "application/json")];
        server.call(
            "PUT",
            &format!("/v1/hardware/{name}"),
            &json,
            Some(&machine.to_string()),
        )
    };
    assert!(put(&machine).0 < 300);
    let (status, problem) = post(&server, "", &origin.bytes);
    assert_eq!(
        (status, problem["type"].as_str()),
        (409, Some("urn:lglp:problem:other-machine")),
        "{problem}"
    );
    let said = registry.fails(&["models", "import", origin.path()]);
    for part in [
        "/fingerprint/cpu",
        "a toaster's",
        "Intel(R) Xeon(R)",
        "--hardware OTHER",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert_eq!(server.get(&format!("/v1/{HARDWARE}/models")).1["versions"], json!([]));
    let version = registry.json(&["models", "import", origin.path(), "--hardware", "lab-xeon"]);
    assert_eq!(
        (&version["hardware"], &version["version"]),
        (&json!("lab-xeon"), &json!(1))
    );
    assert_eq!(version["content"]["imported"][0]["hardware"], HARDWARE);

    let spaces = registry.folder.path().join("spaces");
    std::fs::create_dir_all(&spaces).expect("a folder");
    let definition = std::fs::read_to_string(root().join("catalog/spaces/mobilenetv3.toml")).expect("the space");
    let import = |registry: &Registry| registry.fails(&["models", "import", origin.path(), "--spaces", text(&spaces)]);
    let other = Registry::default();
    std::fs::write(
        spaces.join("mobilenetv3.toml"),
        definition.replacen("768, 1024]", "768, 1056]", 1),
    )
    .expect("a file");
    let said = import(&other);
    assert!(
        said.contains("the space `mobilenetv3` is defined otherwise here"),
        "{said}"
    );
    std::fs::remove_file(spaces.join("mobilenetv3.toml")).expect("the space");
    std::fs::copy(
        root().join("catalog/spaces/ofa-mobilenetv3.toml"),
        spaces.join("ofa-mobilenetv3.toml"),
    )
    .expect("a copy");
    let said = import(&other);
    assert!(
        said.contains("no search space `mobilenetv3`") && said.contains("mobilenetv3.toml"),
        "{said}"
    );
    assert_eq!(other.json(&["hardware"]), json!([]));
}

/// Where the target has versions of its own, an import is the next of them and their dataset stays as it is. Of several who
/// import one bundle at once, one creates the version and all get it.
#[test]
fn an_import_stands_beside_what_was_trained_there() {
    let origin = Origin::new();
    let registry = Registry::default();
    registry.import(120);
    registry.train("gbdt");
    let server = registry.serve();
    let answers: Vec<(u16, Value)> = std::thread::scope(|scope| {
        let (server, bytes) = (&server, &origin.bytes);
        let import = move |at: usize| post(server, &format!("?actor=importer-{at}"), bytes);
        let threads: Vec<_> = (0..4).map(|at| scope.spawn(move || import(at))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("an answer"))
            .collect()
    });
    let created: Vec<_> = answers.iter().filter(|(status, _)| *status == 201).collect();
    assert_eq!(created.len(), 1, "{answers:?}");
    assert_eq!(created[0].1["version"], 2);
    for (status, version) in &answers {
        assert!([200, 201].contains(status), "{version}");
        assert_eq!(*version, created[0].1);
    }
    registry.train("gbdt");
    let datasets = server.get(&format!("/v1/{HARDWARE}/datasets")).1;
    assert_eq!(
        datasets.as_array().map(Vec::len),
        Some(1),
        "the same rows are the same dataset"
    );
    let head = server.get("/v1/audit/head");
    assert_eq!(head.0, 200, "{}", head.1);
}

#[test]
fn a_bundle_beyond_the_limit_of_requests_is_told_the_way_in() {
    let registry = Registry::default();
    let server = registry.serve();
    // The server answers by the length that is announced, before anything of it is sent.
    let mut stream = std::net::TcpStream::connect(server.base.trim_start_matches("http://")).expect("a connection");
    let head = format!(
        "POST /v1/{HARDWARE}/models/import HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n",
        (64 << 20) + 1
    );
    std::io::Write::write_all(&mut stream, head.as_bytes()).expect("a request");
    let mut answer = vec![0; 4096];
    let mut length = 0;
    while !String::from_utf8_lossy(&answer[..length]).contains('}') {
        let read = std::io::Read::read(&mut stream, &mut answer[length..]).expect("an answer");
        assert!(read > 0, "the answer ends too early");
        length += read;
    }
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(
        answer.starts_with("HTTP/1.1 413") && answer.contains("lglp models import FILE"),
        "{answer}"
    );
}

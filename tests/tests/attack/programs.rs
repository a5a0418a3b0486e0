//! Starting a program on the server's machine, or loading a library there, by a request.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use lglp_registry::prelude::*;
use lglp_registry::{HolderInfo, NewHardware, SledStore};
use lglp_tests::{HARDWARE, Registry, Server};
use serde_json::{Value, json};

use super::staff::{Staff, call, ended, measuring, registration};

/// A program that leaves a mark, by which its start is known.
struct Trap {
    folder: tempfile::TempDir,
}

impl Trap {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let trap = Self { folder };
        let program = trap.path("program");
        std::fs::write(&program, format!("#!/bin/sh\ntouch {}\n", trap.path("mark").display())).expect("a file");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        trap
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn mark(&self) -> PathBuf {
        self.path("mark")
    }

    /// A library that leaves the mark when it is loaded.
    fn library(&self) -> PathBuf {
        let (source, library) = (self.path("trap.c"), self.path("libtrap.so"));
        let mark = self.mark();
        let text = format!(
            "#include <stdio.h>\n__attribute__((constructor)) static void sprung(void) {{ fclose(fopen(\"{}\", \"w\")); }}\n",
            mark.display()
        );
        std::fs::write(&source, text).expect("a file");
        let mut compiler = Command::new("cc");
        let compiled = compiler
            .args(["-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(&source)
            .status();
        assert!(compiled.expect("a C compiler").success());
        library
    }

    /// Settings of runtimes, each of which starts the program or loads the library.
    fn baits(&self) -> Vec<(&'static str, &'static str, Value)> {
        let (program, library) = (self.path("program"), self.library());
        vec![
            (
                "command",
                "command",
                json!({ "command": ["sh", "-c", format!("touch {}", self.mark().display()), "{onnx}"] }),
            ),
            ("command", "preset", json!({ "preset": "trtexec", "program": program })),
            ("command", "preset", json!({ "preset": "python" })),
            ("command", "convert", json!({ "convert": [program, "{onnx}"] })),
            (
                "command",
                "environment",
                json!({ "environment": { "LD_PRELOAD": library } }),
            ),
            (
                "command",
                "arguments",
                json!({ "arguments": ["--timingCacheFile=/etc/passwd"] }),
            ),
            ("tensorrt", "driver", json!({ "driver": library })),
            ("tensorrt", "trtexec", json!({ "trtexec": program, "route": "trtexec" })),
            ("tensorrt", "library", json!({ "library": library, "route": "library" })),
            ("tensorrt", "cache", json!({ "cache": self.path("cache") })),
        ]
    }

    #[track_caller]
    fn not_sprung(&self, how: &str) {
        assert!(!self.mark().exists(), "the server started the program: {how}");
        assert!(
            !self.path("cache").exists(),
            "the server made a folder of the caller's choice: {how}"
        );
    }
}

/// What a target with these settings is put as.
fn description(name: &str, runtime: &str, settings: &Value) -> Value {
    json!({ "name": name, "runtime": runtime, "settings": settings, "fingerprint": machine(), "reference": null })
}

/// This machine, as a worker on it tells.
fn machine() -> Value {
    static MACHINE: OnceLock<Value> = OnceLock::new();
    let looked_at = MACHINE.get_or_init(|| {
        let registry = Registry::default();
        let arguments = "measure --hardware here --space ofa-mobilenetv3 --count 1 --budget 0.1";
        registry.ok(&arguments.split(' ').collect::<Vec<_>>());
        let mut machine = registry.json(&["hardware"])[0]["fingerprint"].clone();
        machine.as_object_mut().expect("an object").remove("runtime");
        machine
    });
    looked_at.clone()
}

/// An operator, whose token was even confined to one target, put a measuring job whose settings named `sh -c ...`, and the
/// server ran that as its own account. A worker did the same by the `setup` of a target, and left it to an operator's ordinary
/// job to spring it. Settings may come by every route that describes a target.
#[test]
fn no_request_of_anybody_starts_a_program_or_opens_a_library() {
    let (registry, trap) = (Registry::default(), Trap::new());
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let machine = machine();
    for (at, (runtime, setting, settings)) in trap.baits().into_iter().enumerate() {
        for (role, token) in staff.everybody() {
            let how = format!("{role}, {runtime} with {settings}");
            let target = |way: &str| format!("{way}-{at}-{role}");
            let jobs = |target: &str| format!("/v1/{target}/jobs");
            let more = json!({ "runtime": runtime, "settings": settings });

            let by_job = call(&server, token, "POST", &jobs(&target("job")), &measuring(more));
            let setup = json!({ "runtime": runtime, "settings": settings, "batch_size": 1 });
            let worker = format!("/v1/workers/{}", target("worker"));
            let by_worker = call(
                &server,
                token,
                "PUT",
                &worker,
                &registration(&target("worker"), &machine, Some(setup)),
            );
            let description = json!({
                "name": target("put"), "runtime": runtime, "settings": settings, "fingerprint": machine, "reference": null,
            });
            let by_put = call(
                &server,
                token,
                "PUT",
                &format!("/v1/hardware/{}", target("put")),
                &description,
            );

            // What was created, if anything was, an operator has measured in good faith.
            call(&server, Some(&staff.admin), "DELETE", &worker, &json!({}));
            let mut begun = vec![by_job.clone()];
            for way in ["worker", "put"] {
                let (status, _) = server.call_as(&staff.admin, "GET", &format!("/v1/hardware/{}", target(way)), None);
                if status == 200 {
                    let job = call(
                        &server,
                        Some(&staff.operator),
                        "POST",
                        &jobs(&target(way)),
                        &measuring(json!({})),
                    );
                    begun.push(job);
                }
            }
            for (_, job) in begun.iter().filter(|(status, _)| *status == 202) {
                ended(&server, &staff.admin, job);
            }
            trap.not_sprung(&how);

            let refused = |answer: &(u16, Value), place: &str| {
                let (status, problem) = answer;
                assert!(*status == 401 || *status == 403 || *status == 422, "{how}: {problem}");
                if *status == 422 {
                    let fault = &problem["errors"][0];
                    assert_eq!(fault["pointer"], format!("{place}/{setting}"), "{how}");
                    assert!(
                        fault["detail"]
                            .as_str()
                            .is_some_and(|fix| fix.contains("runtimes.toml")),
                        "{fault}"
                    );
                }
            };
            refused(&by_job, "/parameters/settings");
            refused(&by_worker, "/setup/settings");
            refused(&by_put, "/settings");
        }
    }
    let (_, targets) = server.call_as(&staff.admin, "GET", "/v1/hardware", None);
    assert_eq!(targets["hardware"], json!([]), "and no target is created");
}

/// A bundle brings its target along, and with it the settings of its runtime.
#[test]
fn no_bundle_brings_a_program() {
    let (there, trap) = (Registry::default(), Trap::new());
    there.import(120);
    let (_, _, settings) = trap.baits().swap_remove(0);
    let dataset = there.folder.path().join("dataset");
    let mut target: Value =
        serde_json::from_slice(&std::fs::read(dataset.join("hardware.json")).expect("imported")).expect("JSON");
    target["runtime"] = json!("command");
    target["settings"] = settings;
    target["fingerprint"] = machine();
    target["reference"] = Value::Null;
    std::fs::write(dataset.join("hardware.json"), target.to_string()).expect("a file");
    let crafted = Registry::default();
    crafted.ok(&["dataset", "import", dataset.to_str().expect("UTF-8")]);
    crafted.train("linear");
    let bundle = crafted.folder.path().join("crafted.lglp");
    let bundle = bundle.to_str().expect("UTF-8");
    crafted.ok(&["models", "export", "--hardware", HARDWARE, "1", "-o", bundle]);

    let here = Registry::default();
    let staff = Staff::of(&here);
    let server = here.serve();
    let mut import = here.command(&["models", "import", bundle, "--hardware", "bundled"]);
    let said = import
        .env("LGLP_TOKEN", &staff.operator)
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let (created, _) = server.call_as(&staff.admin, "GET", "/v1/hardware/bundled", None);
    if created == 200 {
        let job = measuring(json!({ "space": "mobilenetv3" }));
        let (_, job) = call(&server, Some(&staff.operator), "POST", "/v1/bundled/jobs", &job);
        ended(&server, &staff.admin, &job);
    }
    trap.not_sprung("a bundle");
    assert!(said.contains("runtimes.toml"), "{said}");
    assert_eq!(created, 404, "no target is created");

    // The same by a folder of measurements.
    let mut import = here.command(&["dataset", "import", dataset.to_str().expect("UTF-8")]);
    let said = import
        .env("LGLP_TOKEN", &staff.operator)
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("runtimes.toml"), "{said}");
}

/// Registries from before have targets whose records name programs, of whoever could write them.
#[test]
#[ignore = "takes long"]
fn a_record_from_before_is_listed_and_starts_nothing() {
    let (registry, trap) = (Registry::default(), Trap::new());
    for (at, (runtime, _, settings)) in trap.baits().iter().enumerate() {
        let new: NewHardware =
            serde_json::from_value(description(&format!("old-{at}"), runtime, settings)).expect("a description");
        let store = SledStore::open(registry.path(), HolderInfo::default()).expect("the registry opens");
        store.put_hardware(&new, "before").expect("recorded");
    }
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let (_, listed) = server.call_as(&staff.viewer, "GET", "/v1/hardware", None);
    assert_eq!(listed["hardware"].as_array().map(Vec::len), Some(trap.baits().len()));
    assert_eq!(listed["hardware"][0]["settings"]["command"][0], "sh");
    for at in 0..trap.baits().len() {
        let path = format!("/v1/old-{at}/jobs");
        let (status, job) = call(&server, Some(&staff.operator), "POST", &path, &measuring(json!({})));
        assert_eq!(status, 202, "{job}");
        let job = ended(&server, &staff.admin, &job);
        trap.not_sprung(&format!("old-{at}"));
        let error = job["error"].as_str().expect("it failed");
        assert!(error.contains("runtimes.toml"), "{error}");
    }
    drop(server);
    // Those who only look must not start anything either.
    registry.ok(&["hardware"]);
    trap.not_sprung("looking");
    let said = registry.fails(&[
        "measure",
        "--hardware",
        "old-0",
        "--space",
        super::staff::SPACE,
        "--count",
        "1",
    ]);
    trap.not_sprung("a command that says nothing of programs");
    assert!(said.contains("runtimes.toml"), "{said}");
}

/// A program that counts its starts, and answers as the runtime wants it.
const COUNTS: &str = r#"
import json, os, sys
with open(sys.argv[3], "a") as file:
    print(os.getpid(), file=file)
ms = os.path.getsize(sys.argv[1]) / 1e6
print(json.dumps({"samples": [{"wall_ms": ms}] * int(sys.argv[2]), "device": "Abacus", "runtime": "beads"}))
"#;

fn starts(file: &Path) -> usize {
    std::fs::read_to_string(file).map_or(0, |text| text.lines().count())
}

/// The owner of the machine names a program in its file; requests name what the owner named. Another program under the same
/// name is another runtime: its labels do not belong with the others.
#[test]
fn what_the_machines_file_names_is_measured_with_and_nothing_else() {
    let registry = Registry::default();
    let folder = registry.folder.path();
    let (program, counted) = (folder.join("beads.py"), folder.join("starts"));
    std::fs::write(&program, COUNTS).expect("a file");
    let python = lglp_tests::python();
    let file = |more: &str| {
        let text = format!(
            "[beads]\nruntime = \"command\"\nsettings.command = [{python:?}, {program:?}, \"{{onnx}}\", \"{{repetitions}}\", {counted:?}{more}]\n"
        );
        std::fs::write(folder.join("runtimes.toml"), text).expect("a file");
    };
    file("");
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let measure = |server: &Server, more: Value| {
        let (status, job) = call(
            server,
            Some(&staff.operator),
            "POST",
            "/v1/abacus/jobs",
            &measuring(more),
        );
        assert_eq!(status, 202, "{job}");
        ended(server, &staff.admin, &job)
    };
    let job = measure(&server, json!({ "runtime": "beads", "settings": { "repetitions": 4 } }));
    assert_eq!(job["state"], "succeeded", "{job}");
    let begun = starts(&counted);
    assert!(begun > 0);
    let (_, target) = server.call_as(&staff.viewer, "GET", "/v1/hardware/abacus", None);
    assert_eq!(target["runtime"], "beads");
    assert_eq!(
        target["settings"],
        json!({ "batch_size": 1, "repetitions": 4, "threads": 1 })
    );
    let digest = &target["fingerprint"]["runtime"]["configuration"];
    assert!(
        digest.as_str().is_some_and(|digest| digest.starts_with("sha256:")),
        "{target}"
    );
    let text = target.to_string();
    assert!(!text.contains("beads.py"), "the command is the owner's to know: {text}");
    drop(server);

    file(", \"another\"");
    let server = registry.serve();
    let job = measure(&server, json!({ "count": 2 }));
    let error = job["error"].as_str().expect("it failed");
    assert!(
        error.contains("another machine") && error.contains("configuration"),
        "{error}"
    );
    assert_eq!(starts(&counted), begun, "it is not even started");
    drop(server);

    std::fs::remove_file(folder.join("runtimes.toml")).expect("a file");
    let server = registry.serve();
    let error = measure(&server, json!({ "count": 2 }))["error"].clone();
    assert!(
        error.as_str().is_some_and(|error| error.contains("runtimes.toml")),
        "{error}"
    );
}

/// A worker registered a target, signed off, and left the server, whose own machine it said it was, to measure it.
#[test]
#[ignore = "takes long"]
fn what_a_worker_registered_is_measured_by_workers_alone() {
    let registry = Registry::default();
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let setup = json!({ "runtime": "onnxruntime", "batch_size": 1 });
    let body = registration("lent", &machine(), Some(setup));
    let (status, answer) = call(&server, Some(&staff.worker), "PUT", "/v1/workers/wim", &body);
    assert_eq!(status, 200, "{answer}");
    call(&server, Some(&staff.operator), "DELETE", "/v1/workers/wim", &json!({}));
    let submit = |target: &str| {
        let path = format!("/v1/{target}/jobs");
        let (status, job) = call(&server, Some(&staff.operator), "POST", &path, &measuring(json!({})));
        assert_eq!(status, 202, "{job}");
        job
    };
    let (lent, own) = (submit("lent"), submit("own"));
    assert_eq!(ended(&server, &staff.admin, &own)["state"], "succeeded");
    let (_, lent) = server.call_as(&staff.viewer, "GET", &format!("/v1/jobs/{}", lent["id"]), None);
    let waits = lent["waits_for"].as_str().unwrap_or_default();
    assert!(
        lent["state"] == "queued" && waits.contains("a worker of lent"),
        "{lent}"
    );
    drop(server);

    // The owner of the server's machine may say otherwise.
    std::fs::write(registry.folder.path().join("runtimes.toml"), "measures = [\"lent\"]\n").expect("a file");
    let server = registry.serve();
    assert_eq!(ended(&server, &staff.admin, &lent)["state"], "succeeded");
}

/// A file that anybody may write is anybody's word.
#[test]
fn a_machines_file_that_others_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let registry = Registry::default();
    let file = registry.folder.path().join("runtimes.toml");
    for (text, mode, said) in [
        ("", 0o666, "chmod"),
        ("[beads]\nsettings.command = []", 0o644, "runtime"),
        ("[beads]\nruntime = \"command\"\ncommand = [\"b\"]", 0o644, "command"),
        ("[onnxruntime]\nruntime = \"command\"", 0o644, "onnxruntime"),
    ] {
        std::fs::write(&file, text).expect("a file");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("permissions");
        let error = registry.fails(&["serve", "--bind", "127.0.0.1:0"]);
        assert!(
            error.contains("runtimes.toml") && error.contains(said),
            "{text}: {error}"
        );
    }
    let error = registry.fails(&[
        "serve",
        "--bind",
        "127.0.0.1:0",
        "--runtimes",
        "/nonexistent/runtimes.toml",
    ]);
    assert!(error.contains("/nonexistent/runtimes.toml"), "{error}");
}

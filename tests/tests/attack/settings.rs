//! Targets and jobs that say of the runtime what is not so.

use lglp_registry::prelude::*;
use lglp_registry::{HolderInfo, NewHardware, SledStore};
use lglp_tests::Registry;
use serde_json::{Value, json};

use super::staff::{Staff, call, ended, measuring};

/// The fingerprint of this machine, by a target that was measured here.
fn machine(registry: &Registry) -> Value {
    let arguments = "measure --hardware here --space ofa-mobilenetv3 --count 1 --budget 0.1";
    registry.ok(&arguments.split(' ').collect::<Vec<_>>());
    registry.json(&["hardware"])[0]["fingerprint"].clone()
}

fn target(name: &str, runtime: &str, settings: Value, fingerprint: &Value) -> Value {
    json!({ "name": name, "runtime": runtime, "settings": settings, "fingerprint": fingerprint })
}

/// The story: an operator put a target of this machine with a runtime that nobody has. It stayed for good, and waited for a
/// runtime of that name.
#[test]
#[ignore = "takes long"]
fn a_target_of_this_machine_has_a_runtime_that_is_there() {
    let registry = Registry::default();
    let machine = machine(&registry);
    let staff = Staff::of(&registry);
    let server = registry.serve();
    for token in [&staff.operator, &staff.admin] {
        let body = target("odd", "abacus", json!({ "beads": 7 }), &machine);
        let (status, problem) = call(&server, Some(token), "PUT", "/v1/hardware/odd", &body);
        let fault = &problem["errors"][0];
        assert_eq!((status, &fault["pointer"]), (422, &json!("/runtime")), "{problem}");
        let detail = fault["detail"].as_str().expect("a detail");
        assert!(
            detail.contains("abacus") && detail.contains("onnxruntime") && detail.contains("runtimes.toml"),
            "{detail}"
        );
    }
    assert_eq!(
        server.call_as(&staff.viewer, "GET", "/v1/hardware/odd", None).0,
        404,
        "nothing stays"
    );
    // What was measured elsewhere, by whatever, is imported as ever.
    let body = target("far", "imported", json!({}), &json!({ "device": "Abacus 3000" }));
    let (status, put) = call(&server, Some(&staff.operator), "PUT", "/v1/hardware/far", &body);
    assert_eq!(status, 200, "{put}");
}

/// The same target from before, with a program among its settings: one day the owner of the machine sets up a runtime of its
/// name, and did not mean that program.
#[test]
fn what_waits_for_a_runtime_of_its_name_brings_nothing_of_the_machines_own() {
    let registry = Registry::default();
    let machine = machine(&registry);
    let folder = registry.folder.path();
    let mark = folder.join("mark");
    let springs = json!(["sh", "-c", format!("touch {}", mark.display()), "{onnx}"]);
    for (name, settings) in [
        ("waits", json!({ "command": springs })),
        ("arguments", json!({ "arguments": ["--all"] })),
        ("unknown", json!({ "beads": 7 })),
    ] {
        let mut fingerprint = machine.clone();
        fingerprint.as_object_mut().expect("an object").remove("runtime");
        let mut body = target(name, "beads", settings, &fingerprint);
        body["reference"] = Value::Null;
        let new: NewHardware = serde_json::from_value(body).expect("a description");
        let store = SledStore::open(registry.path(), HolderInfo::default()).expect("the registry opens");
        store.put_hardware(&new, "before").expect("recorded");
    }
    let own = folder.join("own");
    let text = format!(
        "[beads]\nruntime = \"command\"\nsettings.command = [\"touch\", {own:?}, \"{{onnx}}\", \"{{repetitions}}\"]\n"
    );
    std::fs::write(folder.join("runtimes.toml"), text).expect("a file");
    let staff = Staff::of(&registry);
    let server = registry.serve();
    for name in ["waits", "arguments", "unknown"] {
        let path = format!("/v1/{name}/jobs");
        let (status, job) = call(&server, Some(&staff.operator), "POST", &path, &measuring(json!({})));
        assert_eq!(status, 202, "{job}");
        let job = ended(&server, &staff.admin, &job);
        let error = job["error"].as_str().expect("it failed");
        assert!(error.contains("runtimes.toml"), "{name}: {error}");
        assert!(!mark.exists() && !own.exists(), "{name} started a program");
    }
}

/// The story: a job that asked for four threads, and another runtime, of a target that has one thread was taken, and measured
/// with one; nobody said so.
#[test]
#[ignore = "takes long"]
fn a_job_that_asks_for_other_settings_than_its_targets_is_refused() {
    let registry = Registry::default();
    machine(&registry);
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let submit = |more: Value| {
        call(
            &server,
            Some(&staff.operator),
            "POST",
            "/v1/here/jobs",
            &measuring(more),
        )
    };
    for (more, pointer, has) in [
        (json!({ "runtime": "command" }), "/parameters/runtime", "onnxruntime"),
        (
            json!({ "settings": { "threads": 4 } }),
            "/parameters/settings/threads",
            "here has 1",
        ),
        (json!({ "batch_size": 8 }), "/parameters/batch_size", "here has 1"),
    ] {
        let (status, problem) = submit(more);
        let fault = &problem["errors"][0];
        assert_eq!((status, &fault["pointer"]), (422, &json!(pointer)), "{problem}");
        let detail = fault["detail"].as_str().expect("a detail");
        assert!(detail.contains(has) && detail.contains("here-2"), "{detail}");
    }
    // What agrees, and what says nothing, is measured as ever.
    let same = json!({ "runtime": "onnxruntime", "settings": { "threads": 1 }, "batch_size": 1 });
    for more in [same, json!({})] {
        let (status, job) = submit(more);
        assert_eq!(status, 202, "{job}");
        assert_eq!(ended(&server, &staff.admin, &job)["state"], "succeeded");
    }
}

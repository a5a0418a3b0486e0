//! Plugins that do harm while a recipe is trained.

use lglp_tests::HARDWARE;
use serde_json::json;

use super::{name_of, recipe, with_hostile};

/// A training is told what its plugin did, and nothing is recorded.
#[test]
fn in_a_fit_it_costs_that_training_alone() {
    let faults = [
        ("ABORTS_IN_CREATE", "signal 6"),
        ("ABORTS_IN_FIT", "signal 6"),
        ("EXITS_IN_FIT", "status 3"),
        ("SEGFAULTS_IN_FIT", "signal 11"),
        ("HANGS_IN_FIT", "has not come back within 1 s"),
        ("LIES_OF_ITS_STATE", "signal"),
        ("SAVES_NOTHING", "does not read this state: it gives no reason"),
        ("SAVES_ANOTHER", "loaded from the state that it was saved as"),
        ("REPORTS_FOR_EVER", "has not come back within 3 s"),
        ("ENCODES_TOO_MUCH", "are too many at once"),
    ];
    let registry = with_hostile(&faults.map(|(fault, _)| fault));
    // More than one that encodes too much is let encode.
    registry.import(100);
    let settings = registry.folder.path().join("plugins.toml");
    std::fs::write(&settings, "[default]\nfit_s = 1\nfit_total_s = 3\ndeadline_s = 2\n").expect("a file");
    for (fault, _) in faults {
        recipe(&registry, &name_of(fault));
    }
    let server = registry.serve();
    for (fault, says) in faults {
        let name = name_of(fault);
        let job = json!({ "kind": "train", "parameters": { "recipe": name } }).to_string();
        let (status, job) = server.post(&format!("/v1/{HARDWARE}/jobs"), &job);
        assert_eq!(status, 202, "{fault}: {job}");
        let path = format!("/v1/jobs/{}", job["id"]);
        let ended = server.wait(&path, |job| job["state"] == "failed" || job["state"] == "succeeded");
        let said = ended.to_string();
        assert!(ended["state"] == "failed" && said.contains(says), "{fault}: {said}");
    }
    assert_eq!(server.get("/healthz").0, 200);
}

/// What was told to stop and only went on reporting kept its job for ever.
#[test]
fn a_fit_that_hears_nothing_is_ended_when_it_is_cancelled() {
    let registry = with_hostile(&["REPORTS_FOR_EVER"]);
    recipe(&registry, "reports-for-ever");
    let server = registry.serve_with(&["--plugin-deadline", "1"]);
    let job = json!({ "kind": "train", "parameters": { "recipe": "reports-for-ever" } }).to_string();
    let (status, job) = server.post(&format!("/v1/{HARDWARE}/jobs"), &job);
    assert_eq!(status, 202, "{job}");
    let path = format!("/v1/jobs/{}", job["id"]);
    server.wait(&path, |job| job["state"] == "running" && !job["progress"].is_null());
    assert_eq!(server.post(&format!("{path}/cancel"), "").0, 200);
    let ended = server.wait(&path, |job| job["state"] != "running");
    assert_eq!(ended["state"], "cancelled", "{ended}");
}

/// A log grew with each report, without an end.
#[test]
fn a_log_keeps_so_many_reports_and_the_last() {
    let registry = with_hostile(&["REPORTS_OFTEN"]);
    recipe(&registry, "reports-often");
    registry.train("reports-often");
    let server = registry.serve();
    let (_, version) = server.get(&format!("/v1/{HARDWARE}/models/1"));
    let digest = version["content"]["training_log"].as_str().expect("a digest");
    let (_, log) = server.get(&format!("/v1/blobs/{digest}"));
    let lines: Vec<&str> = log.as_str().expect("lines").lines().collect();
    assert!((1000..=10_001).contains(&lines.len()), "{} lines", lines.len());
    let last: serde_json::Value = serde_json::from_str(lines[lines.len() - 1]).expect("JSON");
    assert_eq!(
        (&last["round"], &last["of"]),
        (&json!(50_000), &json!(50_000)),
        "{last}"
    );
}

//! What went wrong once, or would have.

use super::*;

/// The answer that leased a job got lost; the worker asked again, and was given halves of its own job until the lease ran out.
#[test]
fn a_lost_answer_costs_a_worker_nothing() {
    let registry = Registry::default();
    let server = registry.serve();
    let worker = Worker::new(&server, "abacus", "0123456789abcdef");
    worker.register("far", &machine());
    job(&server, "far", 300);
    for fencing in 1..=3 {
        let work = worker.lease(0).1;
        assert_eq!(
            (&work["job"]["id"], &work["job"]["lease"]["fencing"]),
            (&json!(1), &json!(fencing))
        );
        assert_eq!(work["job"]["lost"], 0, "its process is still there");
    }
    assert_eq!(server.get("/v1/jobs").1["jobs"].as_array().map(Vec::len), Some(1));
}

/// A worker started on the wrong machine was refused, and the server left the target to it for good.
#[test]
fn a_worker_that_is_refused_takes_no_target_away() {
    let registry = Registry::default();
    let measure = "measure --hardware here --space ofa-mobilenetv3 --budget 0.05 --count 1";
    registry.ok(&measure.split(' ').collect::<Vec<_>>());
    let server = registry.serve();
    let worker = Worker::new(&server, "abacus", "0123456789abcdef");
    problem(worker.register("here", &machine()), 409, "fingerprint-differs");
    let id = job(&server, "here", 2);
    let started = Instant::now();
    while server.get(&format!("/v1/jobs/{id}")).1["state"] != "succeeded" {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the server measures on its own machine"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A text of a plan that was not the canonical one was never found among the measurements, and measured for ever.
#[test]
fn a_plan_is_measured_by_canonical_texts_each_once() {
    let registry = Registry::default();
    let server = registry.serve();
    let worker = Worker::new(&server, "abacus", "0123456789abcdef");
    worker.register("far", &machine());
    let text = registry.ok(&["sample", "--space", "ofa-mobilenetv3", "--seed", "5"]);
    let plan = json!({ "architectures": [text, text.trim()] }).to_string();
    let (status, blob) = server.post("/v1/blobs", &plan);
    assert_eq!(status, 201, "{blob}");
    let parameters = json!({ "space": "ofa-mobilenetv3", "plan": blob["digest"] });
    let body = json!({ "kind": "measure", "parameters": parameters }).to_string();
    assert_eq!(server.post("/v1/far/jobs", &body).0, 202);
    let work = worker.lease(0).1;
    let items = work["batch"]["items"].as_array().expect("items");
    assert_eq!((items.len(), &items[0]["architecture"]), (1, &json!(text.trim())));
    assert_eq!(
        worker.submit(1, 1, &[worker.measured("far", &items[0])]).1["accepted"],
        1
    );
    assert_eq!(
        worker.tell(1, "finish", &json!({ "fencing": 1 })).1["state"],
        "succeeded"
    );
    let endless = json!({ "space": "ofa-mobilenetv3", "plan": format!("sha256:{}", "0".repeat(64)) });
    let body = json!({ "kind": "measure", "parameters": endless }).to_string();
    let said = problem(server.post("/v1/far/jobs", &body), 422, "invalid-request");
    assert!(said.contains("store the plan first"), "{said}");
}

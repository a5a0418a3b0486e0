//! The queue of jobs, filled by one for all the others.

use lglp_tests::{Registry, Server};
use serde_json::{Value, json};

use super::staff::{Staff, call, measuring, now, registration};

fn submit(server: &Server, token: &str) -> (u16, Value) {
    call(server, Some(token), "POST", "/v1/box/jobs", &measuring(json!({})))
}

/// A target whose worker takes no work, so that jobs wait.
fn idle(registry: &Registry) -> (Staff, String, Server) {
    let staff = Staff::of(registry);
    let second = registry.token("ole", "operator", &[]);
    let server = registry.serve();
    let setup = json!({ "runtime": "onnxruntime", "batch_size": 1 });
    let body = registration("box", &json!({ "cpu": "Abacus 3000" }), Some(setup));
    assert_eq!(
        call(&server, Some(&staff.worker), "PUT", "/v1/workers/wim", &body).0,
        200
    );
    (staff, second, server)
}

/// One operator put 64 jobs, and for hours nobody else's was taken: 429.
#[test]
fn one_operator_cannot_take_every_place() {
    let registry = Registry::default();
    let (staff, second, server) = idle(&registry);
    let answers: Vec<(u16, Value)> = (0..70).map(|_| submit(&server, &staff.operator)).collect();
    let taken = answers.iter().filter(|(status, _)| *status == 202).count();
    assert!((16..=48).contains(&taken), "{taken} of 64 places by one token");
    let (status, problem) = answers.last().expect("many");
    assert_eq!(
        (*status, &problem["type"]),
        (429, &json!("urn:lglp:problem:queue-full")),
        "{problem}"
    );
    let said = problem["detail"].as_str().expect("a detail");
    assert!(said.contains("oda") && said.contains(&taken.to_string()), "{said}");
    let (status, job) = submit(&server, &second);
    assert_eq!(status, 202, "another's job finds a place: {job}");
    assert_eq!(submit(&server, &staff.admin).0, 202);
    // Whoever has given up some of its places may use them again.
    let (status, _) = call(&server, Some(&staff.operator), "POST", "/v1/jobs/1/cancel", &json!({}));
    assert_eq!(status, 200);
    assert_eq!(
        call(&server, Some(&staff.operator), "POST", "/v1/jobs/2/cancel", &json!({})).0,
        200
    );
    assert_eq!(
        call(&server, Some(&staff.operator), "POST", "/v1/jobs/3/cancel", &json!({})).0,
        200
    );
    assert_eq!(submit(&server, &staff.operator).0, 202);
}

/// The one job of another waited until all thirty of the first had ended: first come, first served.
#[test]
fn jobs_are_taken_in_turns() {
    let registry = Registry::default();
    let (staff, second, server) = idle(&registry);
    for _ in 0..30 {
        assert_eq!(submit(&server, &staff.operator).0, 202);
    }
    assert_eq!(submit(&server, &second).0, 202);
    let take = || {
        let ask = json!({ "instance": "0123456789abcdef", "wait_s": 0, "sent_at": now() });
        let (status, work) = call(&server, Some(&staff.worker), "POST", "/v1/workers/wim/lease", &ask);
        assert_eq!(status, 200, "{work}");
        let (id, fencing) = (&work["job"]["id"], &work["job"]["lease"]["fencing"]);
        let failed = json!({ "fencing": fencing, "failed": "it was to be seen when it is taken" });
        let path = format!("/v1/jobs/{id}/finish");
        assert_eq!(call(&server, Some(&staff.worker), "POST", &path, &failed).0, 200);
        work["job"]["created_by"].as_str().expect("a name").to_owned()
    };
    assert_eq!([take(), take(), take()], ["oda", "ole", "oda"]);
    // Whoever comes again and again gets no more than its turn.
    assert_eq!(submit(&server, &second).0, 202);
    let next: Vec<String> = (0..4)
        .map(|_| {
            let taken = take();
            submit(&server, &second);
            taken
        })
        .collect();
    let turns = next.iter().filter(|name| *name == "oda").count();
    assert_eq!(turns, 2, "{next:?}");
}

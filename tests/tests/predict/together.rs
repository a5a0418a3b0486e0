//! Small requests that wait at the same time are predicted together, and each is answered as if it were alone.

use std::thread;

use lglp_tests::{Registry, sample};
use serde_json::{Value, json};

use super::predict;

/// Requests of each client.
const REQUESTS: usize = 60;

#[test]
fn requests_that_come_together_are_answered_as_alone() {
    // A network of 40 steps: it takes long enough that others wait.
    let registry = Registry::with_production("lstm-1");
    let server = registry.serve();
    let architectures = sample(40, 6);
    let coverages = [0.5, 0.9];
    let asked = |some: &[String], coverage: f64| {
        let (status, answer) = predict(&server, &json!({ "architectures": some, "coverage": coverage }));
        assert_eq!(status, 200, "{answer}");
        answer["predictions"].clone()
    };
    let alone: Vec<Vec<Value>> = architectures
        .iter()
        .map(|one| {
            coverages
                .map(|coverage| asked(std::slice::from_ref(one), coverage)[0].clone())
                .to_vec()
        })
        .collect();
    thread::scope(|scope| {
        for client in 0..16 {
            let (architectures, alone, asked) = (&architectures, &alone, &asked);
            scope.spawn(move || {
                for request in 0..REQUESTS {
                    let (first, of) = ((client * 7 + request) % 37, (client + request) % 2);
                    let count = 1 + request % 3;
                    let answers = asked(&architectures[first..first + count], coverages[of]);
                    for at in 0..count {
                        assert_eq!(answers[at], alone[first + at][of], "client {client}, request {request}");
                    }
                }
            });
        }
        // Faults are told to whoever made them.
        scope.spawn(|| {
            for _ in 0..REQUESTS {
                let (status, answer) = predict(&server, &json!({ "architectures": [architectures[0], "none"] }));
                assert_eq!(
                    (status, &answer["errors"][0]["pointer"]),
                    (422, &json!("/architectures/1"))
                );
                let some = json!({ "architectures": ["none"], "on_error": "item" });
                let (status, answer) = predict(&server, &some);
                assert_eq!(status, 200, "{answer}");
                assert!(answer["predictions"][0]["error"].is_object(), "{answer}");
            }
        });
    });
}

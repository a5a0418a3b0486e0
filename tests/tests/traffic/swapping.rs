//! What happens to requests while versions are swapped.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use lglp_tests::{HARDWARE, Registry, sample};
use serde_json::json;

use super::{MODELS, PREDICT, damage, predict, put_alias};

/// Requests stall or fail in other servers while a model loads. The second half of the story: rolling back must work
/// when it is needed, which is when nothing else does.
#[test]
#[ignore = "takes long"]
fn promotions_under_load_fail_no_request_and_can_be_rolled_back_at_once() {
    let registry = Registry::with_production("gbdt");
    registry.json(&["train", "--hardware", HARDWARE, "--recipe", "gbdt", "--seed", "1"]);
    let server = registry.serve();
    let [first, mut copy] = [1, 2].map(|version| server.get(&format!("{MODELS}/{version}")).1["content"].clone());
    // More versions than are kept, so that promotions load.
    for number in 3..=14 {
        copy["creator"] = json!(format!("copy {number}"));
        assert_eq!(server.post(MODELS, &copy.to_string()).0, 201);
    }
    // Moves of production: when each began and ended.
    let moves = Mutex::new(vec![(Instant::now(), Instant::now(), 1)]);
    let over = AtomicBool::new(false);
    let architectures = sample(50, 3);
    let answers = std::thread::scope(|scope| {
        let client = |offset: usize| {
            let (server, architectures, over) = (&server, &architectures, &over);
            scope.spawn(move || {
                let mut answers = vec![];
                for i in (0..50).cycle().skip(offset * 7) {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let body = json!({ "architectures": [architectures[i]] }).to_string();
                    let asked = Instant::now();
                    let (status, answer) = server.post(PREDICT, &body);
                    assert_eq!(status, 200, "{answer}");
                    answers.push((
                        asked,
                        Instant::now(),
                        answer["model"]["version"].as_u64().expect("a number"),
                    ));
                }
                answers
            })
        };
        let clients: Vec<_> = (0..4).map(client).collect();
        for generation in 1..=300 {
            let version = 1 + generation % 14;
            let begun = Instant::now();
            let (status, moved) = put_alias(&server, "production", generation, version);
            assert_eq!(status, 200, "{moved}");
            moves.lock().expect("a lock").push((begun, Instant::now(), version));
        }
        over.store(true, Ordering::Relaxed);
        let answers = clients.into_iter().flat_map(|client| client.join().expect("a client"));
        answers.collect::<Vec<_>>()
    });
    let moves = moves.into_inner().expect("a lock");
    assert!(answers.len() > 300, "{} answers", answers.len());
    for (asked, answered, version) in answers {
        let last_before = moves.iter().rposition(|(_, ended, _)| *ended <= asked).unwrap_or(0);
        let mut possible = moves[last_before..].iter().take_while(|(begun, ..)| *begun <= answered);
        assert!(
            possible.any(|(.., production)| *production == version),
            "version {version} was not production"
        );
    }

    let generation = 301;
    for (moved, version) in [(0, 1), (1, 2)] {
        assert_eq!(put_alias(&server, "production", generation + moved, version).0, 200);
    }
    // Others crowd in, and the disk loses the version that was production before.
    for version in 3..=14 {
        predict(&server, &architectures[..1], &version.to_string());
    }
    damage(&registry, &first);
    assert_eq!(put_alias(&server, "production", generation + 2, 1).0, 200);
    assert_eq!(
        predict(&server, &architectures[..1], "production")["model"]["version"],
        json!(1)
    );
}

//! Shadow, canary and hot swap: who answers, who is compared, and that requests notice nothing else.

mod swapping;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use lglp_registry::Digest;
use lglp_sdk::SearchSpace;
use lglp_tests::{HARDWARE, Registry, Server, readable, release, root, sample};
use serde_json::{Value, json};

const TRAFFIC: &str = "/v1/xeon-1t/traffic";
const PREDICT: &str = "/v1/xeon-1t/predict";
const MODELS: &str = "/v1/xeon-1t/models";

/// Version 1 in production, and version 2, of another seed, as candidate.
fn production_and_candidate() -> Registry {
    let registry = Registry::with_production("gbdt");
    registry.json(&["train", "--hardware", HARDWARE, "--recipe", "gbdt", "--seed", "1"]);
    registry.ok(&["promote", "--hardware", HARDWARE, "2", "--alias", "candidate"]);
    registry
}

fn put_traffic(server: &Server, generation: u64, body: &Value) -> (u16, Value) {
    let generation = format!("\"{generation}\"");
    server.call("PUT", TRAFFIC, &[("If-Match", &generation)], Some(&body.to_string()))
}

fn put_alias(server: &Server, alias: &str, generation: u64, version: u64) -> (u16, Value) {
    let path = format!("/v1/{HARDWARE}/aliases/{alias}");
    let (generation, body) = (format!("\"{generation}\""), json!({ "version": version }));
    server.call("PUT", &path, &[("If-Match", &generation)], Some(&body.to_string()))
}

fn predict(server: &Server, architectures: &[String], model: &str) -> Value {
    let body = json!({ "architectures": architectures, "model": model });
    let (status, answer) = server.post(PREDICT, &body.to_string());
    assert_eq!(status, 200, "{answer}");
    answer
}

fn latencies(answer: &Value) -> Vec<f64> {
    let predictions = answer["predictions"].as_array().expect("predictions");
    let latency = |p: &Value| p["latency_ms"].as_f64().expect("a number");
    predictions.iter().map(latency).collect()
}

/// The versions that answered, architecture by architecture.
fn versions(answer: &Value) -> Vec<u64> {
    let predictions = answer["predictions"].as_array().expect("predictions");
    let version = |p: &Value| p["version"].as_u64().or(answer["model"]["version"].as_u64());
    predictions.iter().map(|p| version(p).expect("a number")).collect()
}

/// The rule, computed anew: the first 8 bytes of the digest are the place of an architecture between 0 and 1.
fn belongs(architecture: &str, share: f64) -> bool {
    let digest = Digest::of(architecture.as_bytes());
    let first = u64::from_str_radix(&digest.hex()[..16], 16).expect("hex digits");
    (first as f64) < share * 2_f64.powi(64)
}

/// The architecture, or one that differs from it in the squeeze-and-excitation of a block, that a canary of this share answers.
fn of_the_canary(architecture: &Value, share: f64) -> Value {
    let text = std::fs::read_to_string(root().join("catalog/spaces/mobilenetv3.toml")).expect("a space");
    let space = SearchSpace::from_toml(&text).expect("a consistent space");
    let belongs = |readable: &Value| {
        let architecture = space.architecture_from_json(readable).expect("an architecture");
        belongs(&space.canonical_text(&architecture), share)
    };
    let flipped = (0..10).map(|block| {
        let mut other = architecture.clone();
        let se = &mut other["blocks"][block]["se"];
        *se = json!(!se.as_bool().expect("a choice"));
        other
    });
    let mut all = std::iter::once(architecture.clone()).chain(flipped);
    all.find(belongs).expect("half of eleven are members")
}

fn share(alias: &str, share: f64) -> Value {
    json!({ "alias": alias, "share": share })
}

/// A version's fitted regressor on disk, writable.
fn regressor_file(registry: &Registry, content: &Value) -> PathBuf {
    let digest = content["artifacts"]["regressor"].as_str().expect("a digest");
    let hex = digest.strip_prefix("sha256:").expect("a digest");
    let file = registry.path().join("blobs/sha256").join(&hex[..2]).join(hex);
    let mut permissions = std::fs::metadata(&file).expect("the file").permissions();
    #[allow(clippy::permissions_set_readonly_false)]
    permissions.set_readonly(false);
    std::fs::set_permissions(&file, permissions).expect("permissions");
    file
}

fn damage(registry: &Registry, content: &Value) {
    let file = regressor_file(registry, content);
    std::fs::write(&file, "damaged").expect("a file");
}

#[test]
fn a_canary_answers_its_share_and_always_the_same_one() {
    let registry = production_and_candidate();
    let server = registry.serve();
    let architectures = sample(2000, 5);
    let by_number = ["1", "2"].map(|version| latencies(&predict(&server, &architectures, version)));
    let mut before = vec![false; architectures.len()];
    for (generation, wanted) in [(0, 0.1), (1, 0.3), (2, 0.5)] {
        let (status, set) = put_traffic(&server, generation, &json!({ "canary": share("candidate", wanted) }));
        assert_eq!((status, &set["canary"]["share"]), (200, &json!(wanted)), "{set}");
        let answer = predict(&server, &architectures, "production");
        assert_eq!(
            (&answer["model"]["version"], &answer["canary"]["version"]),
            (&json!(1), &json!(2))
        );
        assert_eq!(answer["canary"]["share"], json!(wanted));
        let versions = versions(&answer);
        let members: Vec<bool> = versions.iter().map(|version| *version == 2).collect();
        let expected: Vec<bool> = architectures.iter().map(|a| belongs(a, wanted)).collect();
        assert_eq!(members, expected);
        let found = members.iter().filter(|member| **member).count() as f64 / 2000.0;
        assert!((found - wanted).abs() < 0.025, "{found} instead of {wanted}");
        assert!(
            members.iter().zip(&before).all(|(now, then)| *now || !*then),
            "some have left"
        );
        for (i, latency) in latencies(&answer).into_iter().enumerate() {
            let own = by_number[versions[i] as usize - 1][i];
            assert_eq!(
                latency, own,
                "architecture {i} has its own version's prediction, in its place"
            );
        }
        // Alone or among others, an architecture gets the same version.
        for (architecture, version) in architectures.iter().zip(&versions).take(25) {
            let alone = predict(&server, std::slice::from_ref(architecture), "production");
            assert_eq!(self::versions(&alone), [*version]);
        }
        before = members;
    }
    // Who names a version, or another alias, gets it.
    for (name, version) in [("1", 1), ("candidate", 2)] {
        let answer = predict(&server, &architectures[..50], name);
        assert!(answer["canary"].is_null() && versions(&answer).iter().all(|v| *v == version));
    }
    let member = architectures.iter().find(|a| belongs(a, 0.5)).expect("half are");
    let table = registry.ok(&["predict", "--hardware", HARDWARE, member]);
    assert!(table.contains("by the canary, version 2"), "{table}");
    let metrics = server.get("/metrics").1;
    let counted = metrics
        .as_str()
        .expect("text")
        .lines()
        .any(|l| l.starts_with("lglp_predictions_total{hardware=\"xeon-1t\",version=\"2\"}"));
    assert!(counted, "{metrics}");
}

#[test]
fn traffic_is_set_by_those_who_have_seen_it() {
    let registry = production_and_candidate();
    let server = registry.serve();
    let nothing = server.get(TRAFFIC).1;
    assert_eq!((&nothing["generation"], &nothing["agreement"]), (&json!(0), &json!([])));
    let half = json!({ "shadow": share("candidate", 0.5), "reason": "a test", "actor": "tester" });
    for (body, status, place) in [
        (json!({ "canary": share("candidate", 0.0) }), 422, "/canary/share"),
        (json!({ "canary": share("candidate", 1.5) }), 422, "/canary/share"),
        // A canary of everything would be a promotion that no gate was asked for.
        (json!({ "canary": share("candidate", 0.6) }), 422, "/canary/share"),
        (json!({ "shadow": share("production", 0.5) }), 422, "/shadow/alias"),
        (json!({ "shadow": share("no such name", 0.5) }), 422, "/shadow/alias"),
        (json!({ "shadow": { "alias": "candidate" } }), 422, "/shadow"),
        (json!({ "canaries": [] }), 422, ""),
        (json!({ "shadow": share("nowhere", 0.5) }), 404, "nowhere"),
    ] {
        let (found, problem) = put_traffic(&server, 0, &body);
        assert!(
            found == status && problem.to_string().contains(place),
            "{body}: {problem}"
        );
    }
    assert_eq!(server.call("PUT", TRAFFIC, &[], Some(&half.to_string())).0, 428);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let racer = || scope.spawn(|| put_traffic(&server, 0, &half).0);
        let threads: Vec<_> = (0..8).map(|_| racer()).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a status"))
            .collect()
    });
    let won = statuses.iter().filter(|status| **status == 200).count();
    assert!(
        won == 1 && statuses.iter().all(|s| [200, 412].contains(s)),
        "{statuses:?}"
    );

    // Commands say and do the same with a server and without.
    let shown = registry.json(&["traffic", "--hardware", HARDWARE]);
    assert_eq!(shown, server.get(TRAFFIC).1);
    let set = [
        "traffic",
        "--hardware",
        HARDWARE,
        "--canary",
        "candidate=10%",
        "--reason",
        "it agrees",
    ];
    let set = registry.json(&set);
    assert_eq!(
        (&set["generation"], &set["canary"], &set["shadow"]),
        (&json!(2), &share("candidate", 0.1), &half["shadow"])
    );
    let said = registry.ok(&["traffic", "--hardware", HARDWARE]);
    assert!(said.contains("candidate (version 2) answers 10 %"), "{said}");
    let log = server.get("/v1/audit?limit=1000").1.to_string();
    assert!(
        log.contains("traffic_set") && log.contains("tester") && log.contains("it agrees"),
        "{log}"
    );
    drop(server);
    let said = registry.fails(&["traffic", "--hardware", HARDWARE, "--canary", "nowhere=10%"]);
    assert!(said.contains("no alias nowhere"), "{said}");
    let ended = registry.json(&["traffic", "--hardware", HARDWARE, "--no-canary", "--no-shadow"]);
    assert_eq!(
        (&ended["generation"], &ended["canary"], &ended["shadow"]),
        (&json!(3), &Value::Null, &Value::Null)
    );
}

/// A canary is there to find out whether it works.
#[test]
#[ignore = "takes long"]
fn a_broken_canary_fails_no_request() {
    let mut registry = Registry::with_production("gbdt");
    let folder = registry.folder.path().join("plugins");
    std::fs::create_dir_all(&folder).expect("a folder");
    for file in std::fs::read_dir(release().join("plugins")).expect("`make build` builds the plugins") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), folder.join(file.file_name())).expect("a copy");
    }
    let file = "liblglp_plugin_panicking.so";
    std::fs::copy(release().join(file), folder.join(file)).expect("`make build` builds it");
    registry.plugins = Some(folder);
    let content = registry.train("panics")["content"].clone();
    registry.ok(&["promote", "--hardware", HARDWARE, "2", "--alias", "candidate"]);
    let all = [
        "traffic",
        "--hardware",
        HARDWARE,
        "--canary",
        "candidate=50%",
        "--shadow",
        "candidate=100%",
    ];
    registry.ok(&all);
    let answering = |server: &Server, architectures: Value| {
        let (status, answer) = server.post(PREDICT, &json!({ "architectures": architectures }).to_string());
        assert_eq!(status, 200, "{answer}");
        (versions(&answer), answer["canary"]["version"].clone())
    };
    let (harmless, harmful) = (
        of_the_canary(&readable(160, 1, 3, 3), 0.5),
        of_the_canary(&readable(1024, 4, 7, 6), 0.5),
    );
    let server = registry.serve();
    let returns = |server: &Server| {
        let started = Instant::now();
        while answering(server, json!([harmless])).0 != [2] {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "the canary does not come back"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    for _ in 0..3 {
        // Its panic is production's to make good, and it is loaded anew.
        returns(&server);
        assert_eq!(answering(&server, json!([harmless, harmful])).0, [1, 1]);
    }
    let metrics = server.get("/metrics").1;
    let failures = "lglp_canary_failures_total{hardware=\"xeon-1t\",version=\"2\"}";
    let line = metrics
        .as_str()
        .expect("text")
        .lines()
        .find(|l| l.starts_with(failures));
    assert!(line.is_some(), "{metrics}");
    drop(server);
    damage(&registry, &content);
    let server = registry.serve();
    for _ in 0..3 {
        assert_eq!(answering(&server, json!([harmless])), (vec![1], Value::Null));
    }
}

#[test]
fn a_shadow_is_compared_and_seen_by_nobody() {
    let registry = production_and_candidate();
    let server = registry.serve();
    // Both at once: where the canary answers there is still something to compare.
    let order = json!({ "canary": share("candidate", 0.2), "shadow": share("candidate", 0.5) });
    assert_eq!(put_traffic(&server, 0, &order).0, 200);
    let architectures = sample(600, 9);
    for part in architectures.chunks(200) {
        let answer = predict(&server, part, "production");
        let expected: Vec<u64> = part.iter().map(|a| 1 + u64::from(belongs(a, 0.2))).collect();
        assert_eq!(versions(&answer), expected);
    }
    let compared: Vec<&String> = architectures.iter().filter(|a| belongs(a, 0.5)).collect();
    let n = compared.len();
    let started = Instant::now();
    let agreement = loop {
        let traffic = server.get(TRAFFIC).1;
        if traffic["agreement"][0]["n"] == json!(n) {
            break traffic["agreement"].clone();
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{traffic}");
        std::thread::sleep(Duration::from_millis(20));
    };
    // The same again from both versions' own predictions, which no shadow sees.
    let [production, candidate] = ["1", "2"].map(|version| latencies(&predict(&server, &architectures, version)));
    let mut differences: Vec<(f64, &String)> = architectures
        .iter()
        .enumerate()
        .filter(|(_, a)| belongs(a, 0.5))
        .map(|(i, a)| ((candidate[i] - production[i]) / production[i].abs(), a))
        .collect();
    differences.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    let mean = |value: fn(f64) -> f64| differences.iter().map(|d| value(d.0)).sum::<f64>() / n as f64;
    let within = |bound: f64| differences.iter().filter(|d| d.0.abs() <= bound).count();
    let only = &agreement[0];
    for (field, expected) in [
        ("production", 1.0),
        ("candidate", 2.0),
        ("mean_relative", mean(|d| d)),
        ("mean_absolute_relative", mean(f64::abs)),
        ("max_absolute_relative", differences[0].0.abs()),
        ("within_5", within(0.05) as f64),
        ("within_10", within(0.1) as f64),
        ("dropped", 0.0),
        ("failed", 0.0),
    ] {
        let found = only[field].as_f64().expect("a number");
        assert!(
            (found - expected).abs() < 1e-9,
            "{field}: {found} instead of {expected}"
        );
    }
    let most = only["most_different"].as_array().expect("architectures");
    assert_eq!(most.len(), 10);
    for (found, (_, expected)) in most.iter().zip(&differences) {
        let i = architectures.iter().position(|a| a == *expected).expect("one of them");
        assert_eq!(found["architecture"], **expected);
        assert_eq!(
            (&found["production_ms"], &found["candidate_ms"]),
            (&json!(production[i]), &json!(candidate[i]))
        );
    }
    let metrics = server.get("/metrics").1;
    let counted =
        format!("lglp_shadow_relative_difference_count{{hardware=\"xeon-1t\",production=\"1\",candidate=\"2\"}} {n}");
    assert!(
        metrics.as_str().expect("text").lines().any(|l| l == counted),
        "{metrics}"
    );
    // It is in the registry, for whoever asks later.
    drop(server);
    assert_eq!(
        registry.json(&["traffic", "--hardware", HARDWARE])["agreement"],
        agreement
    );
}

#[test]
fn a_version_that_predicts_otherwise_than_when_trained_takes_no_traffic() {
    let registry = Registry::with_production("gbdt");
    registry.json(&["train", "--hardware", HARDWARE, "--recipe", "gbdt", "--seed", "1"]);
    let server = registry.serve();
    let [first, second] = [1, 2].map(|version| server.get(&format!("{MODELS}/{version}")).1["content"].clone());
    assert_eq!(first["golden"].as_array().map(Vec::len), Some(8));
    let changed = |factor: f64| {
        let mut content = first.clone();
        let golden = &mut content["golden"][3]["latency_ms"];
        *golden = json!(golden.as_f64().expect("a number") * factor);
        content
    };
    let mut swapped = first.clone();
    swapped["artifacts"] = second["artifacts"].clone();
    let cases = [(changed(1.01), false), (swapped, false), (changed(1.0005), true)];
    for (number, (content, good)) in (3..).zip(cases) {
        let (status, version) = server.post(MODELS, &content.to_string());
        assert_eq!((status, &version["version"]), (201, &json!(number)), "{version}");
        let generation = server.get("/v1/xeon-1t/aliases/production").1["generation"]
            .as_u64()
            .expect("a number");
        let (status, answer) = put_alias(&server, "production", generation, number);
        if good {
            assert_eq!(status, 200, "{answer}");
            continue;
        }
        assert_eq!(
            (status, &answer["type"]),
            (503, &json!("urn:lglp:problem:version-unusable"))
        );
        let detail = answer["detail"].as_str().expect("a detail");
        assert!(
            detail.contains("fails its self-test") && detail.contains("predicted"),
            "{detail}"
        );
        assert_eq!(put_alias(&server, "candidate", 0, number).0, 503);
        let body = json!({ "architectures": [readable(160, 1, 3, 3)], "model": number });
        assert_eq!(server.post(PREDICT, &body.to_string()).0, 503);
        assert_eq!(
            predict(&server, &sample(1, 1), "production")["model"]["version"],
            json!(1)
        );
    }
    // Versions of before golden predictions were recorded are served; new ones have them.
    let mut bare = first;
    bare.as_object_mut().expect("an object").remove("golden");
    let (status, problem) = server.post(MODELS, &bare.to_string());
    assert_eq!(
        (status, &problem["errors"][0]["pointer"]),
        (422, &json!("/golden")),
        "{problem}"
    );
}

//! Somebody with an operator's token stores a fitted state that is well-formed and enormous, and a viewer asks for a
//! prediction of its version. One unit of it took tens of seconds of a core, so that everybody waited; where it took longer
//! than the deadline, its plugin went into quarantine for every target.

use std::time::{Duration, Instant};

use lglp_tests::hanging::Hanging;
use lglp_tests::raw::{answer, post};
use lglp_tests::{HARDWARE, Registry, Server, bundle, sample};
use serde_json::{Value, json};

const PREDICT: &str = "/v1/xeon-1t/predict";
const MODELS: &str = "/v1/xeon-1t/models";
/// What a blob may hold.
const BLOB: usize = 64 << 20;

fn kind(problem: &Value) -> &str {
    let kind = problem["type"].as_str().unwrap_or_default();
    kind.rsplit(':').next().expect("a last part")
}

fn predict(server: &Server, model: &Value, rows: usize) -> (u16, Value) {
    let body = json!({ "architectures": sample(rows, 3), "model": model });
    server.post(PREDICT, &body.to_string())
}

/// The slowest of several single predictions of production, one after the other.
fn slowest_single(server: &Server, of: usize) -> Duration {
    let single = || {
        let asked = Instant::now();
        let (status, answer) = predict(server, &json!("production"), 1);
        assert_eq!(status, 200, "{answer}");
        asked.elapsed()
    };
    (0..of).map(|_| single()).max().expect("some")
}

/// The newest version's content.
fn newest(registry: &Registry) -> Value {
    let listed = registry.json(&["models", "--hardware", HARDWARE]);
    let versions = listed["versions"].as_array().expect("versions");
    versions.last().expect("a version")["content"].clone()
}

/// What a version's role was fitted to.
fn state(registry: &Registry, content: &Value, role: &str) -> Vec<u8> {
    let digest = content["artifacts"][role].as_str().expect("a digest");
    let hex = digest.trim_start_matches("sha256:");
    std::fs::read(registry.path().join("blobs/sha256").join(&hex[..2]).join(hex)).expect("a blob")
}

/// The content with another state.
fn forged(server: &Server, content: &Value, role: &str, state: &[u8]) -> Value {
    let (status, blob) = server.post_bytes_as("", "/v1/blobs", state);
    assert_eq!(status, 201, "{blob}");
    let mut forged = content.clone();
    forged["artifacts"][role] = blob["digest"].clone();
    forged
}

fn created(server: &Server, content: &Value) -> Value {
    let (status, made) = server.post(MODELS, &content.to_string());
    assert_eq!(status, 201, "{made}");
    made["version"].clone()
}

/// Four clients ask for a unit of the version each, while others ask production for single predictions. The version is
/// refused with a reason that names `names`, and the others are answered at once.
fn takes_nobodys_turn(server: &Server, version: &Value, names: &str) {
    let body = json!({ "architectures": sample(64, 3), "model": version }).to_string();
    let mut clients: Vec<_> = (0..4).map(|_| post(server, PREDICT, "", body.as_bytes())).collect();
    let slowest = slowest_single(server, 40);
    assert!(slowest < Duration::from_secs(5), "{names}: {slowest:?}");
    for client in &mut clients {
        let (status, text) = answer(client);
        assert_eq!(status, 503, "{names}: {text}");
        assert!(
            text.contains("version-unusable") && text.contains(names),
            "{names}: {text}"
        );
    }
    let (_, ready) = server.get("/readyz");
    assert!(ready["quarantined"].is_null(), "{names}: {ready}");
}

/// A registry whose production is linear, and whose newest version is of another recipe.
fn beside_production(recipe: &str) -> Registry {
    let registry = Registry::with_production("linear");
    registry.train(recipe);
    registry
}

/// The story: a regressor of as many vectors as a blob holds. None of them weighs anything, so that the version predicts
/// what it did.
#[test]
#[ignore = "takes long"]
fn millions_of_support_vectors_take_nobodys_turn() {
    let registry = beside_production("svr");
    let server = registry.serve();
    let content = newest(&registry);
    let honest = String::from_utf8(state(&registry, &content, "regressor")).expect("a text");
    let with = |vector: &str| {
        let (head, _) = honest.rsplit_once("]}").expect("an end");
        let mut text = head.to_owned();
        while text.len() < BLOB - 200 {
            text.push(',');
            text.push_str(vector);
        }
        (text + "]}").into_bytes()
    };
    let empty = with(r#"{"weight":0.0,"cells":[]}"#);
    takes_nobodys_turn(
        &server,
        &created(&server, &forged(&server, &content, "regressor", &empty)),
        "a row",
    );
    let subnormal =
        with(r#"{"weight":1e-320,"cells":[[0,1e-40],[1,1e-40],[2,1e-40],[3,1e-40],[4,1e-40],[5,1e-40],[6,1e-40]]}"#);
    takes_nobodys_turn(
        &server,
        &created(&server, &forged(&server, &content, "regressor", &subnormal)),
        "1e-40",
    );
    // Arrays instead of objects made room for 9.5 million.
    let arrays = with("[0,[]]");
    takes_nobodys_turn(
        &server,
        &created(&server, &forged(&server, &content, "regressor", &arrays)),
        "expected",
    );
    // Without golden predictions there was nothing that such a state had to predict.
    let mut bare = forged(&server, &content, "regressor", &empty);
    bare["golden"] = json!([]);
    let (status, problem) = server.post(MODELS, &bare.to_string());
    assert_eq!(
        (status, problem["errors"][0]["pointer"].as_str()),
        (422, Some("/golden")),
        "{problem}"
    );
    // The plugin, and with it the honest version, goes on.
    assert_eq!(predict(&server, &json!(2), 1).0, 200);
}

/// The same in a bundle whose digests hold.
#[test]
#[ignore = "takes long"]
fn a_bundle_with_a_costly_state_is_refused() {
    let registry = beside_production("svr");
    let file = registry.folder.path().join("2.lglp");
    registry.ok(&[
        "models",
        "export",
        "--hardware",
        HARDWARE,
        "2",
        "-o",
        file.to_str().expect("UTF-8"),
    ]);
    let exported = std::fs::read(&file).expect("the bundle");
    let honest = String::from_utf8(state(&registry, &newest(&registry), "regressor")).expect("a text");
    let (head, _) = honest.rsplit_once("]}").expect("an end");
    let costly = head.to_owned() + &r#",{"weight":0.0,"cells":[]}"#.repeat(1_000_000) + "]}";
    let server = registry.serve();
    let import = |bundle: &[u8]| {
        std::thread::scope(|scope| {
            let importing = scope.spawn(|| server.post_bytes_as("", &format!("{MODELS}/import"), bundle));
            let slowest = slowest_single(&server, 20);
            assert!(slowest < Duration::from_secs(5), "{slowest:?}");
            importing.join().expect("an answer")
        })
    };
    let (status, problem) = import(&bundle::with_state(&exported, "regressor", costly.as_bytes(), |_| ()));
    assert_eq!((status, kind(&problem)), (422, "model-unusable"), "{problem}");
    assert!(problem["detail"].to_string().contains("support vectors"), "{problem}");
    // Nor one that has nothing to predict again.
    let bare = bundle::with_state(&exported, "regressor", honest.as_bytes(), |manifest| {
        manifest["version"]["content"]["golden"] = json!([]);
    });
    let (status, problem) = import(&bare);
    assert_eq!(status, 422, "{problem}");
}

/// A tree of which every split but the last leads to the next one, as LightGBM writes it.
fn chain(index: usize, splits: usize) -> String {
    let every = |value: &str, count: usize| vec![value; count].join(" ");
    let numbers = |of: &mut dyn Iterator<Item = i64>| of.map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
    let last = splits as i64 - 1;
    let left = numbers(&mut (0..=last).map(|at| if at == last { -1 } else { at + 1 }));
    let right = numbers(&mut (0..=last).map(|at| -2 - at));
    let (of_splits, of_leaves) = (every("0", splits), every("0", splits + 1));
    format!(
        "Tree={index}\nnum_leaves={}\nnum_cat=0\nsplit_feature={of_splits}\nsplit_gain={of_splits}\nthreshold={}\n\
         decision_type={of_splits}\nleft_child={left}\nright_child={right}\nleaf_value={of_leaves}\nleaf_weight={of_leaves}\n\
         leaf_count={of_leaves}\ninternal_value={of_splits}\ninternal_weight={of_splits}\ninternal_count={of_splits}\n\
         is_linear=0\nshrinkage=1\n\n\n",
        splits + 1,
        every("9", splits),
    )
}

/// The sibling: as many chains of splits as a blob holds, which predict nothing beside the honest trees.
#[test]
#[ignore = "takes long"]
fn chains_of_splits_take_nobodys_turn() {
    let registry = beside_production("lightgbm");
    let server = registry.serve();
    let content = newest(&registry);
    let honest = String::from_utf8(state(&registry, &content, "regressor")).expect("a text");
    let (head, rest) = honest.split_once("\ntree_sizes=").expect("sizes");
    let (sizes, rest) = rest.split_once('\n').expect("a line");
    let (trees, end) = rest.split_once("end of trees").expect("an end");
    let (mut sizes, mut trees) = (sizes.to_owned(), trees.to_owned());
    let mut count = sizes.split(' ').count();
    while trees.len() < BLOB - (6 << 20) {
        let tree = chain(count, 131_071);
        sizes += &format!(" {}", tree.len());
        trees += &tree;
        count += 1;
    }
    let forged_text = format!("{head}\ntree_sizes={sizes}\n{trees}end of trees{end}");
    let version = created(&server, &forged(&server, &content, "regressor", forged_text.as_bytes()));
    let body = json!({ "architectures": sample(64, 3), "model": version }).to_string();
    let mut clients: Vec<_> = (0..4).map(|_| post(&server, PREDICT, "", body.as_bytes())).collect();
    let slowest = slowest_single(&server, 40);
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    for client in &mut clients {
        let (status, text) = answer(client);
        // A blob holds about as many splits as a row may visit.
        assert!(status == 200 || text.contains("version-unusable"), "{status} {text}");
    }
    assert_eq!(predict(&server, &json!(2), 1).0, 200);
}

/// A network of one layer, all of whose weights are one number.
fn network(honest: &[u8], hidden: usize, bidirectional: bool, weight: f32) -> Vec<u8> {
    let length = u64::from_le_bytes(honest[..8].try_into().expect("8 bytes")) as usize;
    let header: Value = serde_json::from_slice(&honest[8..8 + length]).expect("JSON");
    let mut metadata = header["__metadata__"].clone();
    let number = |name: &str| metadata[name].as_str().and_then(|n| n.parse::<usize>().ok());
    let width = number("input_width").expect("a number");
    let network = json!({ "layers": 1, "hidden": hidden, "bidirectional": bidirectional, "connection": "sum" });
    metadata["parameters"] = network.to_string().into();
    let mut header = json!({ "__metadata__": metadata });
    let mut end = 0;
    let mut tensor = |name: String, shape: &[usize]| {
        let begin = end;
        end += 4 * shape.iter().product::<usize>();
        header[name] = json!({ "dtype": "F32", "shape": shape, "data_offsets": [begin, end] });
    };
    let suffixes: &[&str] = if bidirectional { &["", "_reverse"] } else { &[""] };
    for suffix in suffixes {
        tensor(format!("lstm.weight_ih_l0{suffix}"), &[4 * hidden, width]);
        tensor(format!("lstm.weight_hh_l0{suffix}"), &[4 * hidden, hidden]);
        tensor(format!("lstm.bias_ih_l0{suffix}"), &[4 * hidden]);
        tensor(format!("lstm.bias_hh_l0{suffix}"), &[4 * hidden]);
    }
    tensor("head.weight".into(), &[1, suffixes.len() * hidden]);
    tensor("head.bias".into(), &[1]);
    let mut text = header.to_string();
    text += &" ".repeat(text.len().next_multiple_of(8) - text.len());
    let weights = weight.to_le_bytes().repeat(end / 4);
    [&(text.len() as u64).to_le_bytes(), text.as_bytes(), &weights].concat()
}

/// The sibling: a network of one layer that is as wide as it may be, in both directions.
#[test]
fn the_widest_network_takes_nobodys_turn() {
    let registry = beside_production("lglp-quick");
    let server = registry.serve();
    let content = newest(&registry);
    let costly = network(&state(&registry, &content, "extractor"), 1024, true, 0.0);
    let version = created(&server, &forged(&server, &content, "extractor", &costly));
    takes_nobodys_turn(&server, &version, "1024 (hidden)");
}

/// The sibling: a network whose hidden states are subnormal numbers, which take a processor ten times as long. What the version
/// must predict the refusal of a first one tells.
#[test]
#[ignore = "takes long"]
fn numbers_that_are_too_small_take_nobodys_turn() {
    let registry = beside_production("lstm-1");
    let server = registry.serve();
    let content = newest(&registry);
    let costly = network(&state(&registry, &content, "regressor"), 1024, true, 1e-20);
    let narrower = network(&state(&registry, &content, "regressor"), 1000, false, 1e-20);
    takes_nobodys_turn(
        &server,
        &created(&server, &forged(&server, &content, "regressor", &costly)),
        "1024 (hidden)",
    );
    let mut forged = forged(&server, &content, "regressor", &narrower);
    let (status, problem) = predict(&server, &created(&server, &forged), 1);
    assert_eq!((status, kind(&problem)), (503, "version-unusable"), "{problem}");
    let detail = problem["detail"].as_str().expect("a detail");
    let told = detail
        .split("it predicts ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let value: f64 = told.and_then(|value| value.parse().ok()).expect("a number");
    let mut golden = forged["golden"][0].clone();
    golden["latency_ms"] = json!(value);
    forged["golden"] = json!([golden]);
    let version = created(&server, &forged);
    let body = json!({ "architectures": sample(64, 3), "model": version }).to_string();
    let mut clients: Vec<_> = (0..4).map(|_| post(&server, PREDICT, "", body.as_bytes())).collect();
    let slowest = slowest_single(&server, 40);
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    for client in &mut clients {
        // About as slow as what is served may be: whether it is depends on the machine.
        let (status, text) = answer(client);
        assert!(status == 200 || text.contains("too slow"), "{status} {text}");
    }
}

/// What is slow within all bounds is seen when it is loaded: it is neither served nor promoted. (It sleeps, and newer systems
/// count some seconds of a sleep as waiting for a processor, which does not count: so it sleeps long.)
#[test]
#[ignore = "takes long"]
fn a_version_that_is_too_slow_is_not_served() {
    let hanging = Hanging::default();
    hanging.train_healthy();
    hanging.train(150.0);
    hanging.promote(1, "production");
    let server = hanging.registry.serve();
    takes_nobodys_turn(&server, &json!(2), "too slow");
    let alias = format!("/v1/{HARDWARE}/aliases/candidate");
    let (status, problem) = server.call("PUT", &alias, &[("If-Match", "\"0\"")], Some(r#"{"version":2}"#));
    assert_eq!((status, kind(&problem)), (503, "version-unusable"), "{problem}");
}

/// The story: whoever asked for one architecture stood in one line with 64 units of a version that takes a hundred times as
/// long. What a version takes long for is waited for by its own requests.
#[test]
#[ignore = "takes long"]
fn slow_versions_yield_to_fast_ones() {
    let hanging = Hanging::default();
    hanging.train_healthy();
    hanging.train(10.0);
    hanging.promote(1, "production");
    let server = hanging.registry.serve();
    assert_eq!(predict(&server, &json!(2), 1).0, 200);
    let body = json!({ "architectures": sample(64, 3), "model": 2 }).to_string();
    let mut clients: Vec<_> = (0..64).map(|_| post(&server, PREDICT, "", body.as_bytes())).collect();
    std::thread::sleep(Duration::from_secs(1));
    let began = Instant::now();
    let slowest = slowest_single(&server, 10);
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    // They are not starved either.
    for client in &mut clients {
        let (status, text) = answer(client);
        assert_eq!(status, 200, "{text}");
    }
}

/// The story: versions that nobody could ever load were answered 500, as if the server were at fault.
#[test]
fn versions_that_cannot_be_loaded_say_so() {
    let registry = Registry::with_production("linear");
    let server = registry.serve();
    let content = newest(&registry);
    let refused = |change: &dyn Fn(&mut Value), names: &str| {
        let mut forged = content.clone();
        change(&mut forged);
        let (status, made) = server.post(MODELS, &forged.to_string());
        if status == 422 {
            return;
        }
        assert_eq!(status, 201, "{names}: {made}");
        for _ in 0..2 {
            let (status, problem) = predict(&server, &made["version"], 1);
            assert_eq!(status, 503, "{names}: {problem}");
            assert!(
                ["version-unusable", "plugin-unavailable"].contains(&kind(&problem)),
                "{problem}"
            );
            assert!(problem["detail"].to_string().contains(names), "{names}: {problem}");
        }
    };
    refused(&|content| content["training_range"] = json!({}), "training_range");
    refused(&|content| content["recipe"] = json!({}), "recipe");
    refused(
        &|content| content["recipe"]["regressor"]["name"] = json!("nobody"),
        "nobody",
    );
    refused(
        &|content| content["recipe"]["encoder"]["parameters"] = json!({ "what": 1 }),
        "what",
    );
    refused(&|content| content["artifacts"] = json!({}), "no state");
    refused(&|content| content["plugins"] = json!([]), "no plugin");
    refused(
        &|content| content["golden"][0]["architecture"] = json!("nothing"),
        "golden",
    );
    let digest = content["dataset"].clone();
    refused(
        &|content| content["artifacts"]["regressor"] = digest.clone(),
        "does not read",
    );
    assert_eq!(predict(&server, &json!("production"), 1).0, 200);
}

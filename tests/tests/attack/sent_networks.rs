//! Networks that a client sends to be measured: what runs them trusts what it reads.

use lglp_engine::networks::{GivenNetwork, RandomNetwork};
use lglp_onnx::Bytes;
use lglp_onnx::messages::*;
use lglp_tests::raw::memory;
use lglp_tests::{Registry, Server};
use prost::Message;
use serde_json::{Value, json};

use super::staff::{Staff, call, ended, measuring, now, registration};

/// Stores a blob; its digest.
fn stored(server: &Server, token: &str, content: &[u8]) -> String {
    let (status, blob) = server.post_bytes_as(token, "/v1/blobs", content);
    assert_eq!(status, 201, "{blob}");
    blob["digest"].as_str().expect("a digest").to_owned()
}

/// A network of the tests, without its weights.
fn structure() -> Vec<u8> {
    let network: RandomNetwork = "convnets-3".parse().expect("a name");
    let given = GivenNetwork::random(network).expect("it is read");
    given.structure().expect("it is read again")
}

/// The same after somebody had it in hand.
fn changed(change: impl FnOnce(&mut GraphProto)) -> Vec<u8> {
    let mut model = ModelProto::decode(Bytes::from(structure())).expect("a model");
    change(model.graph.as_mut().expect("a graph"));
    lglp_onnx::without_weights(model.encode_to_vec().into()).expect("a model")
}

fn tensor(name: &str, data_type: i32, dims: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        data_type,
        dims: dims.to_vec(),
        ..TensorProto::default()
    }
}

/// A constant of so many values that nobody reads; some runtimes make it when they load a model.
fn expanded(graph: &mut GraphProto, sides: i64) {
    let mut shape = tensor("many", INT64, &[1]);
    shape.int64_data = vec![sides];
    graph.initializer.push(shape);
    graph.node.insert(
        0,
        NodeProto::new("ConstantOfShape", "", &["many"], &["zeros"], Vec::new()),
    );
}

/// A small model of its own, of inputs, weights, and nodes that end in `y`.
fn model(inputs: &[(&str, [u32; 4])], initializer: Vec<TensorProto>, node: Vec<NodeProto>) -> Vec<u8> {
    let mut graph = GraphProto {
        node,
        initializer,
        input: inputs
            .iter()
            .map(|(name, sides)| ValueInfoProto::tensor(name, sides))
            .collect(),
        output: vec![ValueInfoProto::tensor("y", &[])],
        ..GraphProto::default()
    };
    graph.output[0].r#type = None;
    let model = ModelProto {
        ir_version: 8,
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: 17,
        }],
        ..ModelProto::default()
    };
    lglp_onnx::without_weights(model.encode_to_vec().into()).expect("a model")
}

/// Two inputs, of which an einsum of four makes all products before it sums them up.
fn einsum() -> Vec<u8> {
    let flat = |input: &str, output: &str| NodeProto::new("Reshape", "", &[input, "flat"], &[output], Vec::new());
    let mut shape = tensor("flat", INT64, &[2]);
    shape.int64_data = vec![1, 200_000];
    let equation = vec![AttributeProto::string("equation", "za,zb,za,zb->z")];
    let product = NodeProto::new("Einsum", "", &["a", "b", "a", "b"], &["y"], equation);
    let sides = [1, 200, 20, 50];
    model(
        &[("x", sides), ("w", sides)],
        vec![shape],
        vec![flat("x", "a"), flat("w", "b"), product],
    )
}

/// A chain of values each of which is added up in the end, from the last to the first, so that all of them have to stay.
fn many_at_once() -> Vec<u8> {
    const VALUES: usize = 400;
    let name = |at: usize| if at == 0 { "x".to_owned() } else { format!("v{at}") };
    let step = |at: usize| NodeProto::new("Sigmoid", "", &[&name(at - 1)], &[&name(at)], Vec::new());
    let mut nodes: Vec<NodeProto> = (1..=VALUES).map(step).collect();
    let mut sum = name(VALUES);
    for at in (1..VALUES).rev() {
        let next = if at == 1 { "y".to_owned() } else { format!("s{at}") };
        nodes.push(NodeProto::new("Add", "", &[&sum, &name(at)], &[&next], Vec::new()));
        sum = next;
    }
    model(&[("x", [1, 64, 512, 512])], Vec::new(), nodes)
}

/// One channel, whose windows are set out beside each other.
fn transposed() -> Vec<u8> {
    let weights = tensor("w", FLOAT, &[1, 1, 200, 200]);
    let node = NodeProto::new("ConvTranspose", "", &["x", "w"], &["y"], Vec::new());
    model(&[("x", [1, 1, 1024, 1024])], vec![weights], vec![node])
}

/// The attack: a model that is small to send has a weight of terabytes, which nobody reads, or a constant that a runtime makes when it loads it; holds all that it
/// computes at once, or makes of it what no table tells;
/// names files of the machine, or operators of somebody's library; or is none at all. Each costs itself alone.
#[test]
fn hostile_networks_are_left_out_one_by_one() {
    let registry = Registry::default();
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let hostile: [(&str, Vec<u8>); 11] = [
        ("outer-products", einsum()),
        ("all-at-once", many_at_once()),
        ("columns", transposed()),
        ("no-model", b"no model at all".to_vec()),
        ("with-weights", {
            let mut model = ModelProto::decode(Bytes::from(structure())).expect("a model");
            let mut weights = tensor("more", FLOAT, &[2000]);
            weights.raw_data = vec![0; 8000].into();
            model.graph.as_mut().expect("a graph").initializer.push(weights);
            model.encode_to_vec()
        }),
        (
            "huge-weight",
            changed(|graph| graph.initializer.push(tensor("more", FLOAT, &[1 << 20, 1 << 20]))),
        ),
        (
            "negative-side",
            changed(|graph| graph.initializer.push(tensor("more", FLOAT, &[-4, 1 << 20]))),
        ),
        ("huge-constant", changed(|graph| expanded(graph, 1 << 44))),
        (
            "half-weight",
            changed(|graph| graph.initializer.push(tensor("more", FLOAT16, &[1 << 20]))),
        ),
        ("foreign", changed(|graph| graph.node[0].domain = "ai.onnx.ml".into())),
        (
            "elsewhere",
            changed(|graph| {
                let mut file = tensor("more", FLOAT, &[4]);
                file.data_location = 1;
                graph.initializer.push(file);
            }),
        ),
    ];
    let mut plan = json!({ "architectures": [], "names": [] });
    for (name, content) in hostile
        .iter()
        .map(|(name, content)| (*name, content))
        .chain([("good", &structure())])
    {
        let digest = stored(&server, &staff.operator, content);
        plan["architectures"]
            .as_array_mut()
            .expect("a list")
            .push(json!(digest));
        plan["names"].as_array_mut().expect("a list").push(json!(name));
    }
    let plan = stored(&server, &staff.operator, plan.to_string().as_bytes());
    let (before, _) = memory(&server);
    let job = measuring(json!({ "space": "onnx", "count": 0, "plan": plan }));
    let (status, job) = call(&server, Some(&staff.operator), "POST", "/v1/box/jobs", &job);
    assert_eq!(status, 202, "{job}");
    let done = ended(&server, &staff.operator, &job);
    let (_, peak) = memory(&server);
    assert_eq!(done["state"], "succeeded", "{done}");
    assert_eq!(done["result"]["measured"], 1, "{done}");
    let left_out = done["result"]["left_out"].as_array().expect("a list");
    let names: Vec<&str> = left_out.iter().filter_map(|one| one["name"].as_str()).collect();
    let expected: Vec<&str> = hostile.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected, "{left_out:?}");
    assert!(peak < before + 1000, "{before} MiB rose to {peak} MiB: {left_out:?}");
}

/// The attack: a plan that is half of one kind and half of the other, or that names what is not there, is measured for nothing, or as something
/// else.
#[test]
fn a_plan_names_networks_that_are_there() {
    let registry = Registry::default();
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let there = stored(&server, &staff.operator, &structure());
    let gone = format!("sha256:{}", "0".repeat(64));
    let asked = |space: &str, plan: Option<Value>| {
        let mut parameters = json!({ "space": space, "count": 0 });
        if let Some(plan) = plan {
            parameters["plan"] = json!(stored(&server, &staff.operator, plan.to_string().as_bytes()));
        }
        call(
            &server,
            Some(&staff.operator),
            "POST",
            "/v1/box/jobs",
            &measuring(parameters),
        )
    };
    for (space, plan, said) in [
        ("onnx", None, "`lglp measure --onnx FILES --job`"),
        ("onnx", Some(json!({ "architectures": [there] })), "`names` is missing"),
        (
            "onnx",
            Some(json!({ "architectures": [there], "names": ["a", "b"] })),
            "names for 2 of 1",
        ),
        (
            "onnx",
            Some(json!({ "architectures": [gone], "names": ["a"] })),
            "there is no blob",
        ),
        (
            "onnx",
            Some(json!({ "architectures": ["a"], "names": ["a"] })),
            "digest",
        ),
        (
            "onnx",
            Some(json!({ "architectures": [there], "names": ["a".repeat(300)] })),
            "255",
        ),
        (
            "mobilenetv3",
            Some(json!({ "architectures": [there], "names": ["a"] })),
            "`space` is `onnx`",
        ),
    ] {
        let (status, problem) = asked(space, plan.clone());
        assert_eq!(status, 422, "{plan:?}: {problem}");
        assert_eq!(
            problem["errors"][0]["pointer"], "/parameters/plan",
            "{plan:?}: {problem}"
        );
        let detail = problem["errors"][0]["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(said), "{said}: {detail}");
    }
    // Whoever may not measure may not have networks measured.
    let plan = json!({ "architectures": [there], "names": ["a"] }).to_string();
    let plan = stored(&server, &staff.operator, plan.as_bytes());
    let job = measuring(json!({ "space": "onnx", "count": 0, "plan": plan }));
    for token in [&staff.viewer, &staff.worker] {
        assert_eq!(call(&server, Some(token), "POST", "/v1/box/jobs", &job).0, 403);
        assert_eq!(server.post_bytes_as(token, "/v1/blobs", &structure()).0, 403);
    }
}

const INSTANCE: &str = "0123456789abcdef";

/// The attack: a worker leaves out what is not its own to leave out, so that a job ends with less than nothing measured; or tells of a network
/// what it does not compute, and calls it something else.
#[test]
fn a_worker_says_of_networks_only_what_it_measured() {
    let registry = Registry::default();
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let worker = |method: &str, path: &str, body: &Value| call(&server, Some(&staff.worker), method, path, body);
    let setup = json!({ "runtime": "onnxruntime", "batch_size": 1 });
    let body = registration("box", &json!({ "cpu": "Abacus" }), Some(setup));
    assert_eq!(worker("PUT", "/v1/workers/wim", &body).0, 200);
    let digests = [
        stored(&server, &staff.operator, &structure()),
        stored(
            &server,
            &staff.operator,
            &changed(|graph| graph.name = "another".into()),
        ),
    ];
    let plan = json!({ "architectures": digests, "names": ["mine", "yours"] }).to_string();
    let plan = stored(&server, &staff.operator, plan.as_bytes());
    let job = measuring(json!({ "space": "onnx", "count": 0, "plan": plan }));
    let (status, job) = call(&server, Some(&staff.operator), "POST", "/v1/box/jobs", &job);
    assert_eq!(status, 202, "{job}");
    let ask = json!({ "instance": INSTANCE, "wait_s": 0, "sent_at": now() });
    let (status, work) = worker("POST", "/v1/workers/wim/lease", &ask);
    assert_eq!((status, &work["space"]), (200, &Value::Null), "{work}");
    assert_eq!(work["batch"]["items"][0]["name"], "mine", "{work}");
    let fencing = &work["job"]["lease"]["fencing"];
    let job = format!("/v1/jobs/{}", work["job"]["id"]);
    let batch = |left_out: Value| {
        let body = json!({ "fencing": fencing, "limit": 8, "left_out": left_out });
        worker("POST", &format!("{job}/batch"), &body)
    };
    let (status, problem) =
        batch(json!([{ "architecture": format!("sha256:{}", "0".repeat(64)), "reason": "for fun" }]));
    assert_eq!(
        (status, &problem["errors"][0]["pointer"]),
        (422, &json!("/left_out/0/architecture")),
        "{problem}"
    );
    let (status, rest) = batch(json!([{ "architecture": digests[1], "reason": "x".repeat(100_000) }]));
    assert_eq!(
        (status, rest["items"].as_array().map(Vec::len)),
        (200, Some(1)),
        "{rest}"
    );

    let measured = |architecture: &str| {
        let network = json!({ "name": "\u{1b}[2Jlie", "operators": [[1, 3, 2, 1, 3, 64, 224, 112, 1, 1, 1, 1, 1]] });
        let digest = lglp_registry::Digest::of(architecture.as_bytes());
        let measurement = json!({
            "hardware": "box", "space": "onnx", "architecture": architecture, "digest": digest, "round": 0, "latency_ms": 7.5,
            "statistic": "guessed", "protocol": {}, "samples": [], "load_average": 0.0, "drift": false, "flags": [],
            "measured_at": now(), "process": "1@2026-11-27T12:00:00Z", "network": network,
        });
        let body = json!({ "fencing": fencing, "measurements": [measurement], "sent_at": now() });
        worker("POST", &format!("{job}/measurements"), &body)
    };
    // Neither what nobody stored, nor what is there and of no job.
    let strange = stored(
        &server,
        &staff.operator,
        &changed(|graph| graph.name = "a third".into()),
    );
    for other in [&format!("sha256:{}", "0".repeat(64)), &strange] {
        let (status, problem) = measured(other);
        assert_eq!(status, 422, "{other}: {problem}");
        let detail = problem["errors"][0]["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("the job does not measure it"), "{detail}");
    }
    let (status, answer) = measured(&digests[0]);
    assert_eq!((status, &answer["accepted"]), (200, &json!(1)), "{answer}");
    let (status, done) = worker("POST", &format!("{job}/finish"), &json!({ "fencing": fencing }));
    assert_eq!((status, &done["state"]), (200, &json!("succeeded")), "{done}");
    assert_eq!(done["result"]["measured"], 1, "{done}");
    assert_eq!(done["result"]["left_out"][0]["name"], "yours", "{done}");
    let reason = done["result"]["left_out"][0]["reason"].as_str().unwrap_or_default();
    assert!((1..1000).contains(&reason.len()), "{} bytes", reason.len());
    let (_, found) = server.call_as(&staff.viewer, "GET", "/v1/box/measurements?space=onnx", None);
    let network = &found[0]["network"];
    assert_eq!(network["name"], "mine", "{found}");
    assert!(
        network["operators"]
            .as_array()
            .is_some_and(|operators| operators.len() > 10),
        "{found}"
    );
}

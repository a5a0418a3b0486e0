//! Networks that a client sends to be measured: what runs them trusts what it reads.

use lglp_engine::networks::{GivenNetwork, RandomNetwork};
use lglp_onnx::Bytes;
use lglp_onnx::messages::*;
use lglp_tests::raw::memory;
use lglp_tests::{Registry, Server};
use prost::Message;
use serde_json::{Value, json};

use super::staff::{Staff, call, ended, measuring};

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

/// The attack: a model that is small to send has a weight of terabytes, which nobody reads, or a constant that a runtime makes when it loads it;
/// names files of the machine, or operators of somebody's library; or is none at all. Each costs itself alone.
#[test]
fn hostile_networks_are_left_out_one_by_one() {
    let registry = Registry::default();
    let staff = Staff::of(&registry);
    let server = registry.serve();
    let hostile: [(&str, Vec<u8>); 8] = [
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

//! Networks as ONNX files: those of the model's space are predicted as their architectures, others as the sum of their operators.

use std::path::PathBuf;

use lglp_engine::networks;
use lglp_onnx::messages::{
    AttributeProto, DimensionProto, FLOAT, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto,
};
use lglp_sdk::{Sampler, SearchSpace};
use lglp_tests::form::Part;
use lglp_tests::{HARDWARE, Registry, Server, root};
use prost::Message;
use serde_json::{Value, json};

use super::problem;

fn predict(server: &Server, parts: &[Part<'_>]) -> (u16, Value) {
    server.post_form(&format!("/v1/{HARDWARE}/predict"), parts)
}

/// A part of the form that holds a file.
fn file(onnx: &[u8]) -> (&'static str, Option<&'static str>, &[u8]) {
    ("network", Some("net.onnx"), onnx)
}

fn value(name: &str, shape: &[(&str, i64)]) -> ValueInfoProto {
    let mut value = ValueInfoProto::tensor(name, &vec![1; shape.len()]);
    let tensor = value
        .r#type
        .as_mut()
        .and_then(|kind| kind.tensor_type.as_mut())
        .expect("a tensor");
    tensor.shape.as_mut().expect("a shape").dim = shape
        .iter()
        .map(|(symbol, side)| DimensionProto {
            dim_value: (*side > 0).then_some(*side),
            dim_param: (*symbol).to_owned(),
        })
        .collect();
    value
}

fn node(op: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto::new(op, output, inputs, &[output], attribute)
}

/// Weights without values: a file says where else they are.
fn weights(name: &str, dims: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: FLOAT,
        data_location: 1,
        ..TensorProto::default()
    }
}

/// A residual network of two convolutions whose input is of any height and width.
fn residual() -> Vec<u8> {
    let pads = || vec![AttributeProto::ints("pads", vec![1; 4])];
    let graph = GraphProto {
        name: "residual".into(),
        input: vec![value("image", &[("batch", 0), ("", 3), ("height", 0), ("width", 0)])],
        output: vec![value("logits", &[("batch", 0), ("", 10)])],
        initializer: vec![
            weights("a", &[64, 3, 3, 3]),
            weights("b", &[64, 64, 3, 3]),
            weights("c", &[10, 64]),
        ],
        node: vec![
            node("Conv", &["image", "a"], "first", pads()),
            node("Relu", &["first"], "active", Vec::new()),
            node("Conv", &["active", "b"], "second", pads()),
            node("Add", &["second", "active"], "sum", Vec::new()),
            node("GlobalAveragePool", &["sum"], "mean", Vec::new()),
            node("Flatten", &["mean"], "flat", Vec::new()),
            node("Gemm", &["flat", "c"], "logits", vec![AttributeProto::int("transB", 1)]),
        ],
        ..GraphProto::default()
    };
    let model = ModelProto {
        ir_version: 9,
        graph: Some(graph),
        ..ModelProto::default()
    };
    model.encode_to_vec()
}

/// A file of its own folder.
fn written(registry: &Registry, name: &str, onnx: &[u8]) -> String {
    let path: PathBuf = registry.folder.path().join(name);
    std::fs::write(&path, onnx).expect("a file");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_file_of_an_architecture_is_predicted_as_the_architecture() {
    let registry = Registry::with_production("additive");
    let text = std::fs::read_to_string(root().join("catalog/spaces/mobilenetv3.toml")).expect("a space");
    let space = SearchSpace::from_toml(&text).expect("a space");
    let mut some: Vec<_> = Sampler::new(&space, 3).take(64).collect();
    // So that one fits into a form with its weights.
    some.sort_by_key(|architecture| networks::cost(&space, architecture).expect("a network").parameters);
    some.truncate(3);
    let texts: Vec<String> = some
        .iter()
        .map(|architecture| space.canonical_text(architecture))
        .collect();
    // Of any batch: what is predicted is of the target's.
    let files: Vec<Vec<u8>> = some
        .iter()
        .zip([1, 4, 1])
        .map(|(a, batch)| networks::build(&space, a, batch, 7).expect("a network").onnx)
        .collect();
    let paths: Vec<String> = (0..)
        .zip(&files)
        .map(|(at, onnx)| written(&registry, &format!("{at}.onnx"), onnx))
        .collect();

    let by = |names: &[String]| {
        let mut arguments = vec!["predict", "--hardware", HARDWARE];
        arguments.extend(names.iter().map(String::as_str));
        registry.json(&arguments)
    };
    let architectures = by(&texts);
    let mut alone = by(&paths);
    for (prediction, text) in alone["predictions"]
        .as_array_mut()
        .expect("predictions")
        .iter_mut()
        .zip(&texts)
    {
        let network = prediction
            .as_object_mut()
            .and_then(|fields| fields.remove("network"))
            .expect("a network");
        assert_eq!(network["architecture"], *text);
        assert_eq!(network["unknown_operators"], Value::Null);
        assert!(network["macs"].as_u64() > Some(100_000_000), "{network}");
    }
    assert_eq!(alone, architectures);

    let server = registry.serve();
    let light = |onnx: &Vec<u8>| lglp_onnx::without_weights(onnx.clone().into()).expect("a model");
    let forms = [files[0].clone(), light(&files[1]), light(&files[2])];
    let asked: Vec<_> = paths
        .iter()
        .zip(&forms)
        .map(|(path, onnx)| ("network", Some(path.as_str()), &onnx[..]))
        .collect();
    let (status, sent) = predict(&server, &asked);
    assert_eq!(status, 200, "{sent}");
    assert_eq!(sent, by(&paths), "the command leaves weights out, and asks the server");
    assert_eq!(
        sent["predictions"][2]["latency_ms"],
        architectures["predictions"][2]["latency_ms"]
    );
    let said = registry.ok(&["predict", "--hardware", HARDWARE, &paths[0]]);
    assert!(said.contains(&format!("it is {}", texts[0])), "{said}");
}

#[test]
fn operators_that_were_not_measured_are_named() {
    let registry = Registry::with_production("additive");
    let path = written(&registry, "residual.onnx", &residual());
    let shaped = ["predict", "--hardware", HARDWARE, &path, "--shape", "image=1x3x224x224"];
    let alone = registry.json(&shaped);
    let server = registry.serve();
    let onnx = residual();
    let shape = ("shape", None, &b"image=1x3x224x224"[..]);
    let (status, answer) = predict(&server, &[file(&onnx), shape]);
    assert_eq!(status, 200, "{answer}");
    let prediction = &answer["predictions"][0];
    assert_eq!(prediction["latency_ms"], alone["predictions"][0]["latency_ms"]);
    let network = &prediction["network"];
    // 224^2 places, 3x3 kernels, over 3 and 64 channels; ten classes.
    assert_eq!(network["macs"], 224 * 224 * 9 * 64 * (3 + 64) + 640);
    assert_eq!(network["parameters"], 9 * 64 * (3 + 64) + 640);
    assert_eq!(
        (&network["operators"], &network["architecture"]),
        (&json!(5), &Value::Null)
    );
    let unknown = network["unknown_operators"].as_array().expect("some").iter();
    let named: Vec<_> = unknown
        .clone()
        .map(|unknown| (&unknown["operator"], &unknown["count"]))
        .collect();
    assert!(named.contains(&(&json!("convolution 3x3"), &json!(1))), "{named:?}");
    assert!(
        named.contains(&(&json!("convolution 3x3, relu"), &json!(1))),
        "{named:?}"
    );
    let share: f64 = unknown.clone().filter_map(|unknown| unknown["share"].as_f64()).sum();
    let macs: f64 = unknown.filter_map(|unknown| unknown["macs_share"].as_f64()).sum();
    assert!(
        (0.5..=1.0 + 1e-9).contains(&share) && (0.99..=1.0).contains(&macs),
        "{share} {macs}"
    );
    assert_eq!(prediction["interval"], Value::Null);
    let why = prediction["no_interval"].as_str().expect("a reason");
    assert!(why.contains("not measured"), "{why}");

    let said = registry.ok(&shaped);
    assert!(
        said.contains("not measured, a guess: 1 of convolution 3x3, relu"),
        "{said}"
    );
    let refuse = ("unknown_operators", None, &b"refuse"[..]);
    let refused = predict(&server, &[file(&onnx), shape, refuse]);
    assert!(
        refused.1["detail"].to_string().contains("convolution 3x3, relu"),
        "{}",
        refused.1
    );
    assert_eq!(
        problem(refused),
        (422, "invalid-request".into(), vec!["/network/0".into()])
    );
    let said = registry.fails(&[&shaped[..], &["--refuse-unknown"]].concat());
    assert!(
        said.contains("/network/0") && said.contains("convolution 3x3, relu"),
        "{said}"
    );
}

#[test]
fn faulty_files_and_forms_are_pointed_at() {
    let registry = Registry::with_production("additive");
    let server = registry.serve();
    let onnx = residual();
    let shape = ("shape", None, &b"image=1x3x64x64"[..]);
    let text = |name: &'static str, text: &'static str| (name, None, text.as_bytes());
    let many: Vec<_> = (0..101).map(|_| file(&onnx)).collect();
    let name = "n".repeat(5000);
    let cases: [(&[Part<'_>], &str, &str); 16] = [
        (&[shape], "/network", "curl -F network=@net.onnx"),
        (&[file(&onnx)], "/network/0", "batchx3xheightxwidth"),
        (
            &[file(&onnx), file(b"no model"), shape],
            "/network/1",
            "it is no ONNX model",
        ),
        (
            &[file(&onnx), file(&onnx[..onnx.len() / 2]), shape],
            "/network/1",
            "net.onnx",
        ),
        (
            &[file(&onnx), text("shape", "image=1x3x64")],
            "/network/0",
            "does not fit",
        ),
        (
            &[file(&onnx), text("shape", "data=1x3x64x64")],
            "/network/0",
            "there are `image`",
        ),
        (
            &[file(&onnx), text("shape", "1x3x64x64")],
            "/shape/0",
            "write it like input=1x3x224x224",
        ),
        (&[file(&onnx), text("coverage", "2")], "/coverage", "0.01 to 0.999"),
        (
            &[file(&onnx), text("model", "1"), text("model", "1")],
            "/model",
            "comes twice",
        ),
        (&[file(&onnx), text("model", "a/b")], "/model", "neither an alias"),
        (
            &[file(&onnx), text("unknown_operators", "drop")],
            "/unknown_operators",
            "predict, refuse",
        ),
        (&[file(&onnx), text("hardware", "x")], "", "known: network, model"),
        (&many, "/network", "more than 100 networks"),
        (&[("network", Some(&name), &onnx)], "/network/0", "allowed: 4096"),
        (
            &[
                file(&onnx),
                text("unknown_operators", "refuse"),
                text("unknown_operators", "predict"),
            ],
            "/unknown_operators",
            "comes twice",
        ),
        (&[file(&onnx), shape, shape], "/shape/1", "has a shape already"),
    ];
    for (parts, pointer, detail) in cases {
        let answer = predict(&server, parts);
        assert!(answer.1.to_string().contains(detail), "{detail}: {}", answer.1);
        assert_eq!(
            problem(answer),
            (422, "invalid-request".into(), vec![pointer.into()]),
            "{detail}"
        );
    }
    let path = format!("/v1/{HARDWARE}/predict");
    for kind in ["multipart/form-data", "multipart/form-data; boundary="] {
        let (status, answer) = server.call("POST", &path, &[("Content-Type", kind)], Some("x"));
        assert_eq!(status, 422, "{kind}: {answer}");
    }
    let headers = [("Content-Type", "multipart/form-data; boundary=x")];
    let (status, answer) = server.call("POST", &path, &headers, Some("--x\r\nno part"));
    assert_eq!(status, 422, "{answer}");
    let large = vec![0; 65 << 20];
    let (status, answer) = predict(&server, &[file(&large)]);
    assert!([0, 413].contains(&status), "{answer}");
    assert_eq!(predict(&server, &[file(&onnx), shape]).0, 200, "the server goes on");
}

#[test]
fn a_version_that_reads_choices_predicts_no_other_networks() {
    let registry = Registry::with_production("gbdt");
    let server = registry.serve();
    let onnx = residual();
    let answer = predict(&server, &[file(&onnx), ("shape", None, b"image=1x3x64x64")]);
    assert!(answer.1.to_string().contains("such as `additive`"), "{}", answer.1);
    assert_eq!(problem(answer), (422, "invalid-request".into(), vec!["/model".into()]));
}

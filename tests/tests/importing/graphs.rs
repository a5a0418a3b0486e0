//! Networks with their graphs, as nn-Meter publishes them.

use lglp_registry::Measurement;
use lglp_tests::{Registry, root};
use serde_json::{Value, json};

/// A graph in the making: nodes as nn-Meter writes them.
#[derive(Default)]
struct Graph(serde_json::Map<String, Value>);

impl Graph {
    fn node(&mut self, name: &str, kind: &str, inputs: &[&str], output: &[i64], attributes: Value) {
        let about =
            json!({ "name": name, "type": kind, "output_shape": [output], "input_shape": [], "attr": attributes });
        let told = json!({ "inbounds": inputs, "attr": about, "outbounds": [] });
        self.0.insert(name.to_owned(), told);
    }

    fn convolution(&mut self, name: &str, input: &str, weights: [i64; 4], stride: i64, output: &[i64]) {
        let attributes = json!({
            "padding": "SAME", "strides": [stride, stride], "dilations": [1, 1], "weight_shape": weights,
            "kernel_shape": [weights[0], weights[1]], "data_format": "NHWC", "pads": [0, 0, 0, 0],
        });
        self.node(name, "Conv2D", &[input], output, attributes);
    }

    fn constant(&mut self, name: &str, value: f64) {
        self.node(
            name,
            "Const",
            &[],
            &[],
            json!({ "tensor_shape": [], "constant": [value] }),
        );
    }

    /// `x relu6(x + 3) / 6`, or without `x` before it.
    fn hard(&mut self, name: &str, input: &str, output: &[i64], gates: bool) -> String {
        let of = |part: &str| format!("{name}/{part}");
        self.constant(&of("3"), 3.0);
        self.constant(&of("6"), 1.0 / 6.0);
        self.node(&of("add"), "Add", &[input, &of("3")], output, json!({}));
        self.node(&of("Relu6"), "Relu6", &[&of("add")], output, json!({}));
        self.node(&of("mul"), "Mul", &[&of("Relu6"), &of("6")], output, json!({}));
        if gates {
            self.node(&of("mul_1"), "Mul", &[input, &of("mul")], output, json!({}));
            return of("mul_1");
        }
        of("mul")
    }
}

/// A network of so many channels with what nn-Meter's networks have: hard-swish that is spelled out, squeeze-and-excitation, a shuffle.
fn network(channels: i64) -> Value {
    let (c, half) = (channels, channels / 2);
    let (whole, one) = ([1, 16, 16, c], [1, 1, 1, c]);
    let mut graph = Graph::default();
    graph.node(
        "input_im_0",
        "Placeholder",
        &[],
        &[1, 32, 32, 3],
        json!({ "shape": [1, 32, 32, 3] }),
    );
    graph.convolution("conv1", "input_im_0", [3, 3, 3, c], 2, &whole);
    graph.node(
        "bn1",
        "FusedBatchNorm",
        &["conv1", "bn1/moving_variance/read"],
        &whole,
        json!({}),
    );
    let swish = graph.hard("hswish", "bn1", &whole, true);
    let window = json!({ "padding": "SAME", "strides": [1, 1], "dilations": [1, 1], "weight_shape": [3, 3, c, 1], "kernel_shape": [3, 3] });
    graph.node("depthwise", "DepthwiseConv2dNative", &[&swish], &whole, window);
    graph.node("relu", "Relu", &["depthwise"], &whole, json!({}));
    let pool = json!({ "padding": "VALID", "strides": [1, 1], "ksize": [16, 16] });
    graph.node("SE/AvgPool", "AvgPool", &["relu"], &one, pool);
    graph.convolution("SE/squeeze", "SE/AvgPool", [1, 1, c, 4], 1, &[1, 1, 1, 4]);
    graph.node(
        "SE/squeeze/BiasAdd",
        "BiasAdd",
        &["SE/squeeze"],
        &[1, 1, 1, 4],
        json!({}),
    );
    graph.node("SE/Relu", "Relu", &["SE/squeeze/BiasAdd"], &[1, 1, 1, 4], json!({}));
    graph.convolution("SE/excite", "SE/Relu", [1, 1, 4, c], 1, &one);
    graph.node("SE/excite/BiasAdd", "BiasAdd", &["SE/excite"], &one, json!({}));
    let gate = graph.hard("SE/gate", "SE/excite/BiasAdd", &one, false);
    graph.node("SE/mul", "Mul", &["relu", &gate], &whole, json!({}));
    graph.node("split", "Split", &["SE/mul"], &whole, json!({ "split_dim": [3] }));
    graph.convolution("branch", "split", [1, 1, half, half], 1, &[1, 16, 16, half]);
    graph.node(
        "concat",
        "ConcatV2",
        &["branch", "split"],
        &whole,
        json!({ "axis": [3] }),
    );
    graph.node(
        "apart",
        "Reshape",
        &["concat"],
        &[1, 16, 16, 2, half],
        json!({ "shape": [-1, 16, 16, 2, half] }),
    );
    graph.node(
        "shuffle",
        "Transpose",
        &["apart"],
        &[1, 16, 16, half, 2],
        json!({ "perm": [0, 1, 2, 4, 3] }),
    );
    graph.node(
        "together",
        "Reshape",
        &["shuffle"],
        &whole,
        json!({ "shape": [-1, 16, 16, c] }),
    );
    let window = json!({ "padding": "VALID", "strides": [1, 2, 2, 1], "ksize": [1, 2, 2, 1] });
    graph.node("pool", "MaxPool", &["together"], &[1, 8, 8, c], window);
    graph.node(
        "Mean",
        "Mean",
        &["pool"],
        &[1, c],
        json!({ "reduction_indices": [1, 2] }),
    );
    graph.node("Reshape", "Reshape", &["Mean"], &[-1, c], json!({ "shape": [-1, c] }));
    graph.node("fc", "MatMul", &["Reshape"], &[-1, 10], json!({}));
    Value::Object(graph.0)
}

/// Multiply-accumulates of such a network, by hand.
fn macs(c: u64) -> u64 {
    256 * c * 27 + 256 * c * 9 + 2 * (c * 4) + 256 * (c / 2) * (c / 2) + c * 10
}

fn line(name: &str, latency: Value, graph: &Value) -> String {
    json!({ "id": name, "cortexA76cpu_tflite21": latency, "adreno640gpu_tflite21": null, "graph": graph }).to_string()
        + "\n"
}

fn import(registry: &Registry, text: &str, more: &[&str]) -> std::process::Output {
    let file = registry.folder.path().join("tinys.jsonl");
    std::fs::write(&file, text).expect("written");
    let columns = root().join("catalog/imports/nn-meter.toml");
    let all = [
        "dataset",
        "import",
        file.to_str().expect("UTF-8"),
        "--columns",
        columns.to_str().expect("UTF-8"),
    ];
    registry.run(&[&all[..], more].concat())
}

const PHONE: [&str; 4] = ["--hardware", "phone", "--latency", "cortexA76cpu_tflite21"];

#[test]
fn graphs_of_nn_meter_teach_what_their_networks_take() {
    let registry = Registry::default();
    let channels: Vec<i64> = (4..40).map(|c| 4 * c).collect();
    let lines = channels.iter().map(|c| {
        let latency = 0.5 + macs(*c as u64) as f64 / 1e6;
        line(&format!("tiny_{c}"), json!(latency), &network(*c))
    });
    let mut text: String = lines.collect();
    text += &line("not_measured", Value::Null, &network(8));
    let done = import(&registry, &text, &PHONE);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.contains("phone: 36 measurements, 36 of them new"), "{said}");
    let again = import(&registry, &text, &PHONE);
    assert!(String::from_utf8_lossy(&again.stdout).contains("0 of them new"));

    let folder = registry.export("phone");
    let text = std::fs::read_to_string(folder.join("onnx.jsonl")).expect("exported");
    assert_eq!(text.lines().count(), channels.len());
    for line in text.lines() {
        let measurement: Measurement = serde_json::from_str(line).expect("a measurement");
        let network = measurement.network.expect("what it computes");
        let c: u64 = network.name.trim_start_matches("tiny_").parse().expect("its channels");
        let sum: u64 = network.operators.iter().map(|operator| operator[10]).sum();
        assert_eq!(sum, macs(c), "{}", network.name);
        let kinds: Vec<u64> = network.operators.iter().map(|operator| operator[0]).collect();
        // Activations, biases and batch normalization are part of what is before them, squeeze-and-excitation is one, reshapes are nothing:
        // two convolutions, depthwise, squeeze-and-excitation, split, concat, transpose, two pools, a product.
        assert_eq!(kinds.len(), 10, "{}: {kinds:?}", network.name);
        assert_eq!(
            network.operators[0][8], 2,
            "hard-swish is put together: {:?}",
            network.operators[0]
        );
    }
    let version = registry.json(&["train", "--hardware", "phone"]);
    let metrics = &version["content"]["networks"]["metrics"];
    assert!(metrics["mape"].as_f64().is_some_and(|mape| mape < 3.0), "{metrics}");
}

/// A figure under another network's name would teach nonsense: what is not sure is refused, with its line.
#[test]
fn graphs_that_are_not_understood_are_refused() {
    let registry = Registry::default();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut graph = network(16);
        change(&mut graph);
        line("odd", json!(3.5), &graph)
    };
    for (text, said) in [
        (
            changed(&|graph| graph["relu"]["attr"]["type"] = json!("Swishish")),
            "`Swishish` (node `relu`)",
        ),
        (
            changed(&|graph| graph["conv1"]["attr"]["output_shape"] = json!([[1, 15, 16, 16]])),
            "is said to give a side of 15, and gives 16",
        ),
        (
            changed(&|graph| graph["concat"]["attr"]["attr"]["axis"] = json!([1])),
            "does not tell its `axis`",
        ),
        (
            changed(&|graph| graph["conv1"]["attr"]["attr"]["padding"] = json!("MIRROR")),
            "does not tell its `padding`",
        ),
        (
            changed(&|graph| graph["branch"]["attr"]["attr"]["weight_shape"] = json!([1, 1, 3, 8])),
            "branch",
        ),
        (
            changed(&|graph| graph["conv1"]["inbounds"] = json!(["fc"])),
            "in a circle",
        ),
        (line("slow", json!(-3.0), &network(16)), "`-3.0` is no latency"),
        (
            json!({ "id": "odd" }).to_string(),
            "it has no `cortexA76cpu_tflite21`; there are id",
        ),
        ("{".to_owned(), "it is no JSON"),
    ] {
        let done = import(&registry, &text, &PHONE);
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success(), "{said}");
        assert!(error.contains("line 1") && error.contains(said), "{said}: {error}");
    }
    let done = import(&registry, &line("none", Value::Null, &network(16)), &PHONE);
    assert!(String::from_utf8_lossy(&done.stderr).contains("has no rows"));
    let done = import(&registry, "", &["--hardware", "phone"]);
    assert!(String::from_utf8_lossy(&done.stderr).contains("name one by --latency"));
}

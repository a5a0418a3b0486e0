//! What the reader of ONNX makes of the networks that are written here, and of those that are nearly these.

use std::collections::BTreeMap;

use lglp_engine::networks;
use lglp_onnx::messages::{AttributeProto, ModelProto, NodeProto};
use lglp_sdk::{Architecture, Sampler, SearchSpace};
use prost::Message;

fn space(name: &str) -> SearchSpace {
    let path = format!("{}/../catalog/spaces/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    SearchSpace::from_toml(&std::fs::read_to_string(path).expect("a file")).expect("a space")
}

/// The search spaces that are shipped.
fn spaces() -> impl Iterator<Item = SearchSpace> {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../catalog/spaces")).expect("a folder");
    folder.map(|file| {
        let name = file
            .expect("a file")
            .path()
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        space(&name)
    })
}

/// A network that is written as ONNX and read again has the operators that it was written from, whatever the batch, and is known for
/// the architecture that it is: what is predicted for an architecture is predicted for its file.
#[test]
fn a_written_network_is_read_as_its_operators() {
    for space in spaces() {
        let some: Vec<Architecture> = Sampler::new(&space, 7).take(12).collect();
        for (at, architecture) in some.iter().enumerate() {
            let batch = 1 + (at % 2) as u32;
            let written = networks::build(&space, architecture, batch, 1).expect("a network");
            let read = lglp_onnx::read(written.onnx.into(), &BTreeMap::new()).expect("a network");
            assert_eq!(read.batch, u64::from(batch));
            let mut expected = written.operators;
            for operator in &mut expected {
                (operator.block, operator.layer) = (0, 0);
            }
            for (read, expected) in read.operators.iter().zip(&expected) {
                assert_eq!(read, expected, "{}", space.canonical_text(architecture));
            }
            assert_eq!(read.operators.len(), expected.len());
            // Only a chain is known by its operators.
            let known = space.chain().map(|_| architecture);
            assert_eq!(networks::recognise(&space, &read).as_ref(), known);
        }
    }
}

/// The node of a name.
fn node<'a>(model: &'a mut ModelProto, name: &str) -> &'a mut NodeProto {
    let nodes = &mut model.graph.as_mut().expect("a graph").node;
    nodes
        .iter_mut()
        .find(|node| node.name == name)
        .expect("a node of the name")
}

/// What is done to a model.
type Change<'a> = &'a dyn Fn(&mut ModelProto);

/// Gives an attribute another value.
fn set(node: &mut NodeProto, attribute: AttributeProto) {
    node.attribute.retain(|known| known.name != attribute.name);
    node.attribute.push(attribute);
}

/// The story: a network of dilated kernels, one of 1x9 instead of 3x3, one whose last pool was another, and one that added an earlier value, had
/// the operators of an architecture, and were told to be it.
#[test]
fn a_network_that_is_nearly_an_architecture_is_none() {
    let space = space("ofa-mobilenetv3");
    let text = "ofa-mobilenetv3@224/s2-k3e3-k3e3i/s2-se-k3e3-k3e3i/s2-k3e3-k3e3i/s1-se-k3e3-k3e3i/s2-se-k3e3-k3e3i";
    let architecture = space.architecture_from_text(text).expect("an architecture");
    let whole = networks::build(&space, &architecture, 1, 0).expect("a network").onnx;
    let light = lglp_onnx::without_weights(whole.into()).expect("a model");
    let found = |change: Change<'_>| {
        let mut model = ModelProto::decode(&light[..]).expect("a model");
        change(&mut model);
        let read = lglp_onnx::read(model.encode_to_vec().into(), &BTreeMap::new()).expect("a network");
        networks::recognise(&space, &read)
    };
    assert_eq!(found(&|_| {}), Some(architecture.clone()));
    let depthwise = "block0.layer1.depthwise";
    let reshaped = |model: &mut ModelProto, kernel: [i64; 2], pads: [i64; 4]| {
        let weight = format!("{depthwise}.weight");
        let weights = &mut model.graph.as_mut().expect("a graph").initializer;
        let weight = weights.iter_mut().find(|known| known.name == weight).expect("weights");
        weight.dims[2..].copy_from_slice(&kernel);
        set(
            node(model, depthwise),
            AttributeProto::ints("kernel_shape", kernel.to_vec()),
        );
        set(node(model, depthwise), AttributeProto::ints("pads", pads.to_vec()));
    };
    let nearly: [(&str, Change<'_>); 8] = [
        ("dilated", &|model| {
            set(node(model, depthwise), AttributeProto::ints("dilations", vec![2; 2]));
            set(node(model, depthwise), AttributeProto::ints("pads", vec![2; 4]));
        }),
        ("1x9", &|model| reshaped(model, [1, 9], [0, 4, 0, 4])),
        ("padded on one side", &|model| reshaped(model, [3, 3], [0, 0, 2, 2])),
        ("another pool", &|model| {
            node(model, "head1").op_type = "GlobalMaxPool".into()
        }),
        ("another gate", &|model| {
            set(
                node(model, "block1.layer0.se.gate"),
                AttributeProto::float("alpha", 0.2),
            );
        }),
        ("an earlier value", &|model| {
            node(model, "block0.layer1.shortcut").input[1] = "block0.layer1.project.out".into();
        }),
        ("an oblong image", &|model| {
            let graph = model.graph.as_mut().expect("a graph");
            let kind = graph.input[0]
                .r#type
                .as_mut()
                .and_then(|kind| kind.tensor_type.as_mut());
            let shape = kind.and_then(|tensor| tensor.shape.as_mut()).expect("a shape");
            (shape.dim[2].dim_value, shape.dim[3].dim_value) = (Some(448), Some(112));
        }),
        ("a scaled classifier", &|model| {
            set(node(model, "classifier"), AttributeProto::float("alpha", 2.0))
        }),
    ];
    for (what, change) in nearly {
        assert_eq!(found(change), None, "{what}");
    }
}

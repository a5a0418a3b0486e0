//! What the reader of ONNX makes of the networks that are written here.

use std::collections::BTreeMap;

use lglp_engine::networks;
use lglp_sdk::{Architecture, Sampler, SearchSpace};

fn space(name: &str) -> SearchSpace {
    let path = format!("{}/../catalog/spaces/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    SearchSpace::from_toml(&std::fs::read_to_string(path).expect("a file")).expect("a space")
}

/// A network that is written as ONNX and read again has the operators that it was written from, whatever the batch, and is known for
/// the architecture that it is: what is predicted for an architecture is predicted for its file.
#[test]
fn a_written_network_is_read_as_its_operators() {
    for name in ["mobilenetv3", "ofa-mobilenetv3", "ofa-proxyless"] {
        let space = space(name);
        let some: Vec<Architecture> = Sampler::new(&space, 7).take(12).collect();
        for (at, architecture) in some.iter().enumerate() {
            let batch = 1 + (at % 2) as u32;
            let written = networks::build(&space, architecture, batch, 1);
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
            assert_eq!(
                networks::recognise(&space, &read.operators).as_ref(),
                Some(architecture)
            );
            // One layer less is none of them, or another one.
            let less = networks::recognise(&space, &read.operators[1..]);
            assert_ne!(less.as_ref(), Some(architecture));
        }
    }
}

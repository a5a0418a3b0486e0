//! What a prediction consists of, and what single changes would do to it: what a designer of networks asks next.

mod picture;

pub use picture::picture;

use lglp_openapi::explain::{LayerPart, OperatorPart};
use lglp_sdk::plugin::Operator;
use lglp_sdk::plugin::operator::{OPERATOR_NAMES, name_of};

use lglp_engine::predictor::Contributions;

/// The parts of a prediction by operator.
pub(crate) fn operator_parts(parts: &Contributions) -> Vec<OperatorPart> {
    let whole = parts.sum();
    let of = |(operator, value): (&Operator, &f64)| OperatorPart {
        kind: name_of(operator.kind, OPERATOR_NAMES).into(),
        block: operator.block,
        layer: operator.layer,
        kernel: operator.kernel,
        stride: operator.stride,
        channels_in: operator.channels_in,
        channels_out: operator.channels_out,
        side: operator.side_out,
        macs: operator.macs,
        value: *value,
        share: value / whole,
    };
    parts.operators.iter().zip(&parts.values).map(of).collect()
}

/// The parts of a prediction by layer of the searched blocks.
pub(crate) fn layer_parts(parts: &Contributions) -> Vec<LayerPart> {
    let whole = parts.sum();
    let mut layers: Vec<LayerPart> = Vec::new();
    let searched = parts
        .operators
        .iter()
        .zip(&parts.values)
        .filter(|(operator, _)| operator.block > 0);
    for (operator, value) in searched {
        let (block, layer) = (operator.block, operator.layer);
        match layers.last_mut() {
            Some(last) if (last.block, last.layer) == (block, layer) => {
                last.value += value;
                last.share += value / whole;
            }
            _ => layers.push(LayerPart {
                block,
                layer,
                value: *value,
                share: value / whole,
            }),
        }
    }
    layers
}

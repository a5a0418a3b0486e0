//! The table of a network's operators, as they are: one step for each, in the order in which they run, zeros behind the last.
//!
//! | columns | unit |
//! | --- | --- |
//! | kind, kernel, stride, groups | code (`OPERATOR_*` of the ABI); side of the kernel, pixels; pixels; count |
//! | channels in, channels out | count |
//! | side in, side out | height and width, pixels |
//! | activation | code (`ACTIVATION_*`) |
//! | block, layer | from 1; 0 outside of the searched ones |
//! | launches | count |
//! | multiply-accumulates | thousands |
//! | activation bytes, weight bytes | KiB |
//!
//! All of batch 1. Counts are exact up to 2^24, and amounts to 7 digits, as float32 has them.

use lglp_sdk::SearchSpace;
use lglp_sdk::plugin::{Networks, Operator, OperatorEncoder, PluginError, Shape};
use schemars::JsonSchema;
use serde::Deserialize;

/// Columns of a step.
const WIDTH: usize = 15;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {}

pub(crate) struct Operators;

impl OperatorEncoder for Operators {
    const NAME: &'static str = "operators";
    const SUMMARY: &'static str = "the table of a network's operators";
    type Parameters = Parameters;

    fn new(_: &SearchSpace, _: Parameters) -> Result<Self, PluginError> {
        Ok(Self)
    }

    fn shape(&self, operators: usize) -> Shape {
        Shape {
            steps: operators,
            width: WIDTH,
        }
    }

    fn encode(&self, networks: Networks<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        for (network, out) in networks.iter().zip(out.chunks_exact_mut(networks.most * WIDTH)) {
            if network.len() > networks.most {
                let message = format!("a network of {} operators; {} at most", network.len(), networks.most);
                return Err(PluginError::Failed(message));
            }
            for (operator, columns) in network.iter().zip(out.chunks_exact_mut(WIDTH)) {
                columns.copy_from_slice(&columns_of(operator));
            }
        }
        Ok(())
    }
}

fn columns_of(operator: &Operator) -> [f32; WIDTH] {
    let count = |value: u32| value as f32;
    [
        count(operator.kind),
        count(operator.kernel),
        count(operator.stride),
        count(operator.groups),
        count(operator.channels_in),
        count(operator.channels_out),
        count(operator.side_in),
        count(operator.side_out),
        count(operator.activation),
        count(operator.block),
        count(operator.layer),
        count(operator.launches),
        (operator.macs as f64 / 1e3) as f32,
        (operator.activation_bytes as f64 / 1024.0) as f32,
        (operator.weight_bytes as f64 / 1024.0) as f32,
    ]
}

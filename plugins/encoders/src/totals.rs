//! What a network adds up to: one flat row, for trees and other regressors that look for thresholds in amounts.
//!
//! | columns | unit |
//! | --- | --- |
//! | launches, multiply-accumulates, activation bytes, weight bytes of the whole network | count, thousands, KiB, KiB |
//! | the same of each of the first nine kinds of operators, in the order of `OPERATOR_NAMES` | |
//! | side of the network's input | pixels |
//!
//! All of batch 1. Operators of kinds that came later count for the whole network only.

use lglp_sdk::SearchSpace;
use lglp_sdk::plugin::operator::OPERATOR_NAMES;
use lglp_sdk::plugin::{Networks, Operator, OperatorEncoder, PluginError, Shape};
use schemars::JsonSchema;
use serde::Deserialize;

/// Amounts that are added up.
const AMOUNTS: usize = 4;

/// Kinds that have columns of their own: as many as there were when the first versions were fitted on them.
const KINDS: usize = 9;

/// Columns of a row.
const WIDTH: usize = AMOUNTS * (1 + KINDS) + 1;

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {}

pub(crate) struct Totals;

impl OperatorEncoder for Totals {
    const NAME: &'static str = "totals";
    const SUMMARY: &'static str = "launches, arithmetic and bytes of a network and of each kind of operator";
    type Parameters = Parameters;

    fn new(_: &SearchSpace, _: Parameters) -> Result<Self, PluginError> {
        Ok(Self)
    }

    fn shape(&self, _: usize) -> Shape {
        Shape { steps: 1, width: WIDTH }
    }

    fn encode(&self, networks: Networks<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        for (network, row) in networks.iter().zip(out.chunks_exact_mut(WIDTH)) {
            let columns = totals(network);
            for (value, column) in row.iter_mut().zip(columns) {
                *value = column as f32;
            }
        }
        Ok(())
    }
}

fn totals(network: &[Operator]) -> [f64; WIDTH] {
    let mut columns = [0.0; WIDTH];
    for operator in network {
        let amounts = [
            f64::from(operator.launches),
            operator.macs as f64 / 1e3,
            operator.activation_bytes as f64 / 1024.0,
            operator.weight_bytes as f64 / 1024.0,
        ];
        let kinds = &OPERATOR_NAMES[..KINDS];
        let kind = kinds.iter().position(|(code, _)| *code == operator.kind);
        for place in [Some(0), kind.map(|kind| kind + 1)].into_iter().flatten() {
            let sums = &mut columns[place * AMOUNTS..][..AMOUNTS];
            for (sum, amount) in sums.iter_mut().zip(amounts) {
                *sum += amount;
            }
        }
    }
    columns[WIDTH - 1] = network.first().map_or(0.0, |first| f64::from(first.side_in));
    columns
}

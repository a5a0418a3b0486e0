//! Attention (Vaswani et al., 2017, arXiv:1706.03762), spelled out as exporters do.

use super::{Projections, Scaling, Style};
use crate::networks::builder::{Fill, Tensor};
use crate::networks::random::Builder;

/// Weights that are added to scores.
pub(super) enum Bias {
    /// For each head and each pair of places: where they are to each other.
    Positions,
    /// For each sequence and each pair of places: which do not belong together.
    Mask,
}

impl Style {
    /// Attention of each sequence of `[sequences, places, features]` to itself.
    pub(super) fn attention(&self, net: &mut Builder, input: &Tensor, heads: u32, biases: &[Bias]) -> Tensor {
        let [sequences, places, features] = input.shape[..] else {
            unreachable!("attention is over sequences");
        };
        let of_head = features / heads;
        let split = |net: &mut Builder, value: &Tensor| {
            let apart = net.reshape(value, &[sequences, places, heads, of_head]);
            net.transpose(&apart, &[0, 2, 1, 3])
        };
        let [queries, keys, values] = match self.projections {
            Projections::Three => [(); 3].map(|()| {
                let value = self.linear(net, input, features, true);
                split(net, &value)
            }),
            Projections::Split => {
                let all = self.linear(net, input, 3 * features, true);
                let parts = net.split(&all, 2, &[features; 3]);
                [0, 1, 2].map(|at| split(net, &parts[at]))
            }
            Projections::Taken => {
                let all = self.linear(net, input, 3 * features, true);
                let apart = net.reshape(&all, &[sequences, places, 3, heads, of_head]);
                let turned = net.transpose(&apart, &[2, 0, 3, 1, 4]);
                [0, 1, 2].map(|at| net.gather(&turned, 0, at))
            }
        };
        let attended = self.attend(net, [&queries, &keys, &values], biases);
        self.linear(net, &attended, features, true)
    }

    /// What queries find, each of `[sequences, heads, places, features of a head]`; heads beside each other again.
    pub(super) fn attend(&self, net: &mut Builder, [queries, keys, values]: [&Tensor; 3], biases: &[Bias]) -> Tensor {
        let [sequences, heads, places, of_head] = queries.shape[..] else {
            unreachable!("heads are a dimension");
        };
        let root = f32::sqrt(of_head as f32);
        let turned = net.transpose(keys, &[0, 1, 3, 2]);
        let mut scores = match self.scaling {
            Scaling::Divided => {
                let scores = net.product(queries, &turned);
                net.with_number("Div", &scores, root)
            }
            Scaling::Multiplied => {
                let scores = net.product(queries, &turned);
                net.with_number("Mul", &scores, 1.0 / root)
            }
            Scaling::QueriesMultiplied => {
                let scaled = net.with_number("Mul", queries, 1.0 / root);
                net.product(&scaled, &turned)
            }
        };
        for bias in biases {
            let dims = match bias {
                Bias::Positions => [1, heads, places, places],
                Bias::Mask => [sequences, 1, places, places],
            };
            scores = net.with_weights("Add", &scores, &dims, Fill::Small);
        }
        let shares = net.softmax(&scores, -1);
        let found = net.product(&shares, values);
        let beside = net.transpose(&found, &[0, 2, 1, 3]);
        net.reshape(&beside, &[sequences, places, heads * of_head])
    }
}

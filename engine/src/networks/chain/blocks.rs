//! MobileNetV3's building blocks (Howard et al., 2019, arXiv:1905.02244).

use std::fmt::Arguments;

use lglp_sdk::plugin::abi::{
    OPERATOR_ADD, OPERATOR_DEPTHWISE, OPERATOR_EXPAND, OPERATOR_PROJECT, OPERATOR_SQUEEZE_EXCITE,
};
use lglp_sdk::space::Activation;

use super::graph::{Conv, Graph, Value};
use crate::networks::rounding::nearest_multiple;

/// An inverted residual: expand by 1x1, filter each channel, squeeze and excite, project by 1x1.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct InvertedResidual {
    pub kernel: u32,
    pub expansion: u32,
    pub stride: u32,
    pub channels: u32,
    pub se: bool,
    pub shortcut: bool,
    pub activation: Activation,
}

impl InvertedResidual {
    pub(super) fn append(&self, graph: &mut Graph, name: Arguments<'_>, input: &Value) -> Value {
        let inner = input.channels * self.expansion;
        let mut value = input.clone();
        if self.expansion > 1 {
            graph.begin(OPERATOR_EXPAND, &value);
            value = pointwise(graph, format_args!("{name}.expand"), &value, inner);
            value = graph.activation(format_args!("{name}.expand.activation"), &value, self.activation);
        }
        let depthwise = Conv {
            kernel: self.kernel,
            stride: self.stride,
            channels: inner,
            depthwise: true,
        };
        graph.begin(OPERATOR_DEPTHWISE, &value);
        value = graph.conv(format_args!("{name}.depthwise"), &value, depthwise);
        value = graph.activation(format_args!("{name}.depthwise.activation"), &value, self.activation);
        if self.se {
            graph.begin(OPERATOR_SQUEEZE_EXCITE, &value);
            value = squeeze_and_excite(graph, format_args!("{name}.se"), &value);
        }
        graph.begin(OPERATOR_PROJECT, &value);
        value = pointwise(graph, format_args!("{name}.project"), &value, self.channels);
        if self.shortcut {
            graph.begin(OPERATOR_ADD, &value);
            value = graph.add(format_args!("{name}.shortcut"), &value, input);
        }
        value
    }
}

fn squeeze_and_excite(graph: &mut Graph, name: Arguments<'_>, input: &Value) -> Value {
    let squeezed = graph.global_average_pool(format_args!("{name}.squeeze"), input);
    let reduced = pointwise(
        graph,
        format_args!("{name}.reduce"),
        &squeezed,
        nearest_multiple(input.channels / 4, 8),
    );
    let reduced = graph.activation(format_args!("{name}.reduce.activation"), &reduced, Activation::Relu);
    let gate = pointwise(graph, format_args!("{name}.excite"), &reduced, input.channels);
    let gate = graph.hard_sigmoid(format_args!("{name}.gate"), &gate);
    graph.scale(format_args!("{name}.scale"), input, &gate)
}

fn pointwise(graph: &mut Graph, name: Arguments<'_>, input: &Value, channels: u32) -> Value {
    let conv = Conv {
        kernel: 1,
        stride: 1,
        channels,
        depthwise: false,
    };
    graph.conv(name, input, conv)
}

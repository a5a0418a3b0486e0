//! MobileNetV3's building blocks (Howard et al., 2019, arXiv:1905.02244).

use super::graph::{Conv, Graph, Value};
use lglp_sdk::space::Activation;

/// An inverted residual: expand by 1x1, filter each channel, squeeze and excite, project by 1x1.
#[derive(Clone, Copy)]
pub struct InvertedResidual {
    pub kernel: u32,
    pub expansion: u32,
    pub stride: u32,
    pub channels: u32,
    pub se: bool,
    pub shortcut: bool,
    pub activation: Activation,
}

impl InvertedResidual {
    pub fn append(&self, graph: &mut Graph, name: &str, input: &Value) -> Value {
        let inner = input.channels * self.expansion;
        let mut value = input.clone();
        if self.expansion > 1 {
            value = pointwise(graph, &format!("{name}.expand"), &value, inner);
            value = graph.activation(&format!("{name}.expand.activation"), &value, self.activation);
        }
        let depthwise = Conv {
            kernel: self.kernel,
            stride: self.stride,
            channels: inner,
            depthwise: true,
        };
        value = graph.conv(&format!("{name}.depthwise"), &value, depthwise);
        value = graph.activation(&format!("{name}.depthwise.activation"), &value, self.activation);
        if self.se {
            value = squeeze_and_excite(graph, &format!("{name}.se"), &value);
        }
        value = pointwise(graph, &format!("{name}.project"), &value, self.channels);
        if self.shortcut {
            value = graph.add(&format!("{name}.shortcut"), &value, input);
        }
        value
    }
}

fn squeeze_and_excite(graph: &mut Graph, name: &str, input: &Value) -> Value {
    let squeezed = graph.global_average_pool(&format!("{name}.squeeze"), input);
    let reduced = pointwise(
        graph,
        &format!("{name}.reduce"),
        &squeezed,
        divisible_by_8(input.channels / 4),
    );
    let reduced = graph.activation(&format!("{name}.reduce.activation"), &reduced, Activation::Relu);
    let gate = pointwise(graph, &format!("{name}.excite"), &reduced, input.channels);
    let gate = graph.hard_sigmoid(&format!("{name}.gate"), &gate);
    graph.scale(&format!("{name}.scale"), input, &gate)
}

fn pointwise(graph: &mut Graph, name: &str, input: &Value, channels: u32) -> Value {
    let conv = Conv {
        kernel: 1,
        stride: 1,
        channels,
        depthwise: false,
    };
    graph.conv(name, input, conv)
}

/// The nearest multiple of 8, no more than 10 % below (`make_divisible` of the MobileNet papers' code).
fn divisible_by_8(channels: u32) -> u32 {
    let nearest = ((channels + 4) / 8 * 8).max(8);
    if nearest * 10 < channels * 9 {
        nearest + 8
    } else {
        nearest
    }
}

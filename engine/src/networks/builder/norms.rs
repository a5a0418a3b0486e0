//! Layer normalization, by its operator or spelled out, as exporters write it below opset 17.

use lglp_onnx::messages::AttributeProto;

use super::layers::Statistic;
use super::{Builder, Fill, Tensor};

const EPSILON: f32 = 1e-5;

impl<D> Builder<D> {
    /// Over the last dimension.
    pub(in crate::networks) fn layer_norm(&mut self, input: &Tensor, is_spelled_out: bool) -> Tensor {
        if is_spelled_out {
            return self.spelled_out(input, -1, &[input.features()]);
        }
        let features = [input.features()];
        let scale = self.weights(&features, Fill::AboutOne);
        let shift = self.weights(&features, Fill::Small);
        let attributes = vec![
            AttributeProto::int("axis", -1),
            AttributeProto::float("epsilon", EPSILON),
        ];
        self.node(
            "LayerNormalization",
            &[&input.name, &scale, &shift],
            input.shape.clone(),
            attributes,
        )
    }

    /// Over the channels of a feature map: with its channels last in between, or spelled out over the second dimension.
    pub(in crate::networks) fn channel_norm(&mut self, input: &Tensor, is_spelled_out: bool) -> Tensor {
        if is_spelled_out {
            return self.spelled_out(input, 1, &[input.channels(), 1, 1]);
        }
        let last = self.transpose(input, &[0, 2, 3, 1]);
        let normalized = self.layer_norm(&last, false);
        self.transpose(&normalized, &[0, 3, 1, 2])
    }

    fn spelled_out(&mut self, input: &Tensor, axis: i64, dims: &[u32]) -> Tensor {
        let mean = self.reduce(input, Statistic::Mean, &[axis]);
        let centred = self.binary("Sub", input, &mean);
        let square = self.with_number("Pow", &centred, 2.0);
        let variance = self.reduce(&square, Statistic::Mean, &[axis]);
        let positive = self.with_number("Add", &variance, EPSILON);
        let deviation = self.unary("Sqrt", &positive, Vec::new());
        let normalized = self.binary("Div", &centred, &deviation);
        let scaled = self.with_weights("Mul", &normalized, dims, Fill::AboutOne);
        self.with_weights("Add", &scaled, dims, Fill::Small)
    }

    /// Over groups of channels, as PyTorch exports it: normalization of instances, each of which is a group.
    pub(in crate::networks) fn group_norm(&mut self, input: &Tensor, groups: u32) -> Tensor {
        let places: u32 = input.shape.iter().product::<u32>() / groups;
        let grouped = self.reshape(input, &[1, groups, places]);
        let scale = self.floats(&vec![1.0; groups as usize]);
        let shift = self.floats(&vec![0.0; groups as usize]);
        let attributes = vec![AttributeProto::float("epsilon", EPSILON)];
        let names = [grouped.name.as_str(), &scale, &shift];
        let normalized = self.node("InstanceNormalization", &names, grouped.shape.clone(), attributes);
        let normalized = self.reshape(&normalized, &input.shape);
        let dims = [input.channels(), 1, 1];
        let scaled = self.with_weights("Mul", &normalized, &dims, Fill::AboutOne);
        self.with_weights("Add", &scaled, &dims, Fill::Small)
    }
}

//! Values that are put together, taken, or brought into another order.

use lglp_onnx::messages::{AttributeProto, INT64};

use super::{Builder, Fill, Tensor};

/// How values between known ones are found.
#[derive(Clone, Copy)]
pub(in crate::networks) enum Interpolation {
    Nearest,
    Linear,
}

impl<D> Builder<D> {
    pub(in crate::networks) fn concat(&mut self, parts: &[Tensor], axis: usize) -> Tensor {
        let mut shape = parts[0].shape.clone();
        shape[axis] = parts.iter().map(|part| part.shape[axis]).sum();
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        self.node("Concat", &names, shape, vec![AttributeProto::int("axis", axis as i64)])
    }

    pub(in crate::networks) fn reshape(&mut self, input: &Tensor, shape: &[u32]) -> Tensor {
        let sides: Vec<i64> = shape.iter().map(|side| i64::from(*side)).collect();
        let sides = self.ints(&sides);
        self.node("Reshape", &[&input.name, &sides], shape.to_vec(), Vec::new())
    }

    pub(in crate::networks) fn flatten(&mut self, input: &Tensor) -> Tensor {
        let batch = input.batch();
        let shape = vec![batch, input.shape.iter().product::<u32>() / batch];
        self.node("Flatten", &[&input.name], shape, vec![AttributeProto::int("axis", 1)])
    }

    pub(in crate::networks) fn transpose(&mut self, input: &Tensor, order: &[usize]) -> Tensor {
        let shape = order.iter().map(|at| input.shape[*at]).collect();
        let order = order.iter().map(|at| *at as i64).collect();
        self.node(
            "Transpose",
            &[&input.name],
            shape,
            vec![AttributeProto::ints("perm", order)],
        )
    }

    /// Drops a dimension of side 1.
    pub(in crate::networks) fn squeeze(&mut self, input: &Tensor, axis: usize) -> Tensor {
        let mut shape = input.shape.clone();
        shape.remove(axis);
        let axes = self.ints(&[axis as i64]);
        self.node("Squeeze", &[&input.name, &axes], shape, Vec::new())
    }

    /// Parts of these sizes along a dimension.
    pub(in crate::networks) fn split(&mut self, input: &Tensor, axis: usize, sizes: &[u32]) -> Vec<Tensor> {
        let shapes = sizes.iter().map(|size| {
            let mut shape = input.shape.clone();
            shape[axis] = *size;
            shape
        });
        let shapes = shapes.collect();
        let sizes: Vec<i64> = sizes.iter().map(|size| i64::from(*size)).collect();
        let sizes = self.ints(&sizes);
        let attributes = vec![AttributeProto::int("axis", axis as i64)];
        self.nodes("Split", &[&input.name, &sizes], shapes, attributes)
    }

    /// Every `step`th part from `start` to `end` of a dimension.
    pub(in crate::networks) fn slice(
        &mut self,
        input: &Tensor,
        axis: usize,
        [start, end]: [u32; 2],
        step: u32,
    ) -> Tensor {
        let mut shape = input.shape.clone();
        shape[axis] = (end - start).div_ceil(step);
        let numbers = [start, end, axis as u32, step].map(|number| self.ints(&[i64::from(number)]));
        let [start, end, axis, step] = &numbers;
        self.node("Slice", &[&input.name, start, end, axis, step], shape, Vec::new())
    }

    /// What a table holds for each word of an input of the model. Words come as floats, since all that measures gives networks these; numbers
    /// about 0 are words too, counted from the end where they are below.
    pub(in crate::networks) fn embedded(&mut self, words: &[u32], vocabulary: u32, features: u32) -> Tensor {
        let input = self.input(words);
        let to = vec![AttributeProto::int("to", i64::from(INT64))];
        let words = self.unary("Cast", &input, to);
        let table = self.weights(&[vocabulary, features], Fill::Small);
        let shape = [&input.shape[..], &[features]].concat();
        let attributes = vec![AttributeProto::int("axis", 0)];
        self.node("Gather", &[&table, &words.name], shape, attributes)
    }

    /// A token that is learned, the same for each input: `[batch, 1, features]`.
    pub(in crate::networks) fn repeated(&mut self, features: u32, batch: u32) -> Tensor {
        let weights = self.weights(&[1, 1, features], Fill::Small);
        let token = Tensor {
            name: weights,
            shape: vec![1, 1, features],
        };
        if batch == 1 {
            return token;
        }
        let shape = self.ints(&[i64::from(batch), 1, i64::from(features)]);
        self.node("Expand", &[&token.name, &shape], vec![batch, 1, features], Vec::new())
    }

    /// One part of a dimension, which goes.
    pub(in crate::networks) fn gather(&mut self, input: &Tensor, axis: usize, index: u32) -> Tensor {
        let mut shape = input.shape.clone();
        shape.remove(axis);
        let index = self.int(i64::from(index));
        self.node(
            "Gather",
            &[&input.name, &index],
            shape,
            vec![AttributeProto::int("axis", axis as i64)],
        )
    }

    /// Zeros below and to the right of a feature map.
    pub(in crate::networks) fn pad(&mut self, input: &Tensor, [height, width]: [u32; 2]) -> Tensor {
        let mut shape = input.shape.clone();
        shape[2] += height;
        shape[3] += width;
        let pads = self.ints(&[0, 0, 0, 0, 0, 0, i64::from(height), i64::from(width)]);
        self.node(
            "Pad",
            &[&input.name, &pads],
            shape,
            vec![AttributeProto::string("mode", "constant")],
        )
    }

    /// A feature map of other sides: by factors where they are whole, else by the sides themselves.
    pub(in crate::networks) fn resize(
        &mut self,
        input: &Tensor,
        sides: [u32; 2],
        interpolation: Interpolation,
    ) -> Tensor {
        let before = input.sides();
        let mut shape = input.shape.clone();
        shape[2..].copy_from_slice(&sides);
        let (mode, coordinates) = match interpolation {
            Interpolation::Nearest => ("nearest", "asymmetric"),
            Interpolation::Linear => ("linear", "pytorch_half_pixel"),
        };
        let attributes = vec![
            AttributeProto::string("coordinate_transformation_mode", coordinates),
            AttributeProto::string("mode", mode),
            AttributeProto::string("nearest_mode", "floor"),
        ];
        if sides[0].is_multiple_of(before[0]) && sides[1].is_multiple_of(before[1]) {
            let factors = [1.0, 1.0, (sides[0] / before[0]) as f32, (sides[1] / before[1]) as f32];
            let factors = self.floats(&factors);
            return self.node("Resize", &[&input.name, "", &factors], shape, attributes);
        }
        let whole: Vec<i64> = shape.iter().map(|side| i64::from(*side)).collect();
        let whole = self.ints(&whole);
        self.node("Resize", &[&input.name, "", "", &whole], shape, attributes)
    }

    /// The channels of a feature map dealt out anew, so that groups hear of each other.
    pub(in crate::networks) fn shuffle_channels(&mut self, input: &Tensor, groups: u32) -> Tensor {
        let [height, width] = input.sides();
        let channels = input.channels();
        let dealt = self.reshape(input, &[input.batch(), groups, channels / groups, height, width]);
        let turned = self.transpose(&dealt, &[0, 2, 1, 3, 4]);
        self.reshape(&turned, &[input.batch(), channels, height, width])
    }

    /// Channels that become places: a square of `side` of them each.
    pub(in crate::networks) fn depth_to_space(&mut self, input: &Tensor, side: u32) -> Tensor {
        let [height, width] = input.sides();
        let shape = vec![
            input.batch(),
            input.channels() / side / side,
            side * height,
            side * width,
        ];
        let attributes = vec![
            AttributeProto::int("blocksize", i64::from(side)),
            AttributeProto::string("mode", "CRD"),
        ];
        self.node("DepthToSpace", &[&input.name], shape, attributes)
    }

    /// A feature map as a sequence of its places: `[batch, height x width, channels]`.
    pub(in crate::networks) fn sequence_of(&mut self, input: &Tensor) -> Tensor {
        let [height, width] = input.sides();
        let flat = self.reshape(input, &[input.batch(), input.channels(), height * width]);
        self.transpose(&flat, &[0, 2, 1])
    }

    /// A sequence of places as the feature map that it stems from.
    pub(in crate::networks) fn map_of(&mut self, input: &Tensor, [height, width]: [u32; 2]) -> Tensor {
        let turned = self.transpose(input, &[0, 2, 1]);
        self.reshape(&turned, &[input.batch(), input.features(), height, width])
    }
}

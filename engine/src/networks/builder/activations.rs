//! Activations, by their operator or spelled out, as exporters write them at opset 17.

use lglp_onnx::messages::AttributeProto;

use super::{Builder, Fill, Tensor};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::networks) enum Activation {
    Relu,
    /// A `Clip` between 0 and 6.
    Relu6,
    HardSwish,
    /// `x * clip(x + 3, 0, 6) / 6`.
    HardSwishSpelledOut,
    HardSigmoid,
    /// `clip(x + 3, 0, 6) / 6`.
    HardSigmoidSpelledOut,
    Sigmoid,
    /// `x * sigmoid(x)`, also called SiLU.
    Swish,
    Tanh,
    LeakyRelu,
    PRelu,
    Elu,
    /// `x * tanh(softplus(x))`.
    Mish,
    /// `x / 2 * (1 + erf(x / sqrt 2))`.
    Gelu,
    /// `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))`.
    GeluByTanh,
    /// `x * sigmoid(1.702 x)`.
    QuickGelu,
}

impl<D> Builder<D> {
    pub(in crate::networks) fn activation(&mut self, input: &Tensor, activation: Activation) -> Tensor {
        let float = AttributeProto::float;
        match activation {
            Activation::Relu => self.unary("Relu", input, Vec::new()),
            Activation::Relu6 => self.clip(input),
            Activation::HardSwish => self.unary("HardSwish", input, Vec::new()),
            Activation::HardSwishSpelledOut => {
                let shifted = self.with_number("Add", input, 3.0);
                let clipped = self.clip(&shifted);
                let product = self.binary("Mul", input, &clipped);
                self.with_number("Div", &product, 6.0)
            }
            Activation::HardSigmoid => {
                let attributes = vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)];
                self.unary("HardSigmoid", input, attributes)
            }
            Activation::HardSigmoidSpelledOut => {
                let shifted = self.with_number("Add", input, 3.0);
                let clipped = self.clip(&shifted);
                self.with_number("Div", &clipped, 6.0)
            }
            Activation::Sigmoid => self.unary("Sigmoid", input, Vec::new()),
            Activation::Swish => {
                let gate = self.unary("Sigmoid", input, Vec::new());
                self.binary("Mul", input, &gate)
            }
            Activation::Tanh => self.unary("Tanh", input, Vec::new()),
            Activation::LeakyRelu => self.unary("LeakyRelu", input, vec![float("alpha", 0.1)]),
            Activation::PRelu => {
                let slopes = [input.channels(), 1, 1];
                self.with_weights("PRelu", input, &slopes, Fill::Small)
            }
            Activation::Elu => self.unary("Elu", input, vec![float("alpha", 1.0)]),
            Activation::Mish => {
                let softplus = self.unary("Softplus", input, Vec::new());
                let gate = self.unary("Tanh", &softplus, Vec::new());
                self.binary("Mul", input, &gate)
            }
            Activation::Gelu => {
                let scaled = self.with_number("Div", input, std::f32::consts::SQRT_2);
                let error = self.unary("Erf", &scaled, Vec::new());
                let shifted = self.with_number("Add", &error, 1.0);
                let product = self.binary("Mul", input, &shifted);
                self.with_number("Mul", &product, 0.5)
            }
            Activation::GeluByTanh => {
                let half = self.with_number("Mul", input, 0.5);
                let cube = self.with_number("Pow", input, 3.0);
                let bent = self.with_number("Mul", &cube, 0.044_715);
                let sum = self.add(input, &bent);
                let scaled = self.with_number("Mul", &sum, 0.797_884_6);
                let gate = self.unary("Tanh", &scaled, Vec::new());
                let shifted = self.with_number("Add", &gate, 1.0);
                self.binary("Mul", &half, &shifted)
            }
            Activation::QuickGelu => {
                let scaled = self.with_number("Mul", input, 1.702);
                let gate = self.unary("Sigmoid", &scaled, Vec::new());
                self.binary("Mul", input, &gate)
            }
        }
    }

    /// What lies between 0 and 6.
    fn clip(&mut self, input: &Tensor) -> Tensor {
        let (least, most) = (self.scalar(0.0), self.scalar(6.0));
        self.node("Clip", &[&input.name, &least, &most], input.shape.clone(), Vec::new())
    }
}

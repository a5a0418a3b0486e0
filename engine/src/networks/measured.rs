//! Networks as measurements hold them: the table of their operators.

use lglp_onnx::Rules;
use lglp_registry::{MeasuredNetwork, Peculiar};
use lglp_sdk::plugin::abi::Operator;
use serde_json::Value;

/// A network of no space, and what was measured of it.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledNetwork {
    /// What its measurements are found by: the SHA-256 of its model without the weights.
    pub architecture: String,
    /// What it computes.
    pub network: MeasuredNetwork,
    /// In the unit of what is measured.
    pub label: f64,
}

/// A network as its measurement holds it, by the rules of the runtime that measures it; `name` is what people call it.
pub fn measured(name: &str, network: &lglp_onnx::Network, rules: Option<&Rules>) -> MeasuredNetwork {
    let executed = network.executed(rules);
    let peculiar = executed.peculiar.into_iter().enumerate();
    let peculiar = peculiar.filter_map(|(operator, is)| {
        let is = is?.to_owned();
        Some(Peculiar { operator, is })
    });
    MeasuredNetwork {
        name: name.to_owned(),
        operators: executed.operators.iter().map(numbers).collect(),
        rules: rules.map(Rules::name),
        peculiar: peculiar.collect(),
    }
}

/// The rules by which the runtime of a fingerprint executes networks on its machine; `None` where it is not known to differ from others.
pub fn rules_of(fingerprint: &Value) -> Option<Rules> {
    // A target's runtime may go by a name of its machine's; what it is, it says itself.
    let runtime = fingerprint
        .get("runtime")
        .filter(|runtime| runtime["device"] == "cpu")?;
    let simd = fingerprint.get("simd")?.as_array()?;
    Rules::of(runtime["runtime"].as_str()?, simd.iter().filter_map(Value::as_str))
}

/// The operators of a network that was measured.
pub fn operators_of(network: &MeasuredNetwork) -> Vec<Operator> {
    network.operators.iter().map(operator).collect()
}

/// The multiply-accumulates of a network that was measured.
pub fn macs_of(network: &MeasuredNetwork) -> u64 {
    network.operators.iter().map(|numbers| numbers[MACS]).sum()
}

/// The place of the multiply-accumulates among the numbers.
const MACS: usize = 10;

/// The numbers of an operator, in the order of [`OPERATOR_FIELDS`](lglp_registry::OPERATOR_FIELDS).
fn numbers(operator: &Operator) -> [u64; 13] {
    [
        operator.kind.into(),
        operator.kernel.into(),
        operator.stride.into(),
        operator.groups.into(),
        operator.channels_in.into(),
        operator.channels_out.into(),
        operator.side_in.into(),
        operator.side_out.into(),
        operator.activation.into(),
        operator.launches.into(),
        operator.macs,
        operator.activation_bytes,
        operator.weight_bytes,
    ]
}

/// What a registry holds may be from anywhere: a number that an operator cannot have becomes the largest that it can.
fn operator(numbers: &[u64; 13]) -> Operator {
    let small = |at: usize| u32::try_from(numbers[at]).unwrap_or(u32::MAX);
    Operator {
        kind: small(0),
        kernel: small(1),
        stride: small(2),
        groups: small(3),
        channels_in: small(4),
        channels_out: small(5),
        side_in: small(6),
        side_out: small(7),
        activation: small(8),
        block: 0,
        layer: 0,
        launches: small(9),
        macs: numbers[MACS],
        activation_bytes: numbers[11],
        weight_bytes: numbers[12],
    }
}

//! The table of a network's operators: what each step costs, whatever it runs on.

use lglp_sdk::plugin::abi::*;

use crate::error::OnnxError;
use crate::fact::MOST_ELEMENTS;
use crate::graph::{Graph, ValueId};
use crate::rewrite::{SQUEEZE_EXCITE, Step, Steps};
use crate::shapes::einsum::Einsum;
use crate::shapes::windows;
use crate::{Network, Origin, peculiar};

/// Of a value: float32.
pub(crate) const BYTES: u64 = 4;

/// Activations that runtimes let the step before them do.
const FUSED: [&str; 7] = [
    "Relu",
    "HardSwish",
    "Clip",
    "LeakyRelu",
    "Sigmoid",
    "HardSigmoid",
    "Tanh",
];

/// The steps that they do it in.
const FUSING: [&str; 6] = ["Conv", "ConvTranspose", "Gemm", "MatMul", "Add", "Sum"];

/// The operators of a graph.
///
/// # Errors
/// `Node`, for one that computes more than any network.
pub(crate) fn of(graph: &Graph) -> Result<Network, OnnxError> {
    let mut steps = Steps::of(graph);
    let (activations, unusual) = fuse(&mut steps);
    let mut table = Vec::new();
    for (at, step) in steps.iter() {
        let operator = operator(graph, step).map_err(|message| {
            let node = &graph.nodes[step.node].proto;
            OnnxError::Node {
                node: node.name.clone(),
                op: node.op_type.clone(),
                message,
            }
        })?;
        table.push((at, operator));
    }
    for (at, operator) in &mut table {
        if activations[*at] != ACTIVATION_NONE {
            operator.activation = activations[*at];
        }
    }
    let mut placed = vec![None; activations.len()];
    for (at, operator) in &table {
        placed[*at] = Some(operator.kind);
    }
    let kind_at = |at: usize| placed[at];
    let kinds: Vec<u32> = table
        .iter()
        .map(|(at, operator)| role(&steps, *at, operator, &kind_at))
        .collect();
    for ((_, operator), kind) in table.iter_mut().zip(kinds) {
        operator.kind = kind;
    }
    let mut places = vec![None; activations.len()];
    for (place, (at, _)) in steps.iter().enumerate() {
        places[at] = Some(place);
    }
    let reads = |step: &Step| {
        let computed = step.inputs.iter().filter(|id| !graph.facts[**id].is_constant());
        let place = |id: &ValueId| steps.producer(*id).and_then(|at| places[at]);
        computed.map(place).collect()
    };
    let origins = steps.iter().map(|(at, step)| Origin {
        op: step.op.clone(),
        node: graph.nodes[step.node].proto.name.clone(),
        reads: reads(step),
        has_bias: step.has_bias,
        spelled_out: step.spelled_out.clone(),
        rank: graph.facts[step.outputs[0]].shape.len(),
        is_output: step.outputs.iter().any(|id| steps.is_output(*id)),
        peculiar: peculiar::of(graph, step),
        is_plain: !unusual[at] && peculiar::is_plain(graph, step),
    });
    let origins: Vec<Origin> = origins.collect();
    if origins.is_empty() {
        return Err(OnnxError::Empty);
    }
    check_totals(table.iter().map(|(_, operator)| operator))?;
    Ok(Network {
        batch: graph.batch,
        operators: table.into_iter().map(|(_, operator)| operator).collect(),
        origins,
    })
}

/// Refuses a table whose sums are those of no network, so that nobody who adds it up has to mind them.
fn check_totals<'a>(operators: impl Iterator<Item = &'a Operator>) -> Result<(), OnnxError> {
    let mut totals = [0u64; 3];
    for operator in operators {
        for (total, more) in totals
            .iter_mut()
            .zip([operator.macs, operator.activation_bytes, operator.weight_bytes])
        {
            *total = total.saturating_add(more);
        }
    }
    match totals.iter().all(|total| *total <= MOST_ELEMENTS) {
        true => Ok(()),
        false => Err(OnnxError::TooMuch {
            what: "more multiply-accumulates or bytes than any network".into(),
            most: MOST_ELEMENTS,
        }),
    }
}

/// Lets steps do the activations behind them; what each step does so, by its place, and whether that has other constants than its like.
pub(crate) fn fuse(steps: &mut Steps<'_>) -> (Vec<u32>, Vec<bool>) {
    let candidates: Vec<usize> = steps.iter().map(|(at, _)| at).collect();
    let places = candidates.last().map_or(0, |last| last + 1);
    let (mut fused, mut unusual) = (vec![ACTIVATION_NONE; places], vec![false; places]);
    for at in candidates {
        let Some(step) = steps.get(at).filter(|step| FUSING.contains(&step.op.as_str())) else {
            continue;
        };
        let behind = steps.sole_consumer(step.outputs[0]);
        let Some(behind) = behind.filter(|behind| steps.is_alike(at, *behind)) else {
            continue;
        };
        let Some(activation) = steps.get(behind).filter(|step| FUSED.contains(&step.op.as_str())) else {
            continue;
        };
        fused[at] = activation_of(&activation.op);
        unusual[at] = !peculiar::is_usual(steps.graph, activation);
        steps.absorb(at, behind);
    }
    (fused, unusual)
}

fn activation_of(op: &str) -> u32 {
    match op {
        "Relu" => ACTIVATION_RELU,
        "HardSwish" => ACTIVATION_HARD_SWISH,
        "Clip" => ACTIVATION_CLIP,
        "Sigmoid" => ACTIVATION_SIGMOID,
        "HardSigmoid" => ACTIVATION_HARD_SIGMOID,
        "Tanh" => ACTIVATION_TANH,
        "LeakyRelu" | "PRelu" | "ThresholdedRelu" => ACTIVATION_LEAKY_RELU,
        "Swish" => ACTIVATION_SWISH,
        "Gelu" | "Erf" => ACTIVATION_GELU,
        "Celu" | "Elu" | "Exp" | "Mish" | "Selu" | "Softplus" => ACTIVATION_EXPONENTIAL,
        _ => ACTIVATION_NONE,
    }
}

/// Of a 1x1 convolution, what it does for the step beside it: it widens for a depthwise convolution, or narrows what that, or
/// squeeze-and-excitation behind it, gives.
fn role(steps: &Steps<'_>, at: usize, operator: &Operator, kind_at: &dyn Fn(usize) -> Option<u32>) -> u32 {
    if operator.kind != OPERATOR_POINTWISE {
        return operator.kind;
    }
    let Some(step) = steps.get(at) else {
        return operator.kind;
    };
    let before = steps.producer(step.inputs[0]).and_then(kind_at);
    let narrows = matches!(before, Some(OPERATOR_DEPTHWISE | OPERATOR_SQUEEZE_EXCITE));
    let behind = steps.sole_consumer(step.outputs[0]).and_then(kind_at);
    match (narrows, behind) {
        (true, _) if operator.activation == ACTIVATION_NONE => OPERATOR_PROJECT,
        (false, Some(OPERATOR_DEPTHWISE)) => OPERATOR_EXPAND,
        _ => OPERATOR_POINTWISE,
    }
}

/// What a step costs for one input of the batch.
fn operator(graph: &Graph, step: &Step) -> Result<Operator, String> {
    if step.op == SQUEEZE_EXCITE {
        return squeeze_excite(graph, step);
    }
    let shape = |id: &ValueId| graph.facts[*id].shape.as_slice();
    let computed: Vec<&ValueId> = step
        .inputs
        .iter()
        .filter(|id| !graph.facts[**id].is_constant())
        .collect();
    let input = computed.first().map_or(&[][..], |id| shape(id));
    let output = shape(&step.outputs[0]);
    let kind = kind(graph, step, input, output);
    let mut operator = Operator {
        kind,
        activation: if kind == OPERATOR_ELEMENT_WISE {
            activation_of(&step.op)
        } else {
            ACTIVATION_NONE
        },
        launches: 1,
        ..Operator::default()
    };
    let is_sequence = |shape: &[u64]| match kind {
        OPERATOR_FULLY_CONNECTED | OPERATOR_RECURRENT => true,
        _ => shape.len() == 3 && !windows::has_channels_first(&step.op),
    };
    (operator.channels_in, operator.side_in) = sides(input, is_sequence(input));
    (operator.channels_out, operator.side_out) = sides(output, is_sequence(output));
    if let (OPERATOR_FULLY_CONNECTED, Some(weights)) = (kind, weights(graph, step)) {
        // However its input was laid out before.
        let inner = if step.op == "Gemm" && is_flipped(graph, step) {
            weights[1]
        } else {
            weights[0]
        };
        let places = output.iter().product::<u64>() / output.last().copied().unwrap_or(1).max(1) / graph.batch;
        operator.channels_in = narrow(inner);
        operator.side_in = side_of(places);
        operator.side_out = operator.side_in;
    }
    window(graph, step, &mut operator)?;
    let elements = |id: &ValueId| shape(id).iter().product::<u64>();
    // One value may be read thousands of times.
    let moved = computed
        .into_iter()
        .chain(&step.outputs)
        .try_fold(0u64, |moved, id| moved.checked_add(elements(id)));
    let moved = moved
        .and_then(|moved| moved.checked_mul(BYTES))
        .ok_or("it moves more than any network")?;
    operator.activation_bytes = moved.div_ceil(graph.batch);
    operator.weight_bytes = BYTES * parameters(graph, step, output);
    operator.macs = macs(graph, step, kind)? / graph.batch;
    Ok(operator)
}

/// The shape of a step's weights, where it has any.
fn weights<'a>(graph: &'a Graph, step: &Step) -> Option<&'a [u64]> {
    let is_weighted = matches!(
        step.op.as_str(),
        "Conv" | "ConvTranspose" | "Gemm" | "MatMul" | "LSTM" | "GRU" | "RNN"
    );
    let id = *step.inputs.get(1).filter(|_| is_weighted)?;
    graph.facts[id].is_constant().then(|| graph.facts[id].shape.as_slice())
}

/// The numbers of a step's weights and biases.
fn parameters(graph: &Graph, step: &Step, output: &[u64]) -> u64 {
    let elements = |id: &ValueId| graph.facts[*id].shape.iter().product::<u64>();
    let constants = |ids: &mut dyn Iterator<Item = &ValueId>| {
        let constants = ids.filter(|id| graph.facts[**id].is_constant());
        constants.map(elements).sum::<u64>()
    };
    match step.op.as_str() {
        // Weights of the input, weights of the state, biases.
        "LSTM" | "GRU" | "RNN" => constants(&mut graph.nodes[step.node].inputs.iter().skip(1).take(3).flatten()),
        "Einsum" => constants(&mut step.inputs.iter()),
        "Conv" | "ConvTranspose" | "Gemm" | "MatMul" => {
            // A product may have them on either side.
            let weights = constants(&mut step.inputs.iter().take(2));
            let channels = match step.op.starts_with("Conv") {
                true => output.get(1),
                false => output.last(),
            };
            let biases = channels.filter(|_| step.has_bias && weights > 0);
            weights + biases.copied().unwrap_or(0)
        }
        _ => 0,
    }
}

fn is_flipped(graph: &Graph, step: &Step) -> bool {
    graph.call(&graph.nodes[step.node]).int("transB", 0) != 0
}

fn kind(graph: &Graph, step: &Step, input: &[u64], output: &[u64]) -> u32 {
    let pools_all = input.len() == 4 && output.iter().product::<u64>() == input[..2].iter().product::<u64>();
    match step.op.as_str() {
        "Conv" => convolution(graph, step, output),
        "ConvTranspose" => OPERATOR_TRANSPOSED,
        "Gemm" | "MatMul" if weights(graph, step).is_some_and(|weights| weights.len() == 2) => OPERATOR_FULLY_CONNECTED,
        "Gemm" | "MatMul" => OPERATOR_MATRIX_PRODUCT,
        "Einsum" => match Einsum::of(&graph.call(&graph.nodes[step.node])) {
            Ok(Einsum {
                inputs: 1, summed: 0, ..
            }) => OPERATOR_COPY,
            Ok(Einsum { inputs: 1, .. }) => OPERATOR_REDUCTION,
            Ok(Einsum { summed: 0, .. }) => OPERATOR_ELEMENT_WISE,
            _ => OPERATOR_MATRIX_PRODUCT,
        },
        "Add" | "Sum" if is_residual(graph, step) => OPERATOR_ADD,
        "MaxPool" | "AveragePool" | "LpPool" | "GlobalAveragePool" | "GlobalMaxPool" | "GlobalLpPool" => OPERATOR_POOL,
        "ReduceMean" | "ReduceMax" if pools_all => OPERATOR_POOL,
        "BatchNormalization"
        | "GroupNormalization"
        | "InstanceNormalization"
        | "LayerNormalization"
        | "LpNormalization"
        | "MeanVarianceNormalization"
        | "RMSNormalization" => OPERATOR_NORMALIZATION,
        "LRN" => OPERATOR_LOCAL_RESPONSE,
        "Softmax" | "LogSoftmax" | "Hardmax" => OPERATOR_SOFTMAX,
        "Concat" | "Split" | "Slice" | "Gather" | "GatherElements" | "ScatterElements" | "ScatterND" | "Pad"
        | "Tile" | "Expand" | "Transpose" | "DepthToSpace" | "SpaceToDepth" => OPERATOR_COPY,
        "Resize" | "Upsample" => OPERATOR_RESIZE,
        "ArgMax" | "ArgMin" | "CumSum" | "TopK" => OPERATOR_REDUCTION,
        op if op.starts_with("Reduce") => OPERATOR_REDUCTION,
        "LSTM" | "GRU" | "RNN" => OPERATOR_RECURRENT,
        op if crate::shapes::elementwise::is_unary(op) || crate::shapes::elementwise::is_broadcast(op) => {
            OPERATOR_ELEMENT_WISE
        }
        _ => OPERATOR_OTHER,
    }
}

/// The sum of two values of one shape.
fn is_residual(graph: &Graph, step: &Step) -> bool {
    let computed = step
        .inputs
        .iter()
        .map(|id| &graph.facts[*id])
        .filter(|fact| !fact.is_constant());
    let shapes: Vec<_> = computed.map(|fact| &fact.shape).collect();
    step.inputs.len() == 2 && shapes.len() == 2 && shapes[0] == shapes[1]
}

fn convolution(graph: &Graph, step: &Step, output: &[u64]) -> u32 {
    let Some(weights) = weights(graph, step) else {
        return OPERATOR_OTHER;
    };
    let groups = windows::groups(&graph.call(&graph.nodes[step.node])).unwrap_or(1);
    match groups {
        1 if weights[2..].iter().all(|side| *side == 1) => OPERATOR_POINTWISE,
        1 => OPERATOR_CONVOLUTION,
        groups if weights[1] == 1 && groups == output[1] => OPERATOR_DEPTHWISE,
        _ => OPERATOR_GROUPED,
    }
}

/// Channels, and the side of a square of as many places as there are.
fn sides(shape: &[u64], is_sequence: bool) -> (u32, u32) {
    let (channels, places) = match shape {
        [] | [_] => (1, 1),
        [_, places @ .., channels] if is_sequence => (*channels, places.iter().product()),
        [_, channels, places @ ..] => (*channels, places.iter().product::<u64>()),
    };
    (narrow(channels), side_of(places))
}

/// The side of a square of so many places.
fn side_of(places: u64) -> u32 {
    narrow((places as f64).sqrt().round() as u64)
}

fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Kernel, stride and groups of what slides a window.
fn window(graph: &Graph, step: &Step, operator: &mut Operator) -> Result<(), String> {
    let call = graph.call(&graph.nodes[step.node]);
    let side = |sides: &[u64]| {
        let product: f64 = sides.iter().map(|side| *side as f64).product();
        narrow(product.powf(1.0 / sides.len().max(1) as f64).round() as u64)
    };
    let Some(windows::Window { kernel, slide, .. }) = windows::Window::of(&call)? else {
        return Ok(());
    };
    (operator.kernel, operator.stride) = (side(&kernel), side(&slide.strides));
    if step.op.starts_with("Conv") {
        operator.groups = narrow(windows::groups(&call)?);
    }
    Ok(())
}

/// Multiply-accumulates of a step, for all of the batch.
fn macs(graph: &Graph, step: &Step, kind: u32) -> Result<u64, String> {
    let shape = |id: &ValueId| graph.facts[*id].shape.as_slice();
    let product = |sides: &[u64]| sides.iter().try_fold(1u64, |product, side| product.checked_mul(*side));
    let (input, output) = (shape(&step.inputs[0]), shape(&step.outputs[0]));
    let macs = match (step.op.as_str(), weights(graph, step)) {
        ("Conv", Some(weights)) => product(output)
            .zip(product(&weights[1..]))
            .and_then(|(a, b)| a.checked_mul(b)),
        ("ConvTranspose", Some(weights)) => product(input)
            .zip(product(&weights[1..]))
            .and_then(|(a, b)| a.checked_mul(b)),
        ("Gemm" | "MatMul", Some(weights)) if kind == OPERATOR_FULLY_CONNECTED => {
            let rows = output.split_last().and_then(|(_, rows)| product(rows));
            rows.zip(product(weights))
                .and_then(|(rows, weights)| rows.checked_mul(weights))
        }
        ("MatMul", _) => product(output)
            .zip(input.last())
            .and_then(|(all, inner)| all.checked_mul(*inner)),
        ("Gemm", _) => {
            let inner = input.get(if graph.call(&graph.nodes[step.node]).int("transA", 0) != 0 {
                0
            } else {
                1
            });
            product(output)
                .zip(inner)
                .and_then(|(all, inner)| all.checked_mul(*inner))
        }
        ("Einsum", _) if kind == OPERATOR_MATRIX_PRODUCT => {
            product(&Einsum::of(&graph.call(&graph.nodes[step.node]))?.sides)
        }
        ("LSTM" | "GRU" | "RNN", _) => {
            let (weights, recurrence) = (shape(&step.inputs[1]), shape(&step.inputs[2]));
            let places = product(&input[..2]);
            let each = product(weights)
                .zip(product(recurrence))
                .and_then(|(a, b)| a.checked_add(b));
            places.zip(each).and_then(|(places, each)| places.checked_mul(each))
        }
        _ => Some(0),
    };
    macs.filter(|macs| *macs <= MOST_ELEMENTS)
        .ok_or_else(|| "it computes more than any network".into())
}

/// The sum over its parts: a launch each, but for the activation between both products.
fn squeeze_excite(graph: &Graph, step: &Step) -> Result<Operator, String> {
    let (input, output) = (&graph.facts[step.inputs[0]].shape, &graph.facts[step.outputs[0]].shape);
    let mut whole = Operator {
        kind: OPERATOR_SQUEEZE_EXCITE,
        kernel: 1,
        stride: 1,
        groups: 1,
        ..Operator::default()
    };
    (whole.channels_in, whole.side_in) = sides(input, false);
    (whole.channels_out, whole.side_out) = sides(output, false);
    for (at, part) in step.parts.iter().enumerate() {
        let activation = activation_of(&part.op);
        let is_gate = at + 2 == step.parts.len();
        if activation != ACTIVATION_NONE && !is_gate {
            whole.activation = activation;
            continue;
        }
        let part = operator(graph, part)?;
        whole.launches += part.launches;
        whole.macs += part.macs;
        whole.activation_bytes += part.activation_bytes;
        whole.weight_bytes += part.weight_bytes;
    }
    Ok(whole)
}

//! The steps that a runtime takes: nodes whose values are only looked at otherwise are none, and what an exporter spells out in
//! several nodes is one.

mod affine;
mod excitations;
mod functions;
mod norms;

use crate::SpelledOut;
use crate::call::dimension;
use crate::graph::{Graph, Node, ValueId};

/// A step.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// An operator of ONNX, or [`SQUEEZE_EXCITE`].
    pub op: String,
    /// The node that it stems from.
    pub node: usize,
    /// What it reads, constants among it.
    pub inputs: Vec<ValueId>,
    pub outputs: Vec<ValueId>,
    /// Whether something is added to its products: a bias, or what became one.
    pub has_bias: bool,
    /// The steps that it is put together from.
    pub parts: Vec<Self>,
    /// How the activation that it does is spelled out, where that is no operator of ONNX.
    pub spelled_out: Option<SpelledOut>,
}

/// Squeeze-and-excitation as one step, as an [`Origin`](crate::Origin) names it.
pub const SQUEEZE_EXCITE: &str = "SqueezeExcite";

/// Those that read a value. One that everybody reads costs no more to change than another, since nobody is listed.
#[derive(Clone, Copy, Default)]
struct Readers {
    count: usize,
    /// The sum of their places: the place, where there is one reader.
    places: usize,
}

impl Readers {
    fn add(&mut self, at: usize) {
        self.count += 1;
        self.places += at;
    }

    fn remove(&mut self, at: usize) {
        self.count -= 1;
        self.places -= at;
    }
}

/// All steps of a graph, in the order of its nodes.
pub(crate) struct Steps<'a> {
    pub graph: &'a Graph,
    steps: Vec<Option<Step>>,
    /// By the number of a value: the value that holds the same numbers in the same order.
    same: Vec<ValueId>,
    producers: Vec<Option<usize>>,
    readers: Vec<Readers>,
    is_output: Vec<bool>,
}

impl<'a> Steps<'a> {
    /// The steps of a graph, all that is spelled out put together.
    pub(crate) fn of(graph: &'a Graph) -> Self {
        let mut steps = Self::alive(graph);
        functions::rewrite(&mut steps);
        norms::rewrite(&mut steps);
        affine::rewrite(&mut steps);
        excitations::rewrite(&mut steps);
        steps
    }

    /// One step for each node that computes something from the inputs that somebody asks for.
    fn alive(graph: &'a Graph) -> Self {
        let values = graph.facts.len();
        let mut steps = Self {
            graph,
            steps: Vec::with_capacity(graph.nodes.len()),
            same: (0..values).collect(),
            producers: vec![None; values],
            readers: vec![Readers::default(); values],
            is_output: vec![false; values],
        };
        for (number, node) in graph.nodes.iter().enumerate() {
            let outputs: Vec<ValueId> = node.outputs.iter().flatten().copied().collect();
            let computes = outputs.iter().any(|id| !graph.facts[*id].is_constant());
            let viewed = node.inputs.first().copied().flatten().filter(|_| is_view(graph, node));
            let viewed = viewed.or_else(|| neutral(graph, node));
            let step = match (computes, viewed) {
                (false, _) => None,
                (true, Some(input)) => {
                    outputs.iter().for_each(|id| steps.same[*id] = steps.same[input]);
                    None
                }
                (true, None) => Some(Step {
                    op: node.proto.op_type.clone(),
                    node: number,
                    inputs: node.inputs.iter().flatten().copied().collect(),
                    outputs,
                    has_bias: has_bias(graph, node),
                    parts: Vec::new(),
                    spelled_out: None,
                }),
            };
            steps.push(step);
        }
        for id in &graph.outputs {
            steps.is_output[steps.same[*id]] = true;
        }
        for at in (0..steps.steps.len()).rev() {
            let asked = |id: &ValueId| steps.is_output[steps.same[*id]] || steps.readers[steps.same[*id]].count > 0;
            if steps.steps[at]
                .as_ref()
                .is_some_and(|step| !step.outputs.iter().any(asked))
            {
                steps.remove(at);
            }
        }
        steps
    }

    fn push(&mut self, step: Option<Step>) {
        let at = self.steps.len();
        if let Some(step) = &step {
            for id in &step.inputs {
                self.readers[self.same[*id]].add(at);
            }
            for id in &step.outputs {
                self.producers[*id] = Some(at);
            }
        }
        self.steps.push(step);
    }

    /// The steps that are left, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &Step)> {
        self.steps
            .iter()
            .enumerate()
            .filter_map(|(at, step)| Some((at, step.as_ref()?)))
    }

    /// How many places for steps there are.
    fn places(&self) -> usize {
        self.steps.len()
    }

    pub(crate) fn get(&self, at: usize) -> Option<&Step> {
        self.steps[at].as_ref()
    }

    /// A step of one of some operators.
    fn is(&self, at: usize, ops: &[&str]) -> bool {
        self.get(at).is_some_and(|step| ops.contains(&step.op.as_str()))
    }

    /// The value that holds the same numbers, and is computed.
    pub(crate) fn origin(&self, id: ValueId) -> ValueId {
        self.same[id]
    }

    /// The step that computes a value.
    pub(crate) fn producer(&self, id: ValueId) -> Option<usize> {
        self.producers[self.same[id]]
    }

    /// The only step that reads a value, once.
    pub(crate) fn sole_consumer(&self, id: ValueId) -> Option<usize> {
        let id = self.same[id];
        let readers = self.readers[id];
        (readers.count == 1 && !self.is_output[id]).then_some(readers.places)
    }

    /// Whether the network gives a value.
    pub(crate) fn is_output(&self, id: ValueId) -> bool {
        self.is_output[self.same[id]]
    }

    /// Whether a value is read so often, and is no output.
    fn is_read(&self, id: ValueId, times: usize) -> bool {
        let id = self.same[id];
        self.readers[id].count == times && !self.is_output[id]
    }

    /// The step that computes a value for one other step alone.
    fn producer_for_one(&self, id: ValueId) -> Option<usize> {
        self.sole_consumer(id)?;
        self.producer(id)
    }

    /// Whether two values hold the same numbers.
    fn are_same(&self, a: ValueId, b: ValueId) -> bool {
        self.same[a] == self.same[b]
    }

    /// Whether two steps give values of one shape, so that one may do what the other does behind it: nothing was reshaped in between.
    pub(crate) fn is_alike(&self, at: usize, behind: usize) -> bool {
        let shape = |at: usize| Some(&self.graph.facts[*self.get(at)?.outputs.first()?].shape);
        shape(at).is_some() && shape(at) == shape(behind)
    }

    fn is_constant(&self, id: ValueId) -> bool {
        self.graph.facts[id].is_constant()
    }

    /// The one input of a step that is computed, where the others are constants, with one of these.
    fn computed_and_constant(&self, at: usize) -> Option<(ValueId, ValueId)> {
        match self.get(at)?.inputs[..] {
            [a, b] if !self.is_constant(a) && self.is_constant(b) => Some((a, b)),
            [a, b] if self.is_constant(a) && !self.is_constant(b) => Some((b, a)),
            _ => None,
        }
    }

    fn remove(&mut self, at: usize) {
        let Some(step) = self.steps[at].take() else { return };
        for id in step.inputs {
            self.readers[self.same[id]].remove(at);
        }
        for id in step.outputs {
            if self.producers[id] == Some(at) {
                self.producers[id] = None;
            }
        }
    }

    /// Puts one step in the place of several, the last of which tells what comes out.
    fn replace(&mut self, gone: &[usize], last: usize, at: usize, op: &str, inputs: Vec<ValueId>, parts: Vec<Step>) {
        let Some(outputs) = self.get(last).map(|step| step.outputs.clone()) else {
            return;
        };
        let node = self.get(at).map_or(0, |step| step.node);
        for step in gone.iter().chain([&last, &at]) {
            self.remove(*step);
        }
        for id in &inputs {
            self.readers[self.same[*id]].add(at);
        }
        for id in &outputs {
            self.producers[*id] = Some(at);
        }
        self.steps[at] = Some(Step {
            op: op.into(),
            node,
            inputs,
            outputs,
            has_bias: false,
            parts,
            spelled_out: None,
        });
    }

    /// Lets a step do what the only step behind it does, too.
    pub(crate) fn absorb(&mut self, at: usize, behind: usize) {
        let Some((outputs, spelled_out)) = self
            .get(behind)
            .map(|step| (step.outputs.clone(), step.spelled_out.clone()))
        else {
            return;
        };
        self.remove(behind);
        for id in &outputs {
            self.producers[*id] = Some(at);
        }
        if let Some(step) = &mut self.steps[at] {
            step.outputs = outputs;
            step.spelled_out = spelled_out;
        }
    }

    /// Lets a step read what the step before it reads, which is read by nobody else.
    fn skip(&mut self, before: usize, at: usize) {
        let Some(input) = self.get(before).and_then(|step| step.inputs.first().copied()) else {
            return;
        };
        self.remove(before);
        if let Some(step) = &mut self.steps[at] {
            let read = std::mem::replace(&mut step.inputs[0], input);
            self.readers[self.same[read]].remove(at);
            self.readers[self.same[input]].add(at);
        }
    }

    fn set_spelled_out(&mut self, at: usize, spelled_out: SpelledOut) {
        if let Some(step) = &mut self.steps[at] {
            step.spelled_out = Some(spelled_out);
        }
    }

    fn set_bias(&mut self, at: usize) {
        if let Some(step) = &mut self.steps[at] {
            step.has_bias = true;
        }
    }
}

/// Whether the third input of a node, which is what a product adds, is kept beside its weights.
fn has_bias(graph: &Graph, node: &Node) -> bool {
    let bias = node.inputs.get(2).copied().flatten();
    bias.is_some_and(|id| graph.facts[id].is_constant())
}

/// What a node adds nothing to, or multiplies by one.
fn neutral(graph: &Graph, node: &Node) -> Option<ValueId> {
    let ([Some(a), Some(b)], Some(Some(output))) = (node.inputs.as_slice(), node.outputs.first()) else {
        return None;
    };
    let is = |id: &ValueId, neutral: f64| graph.facts[*id].scalar() == Some(neutral);
    let input = match node.proto.op_type.as_str() {
        "Add" | "Sub" if is(b, 0.0) => a,
        "Mul" | "Div" if is(b, 1.0) => a,
        "Add" if is(a, 0.0) => b,
        "Mul" if is(a, 1.0) => b,
        _ => return None,
    };
    (graph.facts[*input].shape == graph.facts[*output].shape).then_some(*input)
}

/// Whether a node leaves the numbers and their order as they are.
fn is_view(graph: &Graph, node: &Node) -> bool {
    match node.proto.op_type.as_str() {
        "Identity" | "Dropout" | "Cast" | "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => true,
        "Transpose" => {
            let Some(input) = node.inputs.first().copied().flatten() else {
                return false;
            };
            let shape = &graph.facts[input].shape;
            let reversed: Vec<i64> = (0..shape.len() as i64).rev().collect();
            let call = graph.call(node);
            let order = call.ints("perm").unwrap_or(&reversed);
            // Sides of 1 may go anywhere.
            let moved = order
                .iter()
                .filter_map(|axis| dimension(*axis, shape.len()).ok())
                .filter(|at| shape[*at] > 1);
            moved.is_sorted()
        }
        _ => false,
    }
}

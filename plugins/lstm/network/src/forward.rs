//! A fitted network's pass over inputs.
//!
//! A direction of a layer goes block by block of steps: first what the inputs of all steps of a block give to the gates, which
//! needs no order, then step after step what the hidden states give. Both are products of a few rows with panels of weights, whose
//! sums stay in registers.

use bytemuck::{cast_slice, cast_slice_mut};
use lglp_sdk::plugin::Shape;
use pulp::{Arch, Simd, WithSimd};

use crate::gates::{Gates, add_products, step};
use crate::lines::Lines;
use crate::panels::{GATES, Panels, Units};
use crate::saved::Saved;
use crate::shape::{Connection, Network};

/// Rows that go through the network together, so that a weight that was loaded serves all of them.
const ROWS: usize = 12;
/// Steps of which the inputs are multiplied together.
const STEPS: usize = 12;

/// A direction of a layer.
struct Direction {
    /// `[panel][1][gate][lane]`.
    biases: Panels,
    of_inputs: Panels,
    of_hidden: Panels,
    is_reverse: bool,
}

/// A fitted network, laid out for this machine's registers.
pub struct Lstm {
    network: Network,
    input: Shape,
    layers: Vec<Vec<Direction>>,
    units: Units,
    head: Vec<f64>,
    bias: f64,
    mean: f64,
    scale: f64,
}

/// How many numbers a register holds.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

impl Lstm {
    /// Lays out what was read.
    pub fn new(saved: &Saved) -> Self {
        let lanes = Arch::new().dispatch(Lanes);
        let network = saved.network;
        let hidden = network.hidden as usize;
        let units = Units::new(network.directions() as usize, hidden, lanes);
        let values: Vec<&[f32]> = saved.weights.iter().map(|(_, _, values)| &**values).collect();
        let (of_layers, head) = values.split_at(values.len() - 2);
        let (of_directions, _) = of_layers.as_chunks::<4>();
        let direction = |layer: usize, at: usize| {
            let [of_inputs, of_hidden, input_bias, hidden_bias] = of_directions[layer * units.directions + at];
            let biases: Vec<f32> = input_bias.iter().zip(hidden_bias).map(|(a, b)| a + b).collect();
            Direction {
                biases: Panels::pack(&biases, hidden, std::iter::once(Some(0)), lanes),
                of_inputs: match layer {
                    0 => Panels::pack(of_inputs, hidden, (0..saved.input.width).map(Some), lanes),
                    _ => Panels::pack(of_inputs, hidden, units.columns(), lanes),
                },
                of_hidden: Panels::pack(of_hidden, hidden, units.alone().columns(), lanes),
                is_reverse: at == 1,
            }
        };
        let layer = |layer| (0..units.directions).map(|at| direction(layer, at)).collect();
        Self {
            network,
            input: saved.input,
            layers: (0..network.layers as usize).map(layer).collect(),
            units,
            head: head[0].iter().map(|weight| f64::from(*weight)).collect(),
            bias: f64::from(head[1][0]),
            mean: saved.mean,
            scale: saved.scale,
        }
    }

    /// Steps and width of an input.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// Values that [`Self::extract`] gives for a row.
    pub fn features(&self) -> usize {
        self.network.features(self.input.steps as i64) as usize
    }

    /// What the head is fed with, `[n, features]`, of inputs `[n, steps, width]`.
    ///
    /// # Panics
    /// Where the lengths do not fit each other.
    pub fn extract(&self, inputs: &[f32], out: &mut [f32]) {
        let (of_row, features) = (self.input.len(), self.features());
        assert_eq!(inputs.len() / of_row, out.len() / features, "features for each row");
        let chunks = inputs.chunks(ROWS * of_row).zip(out.chunks_mut(ROWS * features));
        for (inputs, out) in chunks {
            Arch::new().dispatch(Pass {
                lstm: self,
                inputs,
                out,
            });
        }
    }

    /// What the head makes of inputs `[n, steps, width]`, in the unit of the targets that it was fitted to.
    ///
    /// # Panics
    /// Where the lengths do not fit each other.
    pub fn predict(&self, inputs: &[f32], out: &mut [f64]) {
        let of_row = self.input.len();
        let mut features = vec![0.0; ROWS.min(out.len()) * self.features()];
        for (inputs, out) in inputs.chunks(ROWS * of_row).zip(out.chunks_mut(ROWS)) {
            let features = &mut features[..out.len() * self.features()];
            self.extract(inputs, features);
            for (features, out) in features.chunks(self.features()).zip(out) {
                let products = features.iter().zip(&self.head).map(|(x, w)| f64::from(*x) * w);
                *out = (products.sum::<f64>() + self.bias) * self.scale + self.mean;
            }
        }
    }
}

/// Some rows on their way through all layers.
struct Pass<'a> {
    lstm: &'a Lstm,
    inputs: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { lstm, inputs, out } = self;
        let Shape { steps, width } = lstm.input;
        let rows = inputs.len() / (steps * width);
        let (first, others) = lstm.layers.split_first().expect("a network has a layer");
        let mut states = lstm.layer(simd, first, inputs, rows);
        for layer in others {
            states = lstm.layer(simd, layer, &states, rows);
        }
        let of_row = steps * lstm.units.width();
        for (states, out) in states.chunks(of_row).zip(out.chunks_mut(lstm.features())) {
            lstm.connect(states, out);
        }
    }
}

impl Lstm {
    /// Hidden states `[rows, steps, direction, unit]` of a layer, of inputs `[rows, steps, width]`.
    #[inline(always)]
    fn layer<S: Simd>(&self, simd: S, layer: &[Direction], inputs: &[f32], rows: usize) -> Lines {
        let mut states = Lines::zeros(rows * self.input.steps * self.units.width());
        for (at, direction) in layer.iter().enumerate() {
            let from = at * self.units.padded;
            // Of whole registers: more sums than these would not stay in them.
            if S::REGISTER_COUNT >= 32 {
                self.direction::<S, 6, 4>(simd, direction, inputs, rows, from, &mut states);
            } else {
                self.direction::<S, 3, 2>(simd, direction, inputs, rows, from, &mut states);
            }
        }
        states
    }

    /// `TALL` rows by a panel, or a row by `WIDE` panels, at once. The states begin at `from` of each step.
    #[inline(always)]
    fn direction<S: Simd, const TALL: usize, const WIDE: usize>(
        &self,
        simd: S,
        direction: &Direction,
        inputs: &[f32],
        rows: usize,
        from: usize,
        states: &mut [f32],
    ) {
        let (steps, padded) = (self.input.steps, self.units.padded);
        let width = inputs.len() / (rows * steps);
        let mut gates = Lines::zeros(rows * STEPS.min(steps) * GATES * padded);
        let (mut hidden, mut next) = (Lines::zeros(rows * padded), Lines::zeros(rows * padded));
        let mut cells = Lines::zeros(rows * padded);
        let place = |row: usize, step: usize| match direction.is_reverse {
            false => row * steps + step,
            true => row * steps + steps - 1 - step,
        };
        let mut begin = 0;
        while begin < steps {
            let block = STEPS.min(steps - begin);
            let gates = &mut gates[..rows * block * GATES * padded];
            for panel in 0..padded / S::F32_LANES {
                let biases: &[S::f32s] = cast_slice(direction.biases.panel(panel));
                for gates in cast_slice_mut::<f32, S::f32s>(gates).chunks_mut(GATES * padded / S::F32_LANES) {
                    gates[panel * GATES..][..GATES].copy_from_slice(biases);
                }
            }
            let input = |at: usize| {
                let (row, step) = (at / block, at % block);
                &inputs[place(row, begin + step) * width..][..width]
            };
            self.product::<S, TALL, WIDE>(simd, &direction.of_inputs, rows * block, input, |at| at, gates);
            for step in 0..block {
                let of_step = |row: usize| row * block + step;
                // The states before the first step are zeros.
                if begin + step > 0 {
                    let hidden = |row: usize| &hidden[row * padded..][..padded];
                    self.product::<S, TALL, WIDE>(simd, &direction.of_hidden, rows, hidden, of_step, gates);
                }
                for row in 0..rows {
                    let gates = &gates[of_step(row) * GATES * padded..][..GATES * padded];
                    let own = row * padded..(row + 1) * padded;
                    activate(simd, gates, &mut cells[own.clone()], &mut next[own.clone()]);
                    let to = place(row, begin + step) * self.units.width() + from;
                    states[to..][..padded].copy_from_slice(&next[own]);
                }
                std::mem::swap(&mut hidden, &mut next);
            }
            begin += block;
        }
    }

    /// Adds the products of inputs with all panels to the gates `[place][panel][gate][lane]` of the place of each.
    #[inline(always)]
    fn product<'a, S: Simd, const TALL: usize, const WIDE: usize>(
        &self,
        simd: S,
        weights: &Panels,
        count: usize,
        input: impl Fn(usize) -> &'a [f32],
        place: impl Fn(usize) -> usize,
        gates: &mut [f32],
    ) {
        let mut at = 0;
        while at < count {
            let rows = TALL.min(count - at);
            let (input, place) = (|row: usize| input(at + row), |row: usize| place(at + row));
            match rows {
                1 => self.wide::<S, WIDE>(simd, weights, input(0), place(0), gates),
                2 => self.tall::<S, 2>(simd, weights, input, place, gates),
                3 => self.tall::<S, 3>(simd, weights, input, place, gates),
                4 => self.tall::<S, 4>(simd, weights, input, place, gates),
                5 => self.tall::<S, 5>(simd, weights, input, place, gates),
                _ => self.tall::<S, TALL>(simd, weights, input, place, gates),
            }
            at += rows;
        }
    }

    /// Several rows, a panel at a time.
    #[inline(always)]
    fn tall<'a, S: Simd, const ROWS: usize>(
        &self,
        simd: S,
        weights: &Panels,
        input: impl Fn(usize) -> &'a [f32],
        place: impl Fn(usize) -> usize,
        gates: &mut [f32],
    ) {
        let panels = self.units.padded / S::F32_LANES;
        let (mut rows, mut places): ([&[f32]; ROWS], [usize; ROWS]) = ([&[]; ROWS], [0; ROWS]);
        for row in 0..ROWS {
            rows[row] = input(row);
            places[row] = place(row) * panels;
        }
        for panel in 0..panels {
            let sums = places.map(|place| (place + panel) * GATES * S::F32_LANES);
            tile::<S, ROWS, 1>(simd, [weights.panel(panel)], rows, sums, gates);
        }
    }

    /// A row, several panels at a time: its sums alone would wait for each other.
    #[inline(always)]
    fn wide<S: Simd, const WIDE: usize>(
        &self,
        simd: S,
        weights: &Panels,
        row: &[f32],
        place: usize,
        gates: &mut [f32],
    ) {
        let panels = self.units.padded / S::F32_LANES;
        let sums = |panel: usize| [(place * panels + panel) * GATES * S::F32_LANES];
        let whole = panels - panels % WIDE;
        for panel in (0..whole).step_by(WIDE) {
            let mut values: [&[f32]; WIDE] = [&[]; WIDE];
            for (one, values) in values.iter_mut().enumerate() {
                *values = weights.panel(panel + one);
            }
            tile::<S, 1, WIDE>(simd, values, [row], sums(panel), gates);
        }
        for panel in whole..panels {
            tile::<S, 1, 1>(simd, [weights.panel(panel)], [row], sums(panel), gates);
        }
    }

    /// The features of a row, of the hidden states of its last layer.
    fn connect(&self, states: &[f32], out: &mut [f32]) {
        let Units {
            directions,
            count,
            padded,
        } = self.units;
        let of_step =
            |step: usize, direction: usize| &states[step * directions * padded + direction * padded..][..count];
        let last = self.input.steps - 1;
        match self.network.connection {
            Connection::Sum => {
                out.fill(0.0);
                for step in 0..=last {
                    for (direction, out) in out.chunks_mut(count).enumerate() {
                        for (out, state) in out.iter_mut().zip(of_step(step, direction)) {
                            *out += state;
                        }
                    }
                }
            }
            Connection::Last => {
                for (direction, out) in out.chunks_mut(count).enumerate() {
                    // The one that reads from the end has read the first step last.
                    let step = if direction == 0 { last } else { 0 };
                    out.copy_from_slice(of_step(step, direction));
                }
            }
            Connection::Concat => {
                for (at, out) in out.chunks_mut(count).enumerate() {
                    out.copy_from_slice(of_step(at / directions, at % directions));
                }
            }
        }
    }
}

/// Adds products to the sums of a few rows, which begin at `sums`, and in a few panels.
#[inline(always)]
fn tile<S: Simd, const ROWS: usize, const PANELS: usize>(
    simd: S,
    panels: [&[f32]; PANELS],
    rows: [&[f32]; ROWS],
    sums: [usize; ROWS],
    gates: &mut [f32],
) {
    let len = PANELS * GATES;
    let mut added: [[Gates<S>; PANELS]; ROWS] = bytemuck::Zeroable::zeroed();
    for row in 0..ROWS {
        let sums: &[S::f32s] = cast_slice(&gates[sums[row]..][..len * S::F32_LANES]);
        for panel in 0..PANELS {
            for gate in 0..GATES {
                added[row][panel][gate] = sums[panel * GATES + gate];
            }
        }
    }
    add_products(simd, panels, rows, &mut added);
    for row in 0..ROWS {
        let sums: &mut [S::f32s] = cast_slice_mut(&mut gates[sums[row]..][..len * S::F32_LANES]);
        for panel in 0..PANELS {
            for gate in 0..GATES {
                sums[panel * GATES + gate] = added[row][panel][gate];
            }
        }
    }
}

/// The next states of a row's cells, and what they give out.
#[inline(always)]
fn activate<S: Simd>(simd: S, gates: &[f32], cells: &mut [f32], out: &mut [f32]) {
    let gates: &[S::f32s] = cast_slice(gates);
    let (cells, out): (&mut [S::f32s], &mut [S::f32s]) = (cast_slice_mut(cells), cast_slice_mut(out));
    for panel in 0..cells.len() {
        let mut own: Gates<S> = [gates[0]; GATES];
        own.copy_from_slice(&gates[panel * GATES..][..GATES]);
        out[panel] = step(simd, own, &mut cells[panel]);
    }
}

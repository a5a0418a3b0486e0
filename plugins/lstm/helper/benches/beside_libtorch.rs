//! Features of the paper's LSTM by `lglp-lstm-network` beside libtorch, with the same weights and inputs, in turn, on one thread.
//!
//! `LD_LIBRARY_PATH=.native/lib cargo bench -p lglp-plugin-lstm-helper`; ratios are what to look at, since times are the machine's.

use std::hint::black_box;
use std::time::Instant;

use lglp_lstm_network::{Connection, Lstm, Network, Saved};
use lglp_sdk::plugin::Shape;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Tensor};

const INPUT: Shape = Shape { steps: 40, width: 37 };
const NETWORK: Network = Network {
    layers: 3,
    bidirectional: true,
    hidden: 64,
    connection: Connection::Sum,
};
const ROWS: usize = 256;
/// Turns; the fastest of each counts.
const TURNS: usize = 30;

/// libtorch's network.
struct Libtorch(Vec<Tensor>);

impl Libtorch {
    fn new(saved: &Saved) -> Self {
        tch::set_num_threads(1);
        let weights = saved.weights[..saved.weights.len() - 2].iter();
        Self(
            weights
                .map(|(_, shape, values)| Tensor::from_slice(values).view(shape.as_slice()))
                .collect(),
        )
    }

    fn extract(&self, inputs: &[f32], out: &mut [f32]) {
        let _no_grad = tch::no_grad_guard();
        let rows = (inputs.len() / INPUT.len()) as i64;
        let inputs = Tensor::from_slice(inputs).view([rows, INPUT.steps as i64, INPUT.width as i64]);
        let zeros = Tensor::zeros([2 * NETWORK.layers, rows, NETWORK.hidden], (Kind::Float, Device::Cpu));
        let weights: Vec<&Tensor> = self.0.iter().collect();
        let (outputs, ..) = inputs.lstm(
            &[&zeros, &zeros],
            &weights,
            true,
            NETWORK.layers,
            0.0,
            false,
            true,
            true,
        );
        let features = outputs.sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
        features.contiguous().copy_data(out, out.len());
    }
}

fn main() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let bound = 1.0 / (NETWORK.hidden as f32).sqrt();
    let mut weight = |(name, shape): (String, Vec<i64>)| {
        let count = shape.iter().product::<i64>();
        (
            name,
            shape,
            (0..count).map(|_| rng.random_range(-bound..bound)).collect(),
        )
    };
    let saved = Saved {
        network: NETWORK,
        input: INPUT,
        weights: NETWORK.weights(INPUT).into_iter().map(&mut weight).collect(),
        mean: 0.0,
        scale: 1.0,
    };
    let (theirs, ours) = (Libtorch::new(&saved), Lstm::new(&saved));
    // Eight of 37 values are 1, as the encoder gives them.
    let inputs: Vec<f32> = (0..ROWS * INPUT.len())
        .map(|_| if rng.random_bool(8.0 / 37.0) { 1.0 } else { 0.0 })
        .collect();
    let flops: f64 = 2.0
        * NETWORK
            .weights(INPUT)
            .iter()
            .filter(|(name, ..)| name.contains("weight_") && name.starts_with("lstm"))
            .map(|(_, shape)| shape.iter().product::<i64>() as f64)
            .sum::<f64>()
        * INPUT.steps as f64;
    println!("us per row, one thread    libtorch   lglp   times as fast   GFLOP/s");
    for rows in [1, 12, 64, ROWS] {
        let features = rows * ours.features();
        let (mut expected, mut found) = (vec![0.0; features], vec![0.0; features]);
        let (mut slow, mut fast) = (f64::INFINITY, f64::INFINITY);
        for turn in 0..TURNS {
            let from = (turn * rows) % (ROWS - rows + 1);
            let inputs = black_box(&inputs[from * INPUT.len()..][..rows * INPUT.len()]);
            slow = slow.min(timed(rows, || theirs.extract(inputs, &mut expected)));
            fast = fast.min(timed(rows, || ours.extract(inputs, &mut found)));
            let apart = expected
                .iter()
                .zip(&found)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            assert!(apart < 1e-4, "features lie {apart} apart");
        }
        let reached = flops / fast / 1e3;
        println!(
            "{rows:>4} at once {slow:22.1} {fast:6.1} {:15.1} {reached:9.0}",
            slow / fast
        );
    }
}

/// Microseconds per row.
fn timed(rows: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e6 / rows as f64
}

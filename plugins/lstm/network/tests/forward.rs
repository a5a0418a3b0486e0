//! What networks of all shapes make of inputs, beside the formulas of `torch.nn.LSTM` written down as they stand. (Equality with PyTorch
//! itself is tested through the plugin, by `tests/tests/references.rs`.)

use lglp_lstm_network::{Connection, Lstm, Network, Saved};
use lglp_sdk::plugin::Shape;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

fn fitted(network: Network, input: Shape, rng: &mut StdRng) -> Saved {
    // As large as those of a training: with larger ones a network of 64 units magnifies what is rounded off.
    let bound = 1.5 / (network.hidden as f32).sqrt();
    let mut weight = |(name, shape): (String, Vec<i64>)| {
        let count = shape.iter().product::<i64>() as usize;
        let values = (0..count).map(|_| rng.random_range(-bound..bound)).collect();
        (name, shape, values)
    };
    Saved {
        network,
        input,
        weights: network.weights(input).into_iter().map(&mut weight).collect(),
        mean: 3.0,
        scale: 2.0,
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Features of a row, in 64 bits, cell by cell.
fn features(saved: &Saved, row: &[f32]) -> Vec<f64> {
    let (hidden, directions) = (saved.network.hidden as usize, saved.network.directions() as usize);
    let weight = |name: String| {
        let (.., values) = saved
            .weights
            .iter()
            .find(|(other, ..)| *other == name)
            .expect("a weight");
        values.iter().map(|value| f64::from(*value)).collect::<Vec<f64>>()
    };
    let wide: Vec<f64> = row.iter().map(|value| f64::from(*value)).collect();
    let mut steps: Vec<Vec<f64>> = wide.chunks(saved.input.width).map(<[f64]>::to_vec).collect();
    let mut last = Vec::new();
    for layer in 0..saved.network.layers {
        let mut outputs = vec![Vec::new(); steps.len()];
        last.clear();
        for suffix in ["", "_reverse"].iter().take(directions) {
            let of = |part: &str| weight(format!("lstm.{part}_l{layer}{suffix}"));
            let (of_input, of_hidden) = (of("weight_ih"), of("weight_hh"));
            let biases: Vec<f64> = of("bias_ih").iter().zip(of("bias_hh")).map(|(a, b)| a + b).collect();
            let (mut state, mut cell) = (vec![0.0; hidden], vec![0.0; hidden]);
            let order: Box<dyn Iterator<Item = usize>> = match suffix.is_empty() {
                true => Box::new(0..steps.len()),
                false => Box::new((0..steps.len()).rev()),
            };
            for step in order {
                let input = &steps[step];
                let gate = |at: usize| {
                    let product = |matrix: &[f64], with: &[f64]| -> f64 {
                        matrix[at * with.len()..].iter().zip(with).map(|(a, b)| a * b).sum()
                    };
                    biases[at] + product(&of_input, input) + product(&of_hidden, &state)
                };
                let next: Vec<(f64, f64)> = (0..hidden)
                    .map(|unit| {
                        let [i, f, g, o] = [0, 1, 2, 3].map(|part| gate(part * hidden + unit));
                        let cell = sigmoid(f) * cell[unit] + sigmoid(i) * g.tanh();
                        (sigmoid(o) * cell.tanh(), cell)
                    })
                    .collect();
                (state, cell) = next.into_iter().unzip();
                outputs[step].extend(&state);
            }
            last.extend(state);
        }
        steps = outputs;
    }
    match saved.network.connection {
        Connection::Last => last,
        Connection::Concat => steps.concat(),
        Connection::Sum => {
            let mut sum = vec![0.0; hidden * directions];
            for step in steps {
                sum.iter_mut().zip(step).for_each(|(sum, value)| *sum += value);
            }
            sum
        }
    }
}

const SHAPES: [(i64, bool, i64, Connection, usize, usize); 7] = [
    (1, false, 1, Connection::Sum, 1, 1),
    (2, true, 5, Connection::Last, 3, 2),
    (1, true, 16, Connection::Concat, 13, 7),
    (3, true, 64, Connection::Sum, 40, 37),
    (2, false, 33, Connection::Sum, 25, 4),
    (2, false, 70, Connection::Last, 12, 9),
    (4, true, 24, Connection::Concat, 5, 3),
];

fn networks() -> impl Iterator<Item = (Network, Shape)> {
    SHAPES
        .into_iter()
        .map(|(layers, bidirectional, hidden, connection, steps, width)| {
            let network = Network {
                layers,
                bidirectional,
                hidden,
                connection,
            };
            (network, Shape { steps, width })
        })
}

#[test]
fn features_and_predictions_are_those_of_the_formulas() {
    let mut rng = StdRng::seed_from_u64(1);
    for (network, input) in networks() {
        let Shape { steps, width } = input;
        let saved = fitted(network, input, &mut rng);
        let lstm = Lstm::new(&saved);
        let rows: Vec<f32> = (0..3 * steps * width).map(|_| rng.random_range(-2.0..2.0)).collect();
        let mut got = vec![0.0; 3 * lstm.features()];
        lstm.extract(&rows, &mut got);
        let mut predicted = [0.0; 3];
        lstm.predict(&rows, &mut predicted);
        let (.., head) = &saved.weights[saved.weights.len() - 2];
        let (.., bias) = &saved.weights[saved.weights.len() - 1];
        for (at, row) in rows.chunks(steps * width).enumerate() {
            let expected = features(&saved, row);
            assert_eq!(expected.len(), lstm.features(), "{network:?}");
            for (got, expected) in got[at * lstm.features()..].iter().zip(&expected) {
                assert!(
                    (f64::from(*got) - expected).abs() < 2e-5,
                    "{network:?}: {got} {expected}"
                );
            }
            let sum: f64 = expected.iter().zip(head).map(|(x, w)| x * f64::from(*w)).sum();
            let expected = (sum + f64::from(bias[0])) * saved.scale + saved.mean;
            assert!(
                (predicted[at] - expected).abs() < 2e-4,
                "{network:?}: {} {expected}",
                predicted[at]
            );
        }
    }
}

/// Which others a row is computed beside, and how many, changes no bit.
#[test]
fn a_row_is_the_same_alone_and_among_others() {
    let mut rng = StdRng::seed_from_u64(2);
    for (network, input) in networks() {
        let Shape { steps, width } = input;
        let lstm = Lstm::new(&fitted(network, input, &mut rng));
        let (of_row, features) = (steps * width, lstm.features());
        let rows: Vec<f32> = (0..30 * of_row).map(|_| rng.random_range(-2.0..2.0)).collect();
        let mut together = vec![0.0; 30 * features];
        lstm.extract(&rows, &mut together);
        for count in [1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 17] {
            let mut some = vec![0.0; count * features];
            lstm.extract(&rows[2 * of_row..][..count * of_row], &mut some);
            assert_eq!(
                some,
                together[2 * features..][..count * features],
                "{network:?} x {count}"
            );
        }
        lstm.extract(&[], &mut []);
    }
}

/// Saturated gates are where a series of the exponential would go wrong.
#[test]
fn large_inputs_saturate() {
    let network = Network {
        layers: 1,
        bidirectional: false,
        hidden: 3,
        connection: Connection::Last,
    };
    let input = Shape { steps: 2, width: 1 };
    let saved = fitted(network, input, &mut StdRng::seed_from_u64(3));
    let lstm = Lstm::new(&saved);
    for size in [1e-30_f32, 1e-6, 5.0, 20.0, 1e3, 1e30] {
        for row in [[size, -size], [size, size]] {
            let mut got = [0.0; 3];
            lstm.extract(&row, &mut got);
            for (got, expected) in got.iter().zip(features(&saved, &row)) {
                assert!((f64::from(*got) - expected).abs() < 1e-6, "{row:?}: {got} {expected}");
            }
        }
    }
}

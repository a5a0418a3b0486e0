//! Predictions of [`lglp_forest::Forest`] beside LightGBM's own, for the same models and rows, in turn: bit by bit the same,
//! and how long each takes. Models are trained here with the settings of the shipped recipes, on rows as their encoder
//! (`one-hot`, 1480 wide) and their LSTM (`dense`, 128 wide) give them.
//!
//! `cargo bench -p lglp-forest`; ratios are what to look at, since times are the machine's.

mod lightgbm;

use std::hint::black_box;
use std::time::Instant;

use lglp_forest::Forest;
use lightgbm::LightGbm;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Rows to fit to.
const TRAINED: usize = 5000;
/// Rows to predict, all different: repeated ones would train the branch predictor.
const ROWS: usize = 1024;
/// Turns; the fastest of each counts.
const TURNS: usize = 5;

struct Rows {
    data: Vec<f32>,
    width: usize,
}

impl Rows {
    /// Each of 40 steps is 37 wide, and one of every few values in it is 1.
    fn one_hot(count: usize, rng: &mut StdRng) -> Self {
        let mut data = Vec::with_capacity(count * 1480);
        for _ in 0..count {
            let depth = rng.random_range(10..=40);
            for step in 0..40 {
                let mut cells = [0.0f32; 37];
                if step < depth {
                    for (from, to) in [(0, 3), (3, 6), (6, 8), (8, 9), (9, 10), (10, 21), (21, 32), (32, 37)] {
                        cells[rng.random_range(from..to)] = 1.0;
                    }
                }
                data.extend(cells);
            }
        }
        Self { data, width: 1480 }
    }

    fn dense(count: usize, rng: &mut StdRng) -> Self {
        let value = |_| rng.random_range(-20.0..20.0f32);
        Self {
            data: (0..count * 128).map(value).collect(),
            width: 128,
        }
    }

    /// Targets that depend on many values, with a little noise.
    fn targets(&self, rng: &mut StdRng) -> Vec<f32> {
        let weights: Vec<f32> = (0..self.width).map(|_| rng.random_range(0.0..5.0)).collect();
        let target = |row: &[f32]| {
            let sum: f32 = row.iter().zip(&weights).map(|(value, weight)| value * weight).sum();
            sum + 0.01 * sum * sum / self.width as f32
        };
        self.data.chunks(self.width).map(target).collect()
    }
}

fn main() {
    // Cargo's own arguments mean nothing here.
    let mut rng = StdRng::seed_from_u64(1);
    println!("us per row, one thread    LightGBM   forest   times as fast");
    for (name, rows) in [
        ("one-hot", Rows::one_hot as fn(usize, &mut StdRng) -> Rows),
        ("dense", Rows::dense),
    ] {
        let train = rows(TRAINED, &mut rng);
        let targets = train.targets(&mut rng);
        let text = lightgbm::train(&train.data, train.width, &targets);
        let (theirs, ours) = (
            LightGbm::new(&text, train.width),
            Forest::from_text(&text).expect("whole"),
        );
        let rows = rows(ROWS, &mut rng).data;
        let label = format!("{name}, {} trees", ours.trees());
        for batch in [ROWS, 16, 1] {
            let (mut expected, mut found) = (vec![0.0; ROWS], vec![1.0; ROWS]);
            let (mut slow, mut fast) = (f64::INFINITY, f64::INFINITY);
            for _ in 0..TURNS {
                slow = slow.min(timed(|| {
                    each(&rows, train.width, batch, &mut expected, |rows, out| {
                        theirs.predict(rows, out)
                    });
                }));
                fast = fast.min(timed(|| {
                    each(&rows, train.width, batch, &mut found, |rows, out| {
                        ours.predict(rows, out)
                    });
                }));
            }
            let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&expected), bits(&found), "{label}: the same, bit by bit");
            println!("{label}, {batch:>4} at once {slow:9.1} {fast:8.1} {:10.1}", slow / fast);
        }
    }
}

/// Predicts all rows, some at a time.
fn each(rows: &[f32], width: usize, batch: usize, out: &mut [f64], predict: impl Fn(&[f32], &mut [f64])) {
    for (rows, out) in rows.chunks(batch * width).zip(out.chunks_mut(batch)) {
        predict(black_box(rows), out);
    }
}

/// Microseconds per row.
fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e6 / ROWS as f64
}

//! Model texts that nobody should have written. Of 600 mutations of a real text, LightGBM's own reader ended the process for
//! 301 and never came back for 10: a text in a bundle, or put over REST, ended the server. This reader either refuses a text or
//! gives a forest that predicts finite numbers, soon, and with memory in proportion to the text.

mod memory;
mod mutations;
mod named;
mod sizes;

use lglp_forest::{Forest, FormatError};
use sizes::with_sizes;

/// A small model of LightGBM 4.7, some of whose inputs were NaN.
const TEXT: &str = include_str!("../model.txt");

/// Bytes of memory for each byte of a text, at most.
const FACTOR: usize = 16;

/// Reads a text within its share of memory, and lets the forest predict where there is one.
fn load(text: &[u8]) -> Result<Forest, FormatError> {
    let (forest, most) = memory::most(|| Forest::from_text(text));
    let allowed = FACTOR * text.len() + (1 << 16);
    assert!(most <= allowed, "{most} bytes for a text of {}", text.len());
    if let Ok(forest) = &forest {
        let special = [
            0.0,
            1.0,
            -1.0,
            1e-36,
            f32::MAX,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
        ];
        let width = forest.features();
        let rows: Vec<f32> = (0..10 * width)
            .map(|at| special[(at * 7 + at / 5) % special.len()])
            .collect();
        let mut predicted = [f64::NAN; 10];
        forest.predict(&rows, &mut predicted);
        for (row, predicted) in rows.chunks(width).zip(&mut predicted) {
            let mut alone = [f64::NAN];
            forest.predict(row, &mut alone);
            assert!(predicted.is_finite(), "{predicted}");
            assert_eq!(predicted.to_bits(), alone[0].to_bits());
        }
    }
    forest
}

#[test]
fn the_text_itself_is_read() {
    assert_eq!(with_sizes(TEXT), TEXT);
    let forest = load(TEXT.as_bytes()).unwrap();
    assert_eq!((forest.features(), forest.trees(), forest.visits()), (9, 11, 62));
}

//! Random weights that keep activations in a normal range through forty layers: latency does not depend on values, unless
//! they become denormal or infinite.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A seeded stream of weights.
pub(super) struct Weights(ChaCha8Rng);

impl Weights {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// `count` little-endian floats, uniform in `+-sqrt(6 / fan_in)` (He et al., 2015, arXiv:1502.01852).
    pub(super) fn uniform(&mut self, count: usize, fan_in: usize) -> Vec<u8> {
        self.within(count, (6.0 / fan_in as f32).sqrt())
    }

    /// Small biases.
    pub(super) fn biases(&mut self, count: usize) -> Vec<u8> {
        self.within(count, 0.05)
    }

    /// Scales and variances: between a half and one and a half.
    pub(super) fn about_one(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = self.within(count, 0.5);
        for cell in bytes.chunks_exact_mut(4) {
            let value = f32::from_le_bytes([cell[0], cell[1], cell[2], cell[3]]);
            cell.copy_from_slice(&(1.0 + value).to_le_bytes());
        }
        bytes
    }

    fn within(&mut self, count: usize, bound: f32) -> Vec<u8> {
        let mut bytes = vec![0; 4 * count];
        self.0.fill_bytes(&mut bytes);
        for cell in bytes.chunks_exact_mut(4) {
            let random = i32::from_le_bytes([cell[0], cell[1], cell[2], cell[3]]);
            cell.copy_from_slice(&(bound * (random as f32 / 2f32.powi(31))).to_le_bytes());
        }
        bytes
    }
}

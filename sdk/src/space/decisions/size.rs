//! How many architectures a space has.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::DecisionSpace;
use super::sampling::draw;

/// Draws by which the number is estimated.
const DRAWS: usize = 4_000;

impl DecisionSpace {
    /// The logarithm to base 10 of how many architectures there are. Where decisions or rules depend on others it is an estimate, of mean
    /// the number itself: an architecture counts for what its draw was unlikely (Knuth, Mathematics of Computation 29, 1975).
    pub(in crate::space) fn architectures_log10(&self) -> f64 {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let logs: Vec<f64> = (0..DRAWS)
            .map(|_| draw(self, &mut random, false))
            .map(|row| match self.broken(&row) {
                Some(_) => f64::NEG_INFINITY,
                None => self.unlikely_log10(&row),
            })
            .collect();
        let most = logs.iter().copied().fold(0.0, f64::max);
        let mean = logs.iter().map(|log| 10f64.powf(log - most)).sum::<f64>() / DRAWS as f64;
        most + mean.log10()
    }

    fn unlikely_log10(&self, row: &[u8]) -> f64 {
        let columns = self.columns.iter().zip(row).filter(|(_, cell)| **cell != 0);
        columns
            .map(|(column, _)| (column.column.choices.len() as f64).log10())
            .sum()
    }
}

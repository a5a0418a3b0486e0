//! A price for each amount, none below nothing: launches, weights, and the arithmetic and bytes of each kind of operator.

use serde::{Deserialize, Serialize};

use crate::columns::{amounts, terms};
use crate::nnls::nnls;
use crate::operator::{FEWEST_KINDS, MOST_KINDS, Operator};

/// Prices in the order of [`amounts`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Prices(Vec<f64>);

impl Prices {
    /// Least squares of the relative error; `sums` are amounts of networks, which took `targets`.
    pub(crate) fn of(sums: &[Vec<f64>], targets: &[f64]) -> Self {
        let count = sums.first().map_or(0, Vec::len);
        let largest: Vec<f64> = (0..count)
            .map(|term| sums.iter().map(|row| row[term]).fold(f64::MIN_POSITIVE, f64::max))
            .collect();
        let rows = sums.iter().zip(targets).map(|(row, y)| {
            let relative = row.iter().zip(&largest).map(|(sum, largest)| sum / largest / y);
            relative.collect()
        });
        let found = nnls(&rows.collect::<Vec<Vec<f64>>>(), &vec![1.0; sums.len()], 0.0);
        let prices = found.iter().zip(&largest).map(|(price, largest)| price / largest);
        Self(prices.collect())
    }

    /// What amounts cost.
    pub(crate) fn of_amounts(&self, amounts: &[f64]) -> f64 {
        amounts.iter().zip(&self.0).map(|(amount, price)| amount * price).sum()
    }

    /// What an operator costs.
    pub(crate) fn of_operator(&self, operator: &Operator) -> f64 {
        self.of_amounts(&amounts(operator, self.kinds()))
    }

    /// How many kinds it has prices for.
    pub(crate) fn kinds(&self) -> usize {
        self.0.len().saturating_sub(terms(0)) / 2
    }

    /// How many prices there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether all are prices, of as many kinds as there may be.
    pub(crate) fn are_whole(&self) -> bool {
        let kinds = self.kinds();
        (FEWEST_KINDS..=MOST_KINDS).contains(&kinds)
            && self.0.len() == terms(kinds)
            && self.0.iter().all(|price| price.is_finite() && *price >= 0.0)
    }
}

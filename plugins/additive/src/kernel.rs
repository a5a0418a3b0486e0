//! Finite bases of kernels over operators: `k(x, y)` is nearly `psi(x) . psi(y)`, by an incomplete Cholesky factor with pivots
//! (Fine and Scheinberg, Journal of Machine Learning Research 2, 2001).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::operator::Operator;

/// A kernel over operators: how much what is learned of one tells of another. It is 1 for an operator with itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kernel {
    /// Operators of one kind, `exp(-d^2 / (2 3^2))`, where `d` is the distance of [`Operator::point`].
    Long,
    /// Operators of one category (kind, kernel, stride, activation), length 3.
    CategoryLong,
    /// Operators of one category, length 1.
    CategoryMid,
    /// As [`Self::Long`], where `d` is the distance of [`Operator::wide_point`].
    WideLong,
    /// As [`Self::CategoryLong`], of that distance and length 2.
    WideCategoryLong,
    /// As [`Self::CategoryMid`], of that distance.
    WideCategoryMid,
}

impl Kernel {
    pub(crate) fn between(self, a: &Operator, b: &Operator) -> f64 {
        let (alike, length) = match self {
            Self::Long | Self::WideLong => (a.shape.kind == b.shape.kind, 3.0),
            Self::CategoryLong => (a.category() == b.category(), 3.0),
            Self::WideCategoryLong => (a.category() == b.category(), 2.0),
            Self::CategoryMid | Self::WideCategoryMid => (a.category() == b.category(), 1.0),
        };
        if !alike {
            return 0.0;
        }
        let squared = match self {
            Self::Long | Self::CategoryLong | Self::CategoryMid => squared_distance(a.point(), b.point()),
            Self::WideLong | Self::WideCategoryLong | Self::WideCategoryMid => {
                squared_distance(a.wide_point(), b.wide_point())
            }
        };
        (-squared / (2.0 * length * length)).exp()
    }
}

fn squared_distance<const AXES: usize>(a: [f64; AXES], b: [f64; AXES]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Operators by which a kernel is represented, and the factor of the kernel between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Basis {
    pub kernel: Kernel,
    /// Numbers in the catalogue.
    pivots: Vec<u32>,
    factor: Factor,
}

/// Values of basis functions that count as none.
const NOTHING: f64 = 1e-100;

/// By how much rounding may make a row of a factor longer than 1.
const SLACK: f64 = 1e-6;

/// The least diagonal entry: pivots are taken while more than a hundred times its square is left.
const LEAST_DIAGONAL: f64 = 1e-6;

/// A lower triangular factor of a kernel between pivots, as the rows of its triangle.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Factor(Vec<Vec<f64>>);

impl Factor {
    /// Appends a row, that of a further pivot.
    pub(crate) fn push(&mut self, row: Vec<f64>) {
        self.0.push(row);
    }

    /// What solves the factor for the kernel between something and each pivot.
    pub(crate) fn solve(&self, kernel: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut psi: Vec<f64> = Vec::with_capacity(self.0.len());
        for (kernel, row) in kernel.zip(&self.0) {
            let known: f64 = psi.iter().zip(row).map(|(a, b)| a * b).sum();
            let entry = (kernel - known) / row[psi.len()];
            // Beside a kernel it is nothing, and a processor takes a hundred times as long for what is smaller still.
            psi.push(if entry.abs() < NOTHING { 0.0 } else { entry });
        }
        psi
    }

    /// Whether it is one, of so many pivots, that can be solved: a kernel is 1 at most, so no row is longer.
    pub(crate) fn is_whole(&self, pivots: usize) -> bool {
        let row_is_whole = |(at, row): (usize, &Vec<f64>)| {
            let squares: f64 = row.iter().map(|x| x * x).sum();
            row.len() == at + 1 && squares <= 1.0 + SLACK && row[at] >= LEAST_DIAGONAL
        };
        self.0.len() == pivots && self.0.iter().enumerate().all(row_is_whole)
    }
}

impl Basis {
    /// A basis of so many functions at most, which leaves `tolerance` of the kernel's trace over the operators, or less; each counts by its
    /// weight.
    pub(crate) fn new(kernel: Kernel, operators: &[Operator], weights: &[f64], most: usize, tolerance: f64) -> Self {
        let whole: f64 = weights.iter().sum();
        // Residual diagonal, and the rows of the factor of all operators.
        let mut left = vec![1.0; operators.len()];
        let mut rows: Vec<Vec<f64>> = vec![Vec::new(); operators.len()];
        let mut pivots: Vec<u32> = Vec::new();
        let weighted = |left: &[f64]| {
            left.iter()
                .zip(weights)
                .map(|(left, weight)| left * weight)
                .sum::<f64>()
        };
        while pivots.len() < most && weighted(&left) > tolerance * whole {
            let counts = |at: usize| left[at] * weights[at];
            let largest = |best: usize, at: usize| if counts(at) > counts(best) { at } else { best };
            let pivot = (0..operators.len()).fold(0, largest);
            if left[pivot] <= 1e-10 {
                break;
            }
            let scale = left[pivot].sqrt();
            let of_pivot = rows[pivot].clone();
            for (at, operator) in operators.iter().enumerate() {
                let known: f64 = rows[at].iter().zip(&of_pivot).map(|(a, b)| a * b).sum();
                let entry = (kernel.between(operator, &operators[pivot]) - known) / scale;
                rows[at].push(entry);
                left[at] = (left[at] - entry * entry).max(0.0);
            }
            left[pivot] = 0.0;
            pivots.push(pivot as u32);
        }
        let factor = pivots.iter().enumerate();
        let factor = factor.map(|(at, pivot)| rows[*pivot as usize][..=at].to_vec());
        Self {
            kernel,
            factor: Factor(factor.collect()),
            pivots,
        }
    }

    /// The same basis in a catalogue of some of the operators: `numbers` tells the new number of each of the old ones that is in it, as its
    /// own pivots are.
    pub(crate) fn renumbered(mut self, numbers: &BTreeMap<u32, u32>) -> Self {
        self.pivots.iter_mut().for_each(|pivot| *pivot = numbers[pivot]);
        self
    }

    /// Numbers of the operators that represent the kernel.
    pub(crate) fn pivots(&self) -> impl Iterator<Item = u32> {
        self.pivots.iter().copied()
    }

    /// Functions of the basis.
    pub(crate) fn len(&self) -> usize {
        self.pivots.len()
    }

    /// Whether the parts belong together, in a catalogue of so many operators.
    pub(crate) fn is_whole(&self, operators: usize) -> bool {
        self.factor.is_whole(self.pivots.len()) && self.pivots.iter().all(|pivot| (*pivot as usize) < operators)
    }

    /// `psi` of an operator: what solves the factor for the kernel between it and the pivots.
    pub(crate) fn at(&self, operator: &Operator, catalogue: &[Operator]) -> Vec<f64> {
        let kernel = |pivot: &u32| self.kernel.between(operator, &catalogue[*pivot as usize]);
        self.factor.solve(self.pivots.iter().map(kernel))
    }
}

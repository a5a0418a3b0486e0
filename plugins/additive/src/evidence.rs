//! A linear model with Gaussian coefficients in groups, and how much the data speak for the variances of the groups.
//!
//! `z = Phi b + eps`, `b_j ~ N(0, v_g)` for column `j` of group `g`, `eps_i ~ N(0, sigma^2 / w_i)`. With `D = diag sqrt v`,
//! `A = Phi' W Phi` and `B = I + D A D / sigma^2` the coefficients are `D mu`, `mu = B^-1 D Phi' W z / sigma^2`, and the negative
//! logarithm of the marginal likelihood is
//! `(z' W z / sigma^2 - mu . D Phi' W z / sigma^2) / 2 + log det B / 2 + n log sigma^2 / 2`, up to a constant (MacKay, Neural
//! Computation 4(3), 1992; Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, section 5.4).

use std::ops::Range;

use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{Mat, Par, Side};
use lglp_sdk::plugin::PluginError;

use crate::lbfgs::minimise;

/// The data, the columns, and what is believed of variances beforehand.
pub(crate) struct Linear {
    /// `n x p`.
    pub phi: Mat<f64>,
    pub z: Vec<f64>,
    /// Of the rows, above 0 and 1 at most.
    pub weights: Vec<f64>,
    /// Columns of each group.
    pub groups: Vec<Range<usize>>,
}

/// What is believed of the logarithms of the variances, the noise's last: normal around `centre`.
#[derive(Clone, Debug)]
pub(crate) struct Hyperprior {
    pub centre: Vec<f64>,
    /// Standard deviation; none where they are not to be learned.
    pub deviation: Option<f64>,
}

/// The variances beyond which nothing is looked for, as logarithms.
const BOUNDS: Range<f64> = -24.0..6.0;

impl Linear {
    fn rows(&self) -> usize {
        self.z.len()
    }

    fn columns(&self) -> usize {
        self.phi.ncols()
    }

    /// What these coefficients say of each row.
    pub(crate) fn fitted(&self, coefficients: &[f64]) -> Vec<f64> {
        let fitted = &self.phi * faer::ColRef::from_slice(coefficients);
        fitted.iter().copied().collect()
    }

    /// The logarithms of the variances that the data and the belief speak for most, from `start` in so many steps at most.
    pub(crate) fn learn(&self, belief: &Hyperprior, start: Vec<f64>, steps: usize) -> Vec<f64> {
        let Some(deviation) = belief.deviation else {
            return start;
        };
        let believed = |at: &[f64], (value, mut gradient): (f64, Vec<f64>)| {
            let mut sum = value;
            for ((at, centre), gradient) in at.iter().zip(&belief.centre).zip(&mut gradient) {
                let off = (at - centre) / deviation;
                sum += off * off / 2.0;
                *gradient += off / deviation;
            }
            (sum, gradient)
        };
        let wall = || (f64::INFINITY, Vec::new());
        let inside = |at: &[f64]| at.iter().all(|at| BOUNDS.contains(at));
        if self.rows() <= self.columns() {
            let dual = Dual::new(self);
            minimise(start, steps, |at| {
                let found = inside(at).then(|| dual.evidence(at)).flatten();
                found.map_or_else(wall, |found| believed(at, found))
            })
        } else {
            let primal = Primal::new(self);
            minimise(start, steps, |at| {
                let found = inside(at).then(|| primal.evidence(at)).flatten();
                found.map_or_else(wall, |found| believed(at, found))
            })
        }
    }

    /// The coefficients at these logarithms of variances.
    ///
    /// # Errors
    /// `Failed` where the numbers are beyond what arithmetic can do.
    pub(crate) fn posterior(&self, at: &[f64]) -> Result<Posterior, PluginError> {
        let primal = Primal::new(self);
        let found = primal.solve(at);
        let (_, mu, inverse) = found.ok_or_else(|| PluginError::Failed("the fit has no solution".into()))?;
        let scales = primal.scales(at);
        let coefficients = mu.iter().zip(&scales).map(|(mu, scale)| mu * scale).collect();
        let root = Mat::from_fn(self.columns(), self.columns(), |i, j| inverse[(i, j)] * scales[j]);
        let half = &self.phi * root.transpose();
        let spread = (0..self.rows()).map(|i| (0..half.ncols()).map(|j| half[(i, j)] * half[(i, j)]).sum());
        Ok(Posterior {
            coefficients,
            root,
            variance: at[self.groups.len()].exp(),
            spread: spread.collect(),
        })
    }
}

/// What the data tell of the coefficients.
pub(crate) struct Posterior {
    pub coefficients: Vec<f64>,
    /// `R` lower triangular, with `R' R` the covariance of the coefficients.
    pub root: Mat<f64>,
    /// Of the noise.
    pub variance: f64,
    /// The variance of the mean of each row.
    pub spread: Vec<f64>,
}

/// A row, told by all others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Without {
    /// What is measured less what is predicted, in the unit of `z`.
    pub residual: f64,
    /// The variance of what is predicted.
    pub variance: f64,
}

impl Posterior {
    /// Each row as all others tell it (Cook and Weisberg, Residuals and Influence in Regression, 1982, section 2.2).
    pub(crate) fn left_out(&self, problem: &Linear) -> Vec<Without> {
        let fitted = problem.fitted(&self.coefficients);
        let row = |i: usize| {
            let leverage = (self.spread[i] * problem.weights[i] / self.variance).min(1.0 - 1e-6);
            Without {
                residual: (problem.z[i] - fitted[i]) / (1.0 - leverage),
                variance: self.spread[i] / (1.0 - leverage),
            }
        };
        (0..problem.rows()).map(row).collect()
    }
}

/// Where there are more rows than columns.
struct Primal<'a> {
    problem: &'a Linear,
    /// `Phi' W Phi`.
    moments: Mat<f64>,
    /// `Phi' W z`.
    projected: Vec<f64>,
    /// `z' W z`.
    energy: f64,
}

impl<'a> Primal<'a> {
    fn new(problem: &'a Linear) -> Self {
        let (n, p) = (problem.rows(), problem.columns());
        let roots: Vec<f64> = problem.weights.iter().map(|w| w.sqrt()).collect();
        let weighted = Mat::from_fn(n, p, |i, j| problem.phi[(i, j)] * roots[i]);
        let z: Vec<f64> = problem.z.iter().zip(&roots).map(|(z, root)| z * root).collect();
        let projected = weighted.transpose() * faer::ColRef::from_slice(&z);
        Self {
            problem,
            moments: weighted.transpose() * &weighted,
            projected: projected.iter().copied().collect(),
            energy: z.iter().map(|z| z * z).sum(),
        }
    }

    /// The standard deviations of the columns.
    fn scales(&self, at: &[f64]) -> Vec<f64> {
        let mut scales = vec![0.0; self.problem.columns()];
        for (columns, log) in self.problem.groups.iter().zip(at) {
            scales[columns.clone()].fill((log / 2.0).exp());
        }
        scales
    }

    /// Half the logarithm of `det B`, `mu`, and the inverse of the Cholesky factor of `B`.
    fn solve(&self, at: &[f64]) -> Option<(f64, Vec<f64>, Mat<f64>)> {
        let (p, scales) = (self.problem.columns(), self.scales(at));
        let variance = at[self.problem.groups.len()].exp();
        let b = Mat::from_fn(p, p, |i, j| {
            let identity = if i == j { 1.0 } else { 0.0 };
            identity + scales[i] * self.moments[(i, j)] * scales[j] / variance
        });
        let factor = b.llt(Side::Lower).ok()?;
        let mut inverse = Mat::zeros(p, p);
        invert_lower_triangular(inverse.as_mut(), factor.L(), Par::Seq);
        let right: Vec<f64> = self
            .projected
            .iter()
            .zip(&scales)
            .map(|(b, d)| b * d / variance)
            .collect();
        let half = &inverse * faer::ColRef::from_slice(&right);
        let mu = inverse.transpose() * &half;
        let determinant = (0..p).map(|i| factor.L()[(i, i)].ln()).sum();
        Some((determinant, mu.iter().copied().collect(), inverse))
    }

    fn evidence(&self, at: &[f64]) -> Option<(f64, Vec<f64>)> {
        let (determinant, mu, inverse) = self.solve(at)?;
        let (n, p) = (self.problem.rows() as f64, self.problem.columns());
        let (log_variance, scales) = (at[self.problem.groups.len()], self.scales(at));
        let variance = log_variance.exp();
        let explained: f64 = (0..p).map(|j| mu[j] * scales[j] * self.projected[j] / variance).sum();
        let value = (self.energy / variance - explained) / 2.0 + determinant + n * log_variance / 2.0;
        // Diagonal of `B^-1`.
        let diagonal: Vec<f64> = (0..p)
            .map(|j| inverse.col(j).iter().skip(j).map(|x| x * x).sum())
            .collect();
        let mut gradient: Vec<f64> = Vec::with_capacity(at.len());
        for columns in &self.problem.groups {
            let used: f64 = columns.clone().map(|j| mu[j] * mu[j] + diagonal[j]).sum();
            gradient.push((columns.len() as f64 - used) / 2.0);
        }
        // The weighted squares of the residuals: `z'Wz - 2 b.Phi'Wz + b'Ab`, of which `A b` follows from `B mu`.
        let whole: f64 = (0..p).map(|j| mu[j] * mu[j]).sum();
        let residual = self.energy - variance * explained - variance * whole;
        let trace: f64 = diagonal.iter().sum();
        gradient.push((n - p as f64 + trace - residual / variance) / 2.0);
        value.is_finite().then_some((value, gradient))
    }
}

/// Where there are no more rows than columns: the same in the space of rows, `K = Phi D^2 Phi' + sigma^2 / W`.
struct Dual<'a> {
    problem: &'a Linear,
    /// `Phi_g Phi_g'` of each group.
    kernels: Vec<Mat<f64>>,
}

impl<'a> Dual<'a> {
    fn new(problem: &'a Linear) -> Self {
        let kernel = |columns: &Range<usize>| {
            let part = problem.phi.subcols(columns.start, columns.len());
            part * part.transpose()
        };
        Self {
            kernels: problem.groups.iter().map(kernel).collect(),
            problem,
        }
    }

    fn evidence(&self, at: &[f64]) -> Option<(f64, Vec<f64>)> {
        let (n, groups) = (self.problem.rows(), self.kernels.len());
        let (log_variance, weights) = (at[groups], &self.problem.weights);
        let variance = log_variance.exp();
        let mut k = Mat::<f64>::zeros(n, n);
        for (kernel, log) in self.kernels.iter().zip(at) {
            k += faer::Scale(log.exp()) * kernel;
        }
        for i in 0..n {
            k[(i, i)] += variance / weights[i];
        }
        let factor = k.llt(Side::Lower).ok()?;
        let mut inverse = Mat::zeros(n, n);
        invert_lower_triangular(inverse.as_mut(), factor.L(), Par::Seq);
        let half = &inverse * faer::ColRef::from_slice(&self.problem.z);
        let alpha = inverse.transpose() * &half;
        let whole = inverse.transpose() * &inverse;
        let energy: f64 = half.iter().map(|x| x * x).sum();
        let determinant: f64 = (0..n).map(|i| factor.L()[(i, i)].ln() + weights[i].ln() / 2.0).sum();
        let value = energy / 2.0 + determinant;
        let mut gradient = Vec::with_capacity(at.len());
        for (kernel, log) in self.kernels.iter().zip(at) {
            let image = kernel * &alpha;
            let fitted: f64 = alpha.iter().zip(image.iter()).map(|(a, b)| a * b).sum();
            let trace: f64 = (0..n)
                .map(|j| (0..n).map(|i| whole[(i, j)] * kernel[(i, j)]).sum::<f64>())
                .sum();
            gradient.push(log.exp() * (trace - fitted) / 2.0);
        }
        let noise: f64 = (0..n).map(|i| (whole[(i, i)] - alpha[i] * alpha[i]) / weights[i]).sum();
        gradient.push(variance * noise / 2.0);
        value.is_finite().then_some((value, gradient))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(n: usize, p: usize) -> Linear {
        let noise = |i: usize| ((i * 7919 + 13) % 1009) as f64 / 1009.0 - 0.5;
        Linear {
            phi: Mat::from_fn(n, p, |i, j| noise(i * p + j)),
            z: (0..n).map(|i| noise(i * 31 + 5)).collect(),
            weights: (0..n).map(|i| 1.0 - 0.4 * (noise(i) + 0.5)).collect(),
            groups: vec![0..2, 2..p],
        }
    }

    #[test]
    fn both_spaces_agree_and_gradients_are_those_of_the_values() {
        for (n, p) in [(12, 5), (5, 9)] {
            let problem = problem(n, p);
            let at = [-1.0, -2.0, -1.5];
            let (a, da) = Primal::new(&problem).evidence(&at).expect("a solution");
            let (b, db) = Dual::new(&problem).evidence(&at).expect("a solution");
            assert!((a - b).abs() < 1e-9, "{a} against {b}");
            for i in 0..3 {
                assert!((da[i] - db[i]).abs() < 1e-9, "{da:?} against {db:?}");
                let mut there = at;
                there[i] += 1e-6;
                let slope = (Primal::new(&problem).evidence(&there).expect("a solution").0 - a) / 1e-6;
                assert!((slope - da[i]).abs() < 1e-4, "{i}: {slope} against {}", da[i]);
            }
        }
    }

    #[test]
    fn a_row_that_is_left_out_is_predicted_as_by_a_fit_without_it() {
        let whole = problem(12, 5);
        let at = [-1.0, -2.0, -1.5];
        let left_out = whole.posterior(&at).expect("a solution").left_out(&whole);
        for (i, row) in left_out.iter().enumerate() {
            let keep: Vec<usize> = (0..12).filter(|k| *k != i).collect();
            let without = Linear {
                phi: Mat::from_fn(11, 5, |r, c| whole.phi[(keep[r], c)]),
                z: keep.iter().map(|k| whole.z[*k]).collect(),
                weights: keep.iter().map(|k| whole.weights[*k]).collect(),
                groups: whole.groups.clone(),
            };
            let fit = without.posterior(&at).expect("a solution");
            let predicted: f64 = (0..5).map(|j| whole.phi[(i, j)] * fit.coefficients[j]).sum();
            assert!((whole.z[i] - predicted - row.residual).abs() < 1e-9);
            let half: f64 = (0..5)
                .map(|r| {
                    (0..5)
                        .map(|c| fit.root[(r, c)] * whole.phi[(i, c)])
                        .sum::<f64>()
                        .powi(2)
                })
                .sum();
            assert!((half - row.variance).abs() < 1e-9);
        }
    }
}

//! The fit. A network of prior cost `m` takes `y = m + s (phi . b + eps)`: a smooth correction of what it ought to cost, and an
//! error that is relative and heavy-tailed, Student's t with `nu` degrees of freedom.
//!
//! There are two stages. The first one takes `s = m`. The second one knows from it what networks take, and how the error shrinks with their size:
//! `s = clip(fit, 0.4 m, 2.5 m) (m / median m)^gamma`. Its prior cost stays `m`: refitting the residuals of one's own fit would
//! find nothing left to explain, and call that certainty.
//!
//! Heavy tails are weights, `w_i = min(1, (nu + 1) / (nu + r_i^2 / (sigma^2 + v_i)))`, from residuals `r_i` of rows that are left out
//! (Lange, Little and Taylor, Journal of the American Statistical Association 84, 1989).

use faer::Mat;
use lglp_sdk::plugin::{LeftOut, PluginError};

use crate::columns::{Columns, Table, median};
use crate::cost::{Cost, Generic};
use crate::evidence::{Hyperprior, Linear, Posterior, Without};
use crate::model::{LEAST, Model};
use crate::narrow::narrowed;
use crate::operator::{Catalogue, Network, sum};
use crate::parts::Parts;
use crate::size::Size;

/// Degrees of freedom of the errors that are tried; the first one unless another is better.
pub(crate) const FREEDOMS: [f64; 3] = [2.0, 1.0, 4.0];

/// How much better another one must be.
const BETTER: f64 = 0.99;

/// Times that weights and variances are learned in turn, and steps of learning the variances at first and later.
const ROUNDS: usize = 3;
const STEPS: usize = 40;
const FURTHER: usize = 10;

/// The least weight of a row.
const LEAST_WEIGHT: f64 = 1e-4;

/// Rows of a kind below which nothing is said of their noise.
const FEWEST: usize = 30;

/// The largest variance of the error of networks of no search space, beside that of those of one.
const MOST_NOISE: f64 = 1e4;

/// The standard deviation of the relative error that is believed in beforehand.
pub(crate) const NOISE: f64 = 0.025;

/// What other targets taught.
#[derive(Default)]
pub(crate) struct Known {
    /// Prior costs, in the place of the generic ones.
    pub cost: Option<Cost>,
    /// Logarithms of variances by group, the noise's under `None`.
    pub variances: Vec<(Option<crate::columns::Group>, f64)>,
}

/// What is fitted.
#[derive(Clone)]
pub(crate) struct Data<'a> {
    pub catalogue: Catalogue,
    pub networks: &'a [Network],
    /// Milliseconds.
    pub targets: &'a [f64],
}

/// A stage, under way.
struct Solved {
    variances: Vec<f64>,
    weights: Vec<f64>,
    posterior: Posterior,
    left_out: Vec<Without>,
}

/// Fits a model. `report` is told how many of how many parts are done, and cancels by an error.
///
/// # Errors
/// `Failed` where there are no rows, or numbers beyond what arithmetic can do; what `report` gives.
pub(crate) fn fit(
    data: Data<'_>,
    known: Known,
    report: &dyn Fn(u64, u64) -> Result<(), PluginError>,
) -> Result<Model, PluginError> {
    let Data {
        catalogue,
        networks,
        targets,
    } = data;
    if targets.is_empty() {
        return Err(PluginError::Failed("there is nothing to fit: no row".into()));
    }
    let parts = 1 + FREEDOMS.len() as u64;
    report(0, parts)?;
    let mut cost = known
        .cost
        .unwrap_or_else(|| Cost::generic(Generic::of(&catalogue, networks)).priced(&catalogue, networks, targets));
    cost.adjust(&catalogue, networks, targets);
    let costs = cost.of_all(&catalogue);
    let sums: Vec<f64> = networks.iter().map(|network| sum(network, &costs)).collect();
    let columns = Columns::new(&catalogue, networks, &costs, &sums);
    let table = Table::new(&columns, &catalogue, costs);
    let mut belief = belief(&columns, targets.len());
    for (group, log) in known.variances {
        let at = match group {
            Some(group) => columns.groups().iter().position(|(other, _)| *other == group),
            None => Some(belief.centre.len() - 1),
        };
        if let Some(at) = at {
            belief.centre[at] = log;
        }
    }
    let problem = |scales: &[f64], weights: Vec<f64>| {
        let rows: Vec<Vec<f64>> = networks
            .iter()
            .zip(scales)
            .map(|(network, scale)| columns.row(network, *scale, &table, &catalogue))
            .collect();
        let z = targets.iter().zip(&sums).zip(scales).map(|((y, m), s)| (y - m) / s);
        Linear {
            phi: Mat::from_fn(rows.len(), columns.len(), |i, j| rows[i][j]),
            z: z.collect(),
            weights,
            groups: columns.groups().into_iter().map(|(_, range)| range).collect(),
        }
    };

    // The first stage.
    let mut precisions = vec![1.0; targets.len()];
    let mut first = problem(&sums, precisions.clone());
    let mut solved = robust(
        &mut first,
        &precisions,
        &belief,
        belief.centre.clone(),
        FREEDOMS[0],
        STEPS,
    )?;
    let network_noise = network_noise(networks, &solved.left_out);
    if network_noise > 1.0 {
        let of_none = networks
            .iter()
            .zip(&mut precisions)
            .filter(|(network, _)| network.resolution.is_none());
        of_none.for_each(|(_, precision)| *precision = 1.0 / network_noise);
        first.weights.clone_from(&precisions);
        solved = robust(&mut first, &precisions, &belief, solved.variances, FREEDOMS[0], FURTHER)?;
    }
    report(1, parts)?;

    // The second one.
    let size = Size::of(&sums, &solved.left_out);
    let fitted = first.fitted(&solved.posterior.coefficients);
    let scales: Vec<f64> = (0..sums.len())
        .map(|i| size.scale(sums[i], sums[i] * (1.0 + fitted[i])))
        .collect();
    let mut best: Option<(f64, f64, Solved)> = None;
    for (at, freedom) in FREEDOMS.into_iter().enumerate() {
        let (variances, weights) = match &best {
            None => (solved.variances.clone(), solved.weights.clone()),
            Some((.., best)) => (best.variances.clone(), best.weights.clone()),
        };
        let mut second = problem(&scales, weights);
        let found = robust(&mut second, &precisions, &belief, variances, freedom, FURTHER)?;
        let error = mape(&found.left_out, &scales, targets);
        if best.as_ref().is_none_or(|(least, ..)| error < BETTER * least) {
            best = Some((error, freedom, found));
        }
        report(2 + at as u64, parts)?;
    }
    let (_, freedom, second) = best.ok_or_else(|| PluginError::Failed("the fit has no solution".into()))?;
    let rows = second.left_out.iter().zip(&precisions).zip(scales.iter().zip(&sums));
    let left_out = rows
        .zip(targets)
        .map(|(((without, precision), (scale, prior)), y)| LeftOut {
            predicted: (y - scale * without.residual).max(LEAST * prior),
            spread: scale * (second.posterior.variance / precision + without.variance).sqrt(),
        });
    let left_out = left_out.collect();
    let (catalogue, columns, cost) = match columns.is_wide() {
        true => narrowed(catalogue, columns, cost, networks),
        false => (catalogue, columns, cost),
    };
    let parts = Parts {
        catalogue,
        columns,
        cost,
        size,
        freedom,
        variances: second.variances,
        network_noise,
        first: solved.posterior.coefficients,
        second: second.posterior.coefficients,
        root: second.posterior.root,
    };
    Ok(Model::new(parts, left_out))
}

fn belief(columns: &Columns, rows: usize) -> Hyperprior {
    let groups = columns.groups();
    let deviations = groups.iter().map(|(group, _)| group.believed()).chain([NOISE]);
    Hyperprior {
        centre: deviations.map(|deviation| 2.0 * deviation.ln()).collect(),
        deviation: match rows {
            0..20 => None,
            20..30 => Some(0.5),
            30..=1000 => Some(1.0),
            _ => Some(3.0),
        },
    }
}

/// How much larger the variance of the error is of networks of no search space than of those of one; 1 where there are too few of either
/// to tell. Networks of a space differ by little, and those of none by much.
fn network_noise(networks: &[Network], left_out: &[Without]) -> f64 {
    let rows = networks.iter().zip(left_out);
    let (of_space, of_none): (Vec<_>, Vec<_>) = rows.partition(|(network, _)| network.resolution.is_some());
    if of_space.len().min(of_none.len()) < FEWEST {
        return 1.0;
    }
    let middle = |rows: Vec<(_, &Without)>| {
        let squares = rows.iter().map(|(_, without)| without.residual * without.residual);
        median(&squares.collect::<Vec<f64>>())
    };
    (middle(of_none) / middle(of_space)).clamp(1.0, MOST_NOISE)
}

/// Learns variances and weights in turn; `precisions` are those of the rows, 1 or less, which weights are taken times.
fn robust(
    problem: &mut Linear,
    precisions: &[f64],
    belief: &Hyperprior,
    start: Vec<f64>,
    freedom: f64,
    steps: usize,
) -> Result<Solved, PluginError> {
    let mut variances = problem.learn(belief, start, steps);
    for _ in 0..ROUNDS {
        let posterior = problem.posterior(&variances)?;
        let left_out = posterior.left_out(problem);
        for ((weight, precision), without) in problem.weights.iter_mut().zip(precisions).zip(&left_out) {
            let variance = posterior.variance / precision + without.variance;
            let squared = without.residual * without.residual / variance;
            *weight = precision * ((freedom + 1.0) / (freedom + squared)).clamp(LEAST_WEIGHT, 1.0);
        }
        variances = problem.learn(belief, variances, FURTHER);
    }
    let posterior = problem.posterior(&variances)?;
    let left_out = left_out(problem, precisions, &posterior, &variances, freedom)?;
    Ok(Solved {
        variances,
        weights: problem.weights.clone(),
        posterior,
        left_out,
    })
}

/// Each row as all others tell it. Without it others have other weights, too, which a formula with fixed ones does not see: it calls rows
/// that lean on each other certain. So the influence of a row is told by the curvature of its loss in the place of its weight
/// (Rad and Maleki, Journal of the Royal Statistical Society B 82, 2020).
fn left_out(
    problem: &mut Linear,
    precisions: &[f64],
    posterior: &Posterior,
    variances: &[f64],
    freedom: f64,
) -> Result<Vec<Without>, PluginError> {
    let mut without = posterior.left_out(problem);
    let curvatures = problem.weights.iter().zip(precisions).map(|(weight, precision)| {
        let weight = weight / precision;
        // The weight tells the squared residual; where it is 1, the loss is that of least squares.
        let squared = (freedom + 1.0) / weight - freedom;
        let curvature = weight * (freedom - squared) / (freedom + squared);
        precision * if weight < 1.0 { curvature.max(LEAST_WEIGHT) } else { 1.0 }
    });
    let curvatures = curvatures.collect();
    let weights = std::mem::replace(&mut problem.weights, curvatures);
    let influence = problem.posterior(variances);
    let curvatures = std::mem::replace(&mut problem.weights, weights);
    let influence = influence?;
    let fitted = problem.fitted(&posterior.coefficients);
    for (i, without) in without.iter_mut().enumerate() {
        let (own, residual) = (influence.spread[i] / influence.variance, problem.z[i] - fitted[i]);
        let rest = 1.0 - (own * curvatures[i]).min(1.0 - 1e-6);
        without.residual = residual * (1.0 + own * problem.weights[i] / rest);
    }
    Ok(without)
}

/// The mean of the relative errors of rows that are left out.
pub(crate) fn left_out_error(model: &Model, targets: &[f64]) -> f64 {
    let rows = model.left_out.iter().zip(targets);
    mean_relative(rows.map(|(row, y)| (row.predicted - y, y)))
}

fn mape(left_out: &[Without], scales: &[f64], targets: &[f64]) -> f64 {
    let rows = left_out.iter().zip(scales).zip(targets);
    mean_relative(rows.map(|((without, scale), y)| (scale * without.residual, y)))
}

/// The mean of errors, each relative to what was measured.
fn mean_relative<'a>(errors: impl ExactSizeIterator<Item = (f64, &'a f64)>) -> f64 {
    let count = errors.len() as f64;
    errors.map(|(error, y)| (error / y).abs()).sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: usize = 16;

    /// Numbers between -0.5 and 0.5 that look random.
    fn noise(at: usize) -> f64 {
        let mixed = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    }

    fn problem(keep: impl Fn(usize) -> bool) -> Linear {
        let rows: Vec<usize> = (0..60).filter(|row| keep(*row)).collect();
        let column = |row: usize, column: usize| noise(row * COLUMNS + column);
        // Every sixth row is an outlier.
        let error = |row: usize| noise(7_000 + row) * if row.is_multiple_of(6) { 0.6 } else { 0.06 };
        let z = |row: &usize| (0..COLUMNS).map(|j| column(*row, j) * noise(9_000 + j)).sum::<f64>() + error(*row);
        Linear {
            phi: Mat::from_fn(rows.len(), COLUMNS, |i, j| column(rows[i], j)),
            z: rows.iter().map(z).collect(),
            weights: vec![1.0; rows.len()],
            groups: vec![0..COLUMNS / 2, COLUMNS / 2..COLUMNS],
        }
    }

    /// The story: with weights held fixed, rows were said to be told far better by the others than fits without them told them, and
    /// intervals were too narrow.
    #[test]
    fn a_row_that_is_left_out_is_told_as_by_a_robust_fit_without_it() {
        let variances = [-2.0, -2.0, -7.0];
        let belief = Hyperprior {
            centre: variances.to_vec(),
            deviation: None,
        };
        let fit = |problem: &mut Linear| {
            robust(
                problem,
                &vec![1.0; problem.z.len()],
                &belief,
                variances.to_vec(),
                2.0,
                0,
            )
            .expect("a fit")
        };
        let mut whole = problem(|_| true);
        let solved = fit(&mut whole);
        let fixed = solved.posterior.left_out(&whole);
        let refitted = (0..60).map(|row| {
            let without = fit(&mut problem(|other| other != row)).posterior;
            let predicted = (0..COLUMNS).map(|j| whole.phi[(row, j)] * without.coefficients[j]);
            whole.z[row] - predicted.sum::<f64>()
        });
        let middle = |residuals: Vec<f64>| median(&residuals.into_iter().map(f64::abs).collect::<Vec<_>>());
        let refitted = middle(refitted.collect());
        let of = |rows: &[Without]| middle(rows.iter().map(|row| row.residual).collect()) / refitted;
        let (fixed, told) = (of(&fixed), of(&solved.left_out));
        assert!(fixed < 0.98, "{fixed} of what fits tell, with fixed weights");
        assert!((0.98..1.05).contains(&told), "{told} of what fits tell");
    }
}

//! Elastic-Net by cyclic coordinate descent (Friedman, Hastie and Tibshirani, 2010), ended by the duality gap.

use faer::Mat;
use lglp_sdk::plugin::PluginError;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::design::Design;
use crate::linear_model::Method;

/// scikit-learn's names and defaults. It minimises `|y - Xw|^2 / (2 rows) + alpha l1_ratio |w|_1 + alpha (1 - l1_ratio) |w|^2 / 2`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    /// Strength of both penalties.
    #[schemars(range(min = 0.0))]
    alpha: f64,
    /// 1 for the lasso, 0 for the ridge.
    #[schemars(range(min = 0.0, max = 1.0))]
    l1_ratio: f64,
    /// Passes over the coefficients at most.
    #[schemars(range(min = 1, max = 10000000))]
    max_iter: u32,
    /// Passes end at a duality gap of this share of the targets' sum of squares.
    #[schemars(range(min = 0.0))]
    tol: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            alpha: 1.0,
            l1_ratio: 0.5,
            max_iter: 1000,
            tol: 1e-4,
        }
    }
}

pub(crate) enum ElasticNet {}

impl Method for ElasticNet {
    const NAME: &'static str = "elastic-net";
    const SUMMARY: &'static str = "least squares with absolute and squared penalties";
    type Parameters = Parameters;

    fn coefficients(parameters: &Parameters, design: &Design) -> Result<Vec<f64>, PluginError> {
        Ok(descend(parameters, &design.inputs, &design.targets))
    }
}

fn descend(parameters: &Parameters, inputs: &Mat<f64>, targets: &[f64]) -> Vec<f64> {
    let rows = targets.len() as f64;
    let absolute = parameters.alpha * parameters.l1_ratio * rows;
    let squared = parameters.alpha * (1.0 - parameters.l1_ratio) * rows;
    let columns: Vec<&[f64]> = (0..inputs.ncols()).map(|j| inputs.col_as_slice(j)).collect();
    let norms: Vec<f64> = columns.iter().map(|c| dot(c, c)).collect();
    let enough = parameters.tol * dot(targets, targets);
    let mut weights = vec![0.0; columns.len()];
    let mut residual = targets.to_vec();
    for pass in 1..=parameters.max_iter {
        let (mut largest, mut change) = (0f64, 0f64);
        for ((column, norm), weight) in columns.iter().zip(&norms).zip(&mut weights) {
            if *norm == 0.0 {
                continue;
            }
            let before = *weight;
            let pull = dot(column, &residual) + norm * before;
            *weight = (pull.abs() - absolute).max(0.0).copysign(pull) / (norm + squared);
            if *weight != before {
                add_scaled(&mut residual, before - *weight, column);
            }
            change = change.max((*weight - before).abs());
            largest = largest.max(weight.abs());
        }
        let settled = largest == 0.0 || change / largest <= parameters.tol || pass == parameters.max_iter;
        if settled && gap(&columns, targets, &weights, &residual, absolute, squared) < enough {
            break;
        }
    }
    weights
}

/// How far the objective (times the rows) can be from its minimum.
fn gap(columns: &[&[f64]], targets: &[f64], weights: &[f64], residual: &[f64], absolute: f64, squared: f64) -> f64 {
    let slopes = columns.iter().zip(weights).map(|(c, w)| dot(c, residual) - squared * w);
    let steepest = slopes.fold(0.0, |most: f64, slope| most.max(slope.abs()));
    let residual_norm = dot(residual, residual);
    // The residual, scaled until it is feasible for the dual problem.
    let (scale, half_errors) = if steepest > absolute {
        let scale = absolute / steepest;
        (scale, 0.5 * residual_norm * (1.0 + scale * scale))
    } else {
        (1.0, residual_norm)
    };
    let penalty: f64 = weights.iter().map(|w| w.abs()).sum();
    half_errors + absolute * penalty - scale * dot(residual, targets)
        + 0.5 * squared * (1.0 + scale * scale) * dot(weights, weights)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn add_scaled(sum: &mut [f64], factor: f64, values: &[f64]) {
    for (s, v) in sum.iter_mut().zip(values) {
        *s += factor * v;
    }
}

//! Support vector regression with a radial kernel.

use lglp_sdk::plugin::{Fit, PluginError, Regressor, Tensor, work};
use libsvm_rs::{KernelType, SvmNode, SvmParameterBuilder, SvmProblem, SvmType, train};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::linear_model::check_width;
use crate::state;

/// scikit-learn's names and defaults. The kernel's width is its `gamma="scale"`: one over inputs times their variance.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {
    /// Penalty of an error beyond epsilon.
    #[serde(rename = "C")]
    #[schemars(range(min = 1e-9))]
    c: f64,
    /// Errors that cost nothing, in the unit of the targets.
    #[schemars(range(min = 0.0))]
    epsilon: f64,
    /// Of the solver's stopping rule.
    #[schemars(range(min = 1e-12))]
    tol: f64,
    /// Memory for the kernel matrix, MiB.
    #[schemars(range(min = 1.0, max = 65536.0))]
    cache_size: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            c: 1.0,
            epsilon: 0.1,
            tol: 1e-3,
            cache_size: 200.0,
        }
    }
}

/// `sum(weight exp(-gamma |x - vector|^2)) - offset` over the support vectors. LIBSVM's own model file has too few digits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Svr {
    /// Width of a row.
    inputs: usize,
    gamma: f64,
    offset: f64,
    support: Vec<SupportVector>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SupportVector {
    weight: f64,
    /// Positions, ascending, and values of what is not zero.
    cells: Vec<(usize, f32)>,
}

impl Regressor for Svr {
    const NAME: &'static str = "svr";
    const SUMMARY: &'static str = "support vector regression with a radial kernel";
    const STATE_VERSION: u32 = state::VERSION;
    type Parameters = Parameters;

    fn fit(parameters: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        let part = &data.train;
        if part.inputs.rows == 0 {
            return Err(PluginError::Failed("there are no rows to train on".into()));
        }
        let svm = SvmParameterBuilder::new()
            .svm_type(SvmType::EpsilonSvr)
            .kernel_type(KernelType::Rbf)
            .gamma(scale(&part.inputs))
            .c(parameters.c)
            .p(parameters.epsilon)
            .eps(parameters.tol)
            .cache_size(parameters.cache_size)
            .shrinking(true)
            .build()
            .map_err(|e| PluginError::InvalidParameters(e.to_string()))?;
        let problem = SvmProblem {
            labels: part.targets.to_vec(),
            instances: (0..part.inputs.rows).map(|i| nodes(part.inputs.row(i))).collect(),
        };
        libsvm_rs::set_quiet(true);
        let model = train::svm_train(&problem, &svm);
        let (Some(weights), Some(offset)) = (model.sv_coef.first(), model.rho.first()) else {
            return Err(PluginError::Failed("LIBSVM found no model".into()));
        };
        let vectors = model
            .sv_indices
            .iter()
            .map(|index| cells(part.inputs.row(index - 1)).collect());
        let support = weights.iter().zip(vectors);
        let model = Self {
            inputs: part.inputs.shape.len(),
            gamma: svm.gamma,
            offset: *offset,
            support: support
                .map(|(weight, cells)| SupportVector { weight: *weight, cells })
                .collect(),
        };
        model.check_work()?;
        Ok(model)
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        state::save(self)
    }

    fn load(version: u32, bytes: &[u8]) -> Result<Self, PluginError> {
        let model: Self = state::load(version, bytes)?;
        let refused = |what: &str| Err(PluginError::UnsupportedState(what.into()));
        let ascending = |vector: &SupportVector| vector.cells.is_sorted_by(|a, b| a.0 < b.0);
        let within = |vector: &SupportVector| vector.cells.last().is_none_or(|cell| cell.0 < model.inputs);
        if !model.support.iter().all(ascending) {
            return refused("the positions of a support vector do not ascend");
        }
        if !model.support.iter().all(within) {
            return refused("a support vector is wider than a row");
        }
        // A negative width would let the kernel grow without bound.
        if model.gamma <= 0.0 {
            return refused("gamma is not above 0");
        }
        let mut cells = model.support.iter().flat_map(|vector| &vector.cells);
        if let Some((_, value)) = cells.find(|cell| cell.1.is_subnormal()) {
            return refused(&format!(
                "a support vector has the value {value:e}, which a float does not hold at full precision; a training takes \
                 such a value for 0"
            ));
        }
        model.check_work()?;
        Ok(model)
    }

    fn predict(&self, inputs: Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
        check_width(&inputs, self.inputs)?;
        for (row, target) in targets.iter_mut().enumerate() {
            let row = inputs.row(row);
            let square: f64 = row.iter().map(|x| f64::from(*x).powi(2)).sum();
            let term = |vector: &SupportVector| {
                // |x - v|^2, of which only the cells of v differ from |x|^2.
                let distance = vector.cells.iter().fold(square, |sum, (i, v)| {
                    let (x, v) = (f64::from(row[*i]), f64::from(*v));
                    sum + v * v - 2.0 * x * v
                });
                vector.weight * (-self.gamma * distance).exp()
            };
            *target = self.support.iter().map(term).sum::<f64>() - self.offset;
        }
        Ok(())
    }
}

impl Svr {
    fn check_work(&self) -> Result<(), work::TooMuch> {
        let vectors = self.support.len() as u64;
        let cells: u64 = self.support.iter().map(|vector| vector.cells.len() as u64).sum();
        let steps = cells + vectors * work::EXPONENTIAL;
        work::check(steps, format_args!("{vectors} support vectors of {cells} values"))
    }
}

/// What is not zero. Subnormal numbers, which make arithmetic a hundred times slower, count as zero.
fn cells(row: &[f32]) -> impl Iterator<Item = (usize, f32)> {
    row.iter().copied().enumerate().filter(|cell| cell.1.is_normal())
}

/// The same under LIBSVM's indices, which begin at 1.
fn nodes(row: &[f32]) -> Vec<SvmNode> {
    let node = |(i, value)| SvmNode {
        index: i as i32 + 1,
        value: f64::from(value),
    };
    cells(row).map(node).collect()
}

/// scikit-learn's `gamma="scale"`: one over the number of inputs times the variance of all their values.
fn scale(inputs: &Tensor<'_>) -> f64 {
    let n = inputs.data.len() as f64;
    let mean = inputs.data.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let variance = inputs.data.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
    if variance == 0.0 {
        1.0
    } else {
        1.0 / (inputs.shape.len() as f64 * variance)
    }
}

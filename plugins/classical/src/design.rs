//! The centred least-squares problem behind the linear models: an intercept is fitted by centring inputs and targets.

use faer::Mat;
use lglp_sdk::plugin::{Labelled, PluginError};

/// Inputs and targets without their means.
pub(crate) struct Design {
    /// `[rows, inputs]`.
    pub inputs: Mat<f64>,
    pub targets: Vec<f64>,
    input_means: Vec<f64>,
    target_mean: f64,
}

impl Design {
    /// Centres a training part. Fails where it has no rows.
    pub(crate) fn new(part: &Labelled<'_>) -> Result<Self, PluginError> {
        let (rows, width) = (part.inputs.rows, part.inputs.shape.len());
        if rows == 0 {
            return Err(PluginError::Failed("there are no rows to train on".into()));
        }
        let mut input_means = vec![0.0; width];
        for row in 0..rows {
            for (mean, value) in input_means.iter_mut().zip(part.inputs.row(row)) {
                *mean += f64::from(*value);
            }
        }
        for mean in &mut input_means {
            *mean /= rows as f64;
        }
        let target_mean = part.targets.iter().sum::<f64>() / rows as f64;
        Ok(Self {
            inputs: Mat::from_fn(rows, width, |i, j| f64::from(part.inputs.row(i)[j]) - input_means[j]),
            targets: part.targets.iter().map(|t| t - target_mean).collect(),
            input_means,
            target_mean,
        })
    }

    /// The intercept that goes with these coefficients.
    pub(crate) fn intercept(&self, coefficients: &[f64]) -> f64 {
        let shift: f64 = coefficients.iter().zip(&self.input_means).map(|(c, m)| c * m).sum();
        self.target_mean - shift
    }
}

/// The thin singular value decomposition `inputs = U diag(s) V'`, with the targets in the basis of `U`.
pub(crate) struct Decomposition {
    /// Descending.
    pub singular_values: Vec<f64>,
    /// `U' targets`.
    pub rotated_targets: Vec<f64>,
    /// `[inputs, singular values]`.
    v: Mat<f64>,
}

impl Decomposition {
    pub(crate) fn of(design: &Design) -> Result<Self, PluginError> {
        let svd = design
            .inputs
            .thin_svd()
            .map_err(|e| PluginError::Failed(format!("the singular value decomposition failed: {e:?}")))?;
        let targets = faer::ColRef::from_slice(&design.targets);
        let rotated = svd.U().transpose() * targets;
        Ok(Self {
            singular_values: svd.S().column_vector().iter().copied().collect(),
            rotated_targets: rotated.iter().copied().collect(),
            v: svd.V().to_owned(),
        })
    }

    /// `V weights`: coefficients from their weights along the singular vectors.
    pub(crate) fn coefficients(&self, weights: &[f64]) -> Vec<f64> {
        let product = &self.v * faer::ColRef::from_slice(weights);
        product.iter().copied().collect()
    }
}

//! The gated residual: what the regressor leaves over of rows that it did not know is learned by another one, and that is kept only where
//! it is seen to help.
//!
//! Its targets are `measured / predicted` of each row as all others tell it. What it is worth is told by rows that it does not know
//! either: each of five folds is told by the others (cross-fitting; Chernozhukov et al., 2018, arXiv:1608.00060). Of its
//! corrections that share is taken which is best by least squares, and none where the mean error falls by less than 5 %.

use std::sync::Arc;

use lglp_sdk::plugin::{LeftOut, Progress};
use lglp_sdk::{Architecture, SearchSpace};
use serde::{Deserialize, Serialize};

use super::ComponentSpec;
use crate::host::{
    ComponentHandle, EncoderInstance, FitData, FittedInstance, LabelledRows, Matrix, PluginError, Tenant,
};

/// Rows below which there is nothing to learn from what is left over.
const FEWEST: usize = 100;

/// Folds of which each is told by the others.
const FOLDS: usize = 5;

/// The mean error with corrections, as a share of that without, from which on they are not worth having.
const GATE: f64 = 0.95;

/// Spreads beyond which an error is an outlier, and counts as so many.
const CLIP: f64 = 3.0;

/// What corrects the predictions of a recipe's regressor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResidualSpec {
    /// What turns architectures into what the residual's regressor reads.
    pub encoder: ComponentSpec,
    /// What learns `measured / predicted` of the recipe's regressor.
    pub regressor: ComponentSpec,
}

/// The factor by which a prediction is corrected at most, up or down: beyond, it is no correction.
const FURTHEST: f64 = 10.0;

/// How corrections were judged by rows that they do not know.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResidualGate {
    /// Of each correction that is taken, 0 to 1.
    pub share: f64,
    /// Mean relative error without corrections, %, each counted as 100 at most.
    pub without: f64,
    /// The same with them, %.
    pub with: f64,
}

impl ResidualGate {
    /// Whether corrections are taken.
    pub fn is_open(&self) -> bool {
        self.share > 0.0 && self.with < GATE * self.without
    }

    /// What a prediction is to be multiplied by, where `told` is what the residual's regressor says.
    fn factor(&self, told: f64) -> f64 {
        (1.0 + self.share * (told - 1.0)).clamp(1.0 / FURTHEST, FURTHEST)
    }
}

/// The components of a residual, looked up.
pub(super) struct Components {
    pub encoder: ComponentHandle,
    pub regressor: ComponentHandle,
}

impl Components {
    pub(super) fn on_behalf_of(&self, tenant: &Arc<Tenant>) -> Self {
        Self {
            encoder: self.encoder.on_behalf_of(tenant),
            regressor: self.regressor.on_behalf_of(tenant),
        }
    }

    pub(super) fn handles(&self) -> [&ComponentHandle; 2] {
        [&self.encoder, &self.regressor]
    }
}

/// A residual whose gate is open.
pub(super) struct Residual {
    encoder: EncoderInstance,
    regressor: FittedInstance,
    gate: ResidualGate,
}

/// What fitting a residual gives.
pub(super) struct Fitted {
    pub gate: ResidualGate,
    /// `None` where the gate is closed.
    pub residual: Option<Residual>,
    /// What each row's prediction is to be multiplied by, told without that row; ones where the gate is closed.
    pub factors: Vec<f64>,
}

/// Rows, as the regressor tells each without it.
#[derive(Clone, Copy)]
pub(super) struct Unexplained<'a> {
    pub architectures: &'a [Architecture],
    pub measured: &'a [f64],
    pub left_out: &'a [LeftOut],
}

/// Fits a residual and judges it; `None` where there are too few rows.
pub(super) fn fit(
    components: &Components,
    spec: &ResidualSpec,
    space: &SearchSpace,
    rows: Unexplained<'_>,
    seed: u64,
    progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<Option<Fitted>, PluginError> {
    let Unexplained {
        architectures,
        measured,
        left_out,
    } = rows;
    if architectures.len() < FEWEST {
        return Ok(None);
    }
    let encoder = EncoderInstance::new(&components.encoder, space, &spec.encoder.parameters)?;
    let inputs = encoder.encode(architectures.iter())?;
    let ratios: Vec<f64> = measured.iter().zip(left_out).map(|(y, row)| ratio(*y, row)).collect();
    let mut fit_without = |fold: usize, stop: usize| {
        let (train, stop): (Vec<usize>, Vec<usize>) = rows_but(fold, ratios.len()).partition(|row| row % FOLDS != stop);
        let (train_inputs, stop_inputs) = (inputs.part(&train), inputs.part(&stop));
        let targets = |rows: &[usize]| -> Vec<f64> { rows.iter().map(|row| ratios[*row]).collect() };
        let (train_targets, stop_targets) = (targets(&train), targets(&stop));
        let data = FitData {
            train: LabelledRows {
                inputs: &train_inputs,
                targets: &train_targets,
            },
            validation: LabelledRows {
                inputs: &stop_inputs,
                targets: &stop_targets,
            },
            seed,
            progress,
        };
        FittedInstance::fit(&components.regressor, &spec.regressor.parameters, data)
    };
    let mut told = vec![1.0; ratios.len()];
    for fold in 0..FOLDS {
        let fitted = fit_without(fold, (fold + 1) % FOLDS)?;
        let rows: Vec<usize> = (fold..ratios.len()).step_by(FOLDS).collect();
        for (row, value) in rows.iter().zip(fitted.predict(&inputs.part(&rows))?) {
            told[*row] = value;
        }
    }
    let gate = judge(&told, &ratios, measured, left_out);
    if !gate.is_open() {
        let factors = vec![1.0; ratios.len()];
        return Ok(Some(Fitted {
            gate,
            residual: None,
            factors,
        }));
    }
    // No fold is left to be told.
    let regressor = fit_without(FOLDS, 0)?;
    Ok(Some(Fitted {
        gate,
        factors: told.into_iter().map(|told| gate.factor(told)).collect(),
        residual: Some(Residual {
            encoder,
            regressor,
            gate,
        }),
    }))
}

/// The rows of all folds but one.
fn rows_but(fold: usize, rows: usize) -> impl Iterator<Item = usize> {
    (0..rows).filter(move |row| row % FOLDS != fold)
}

/// `measured / predicted`, outliers clipped; above zero, as targets are. Of what is no prediction there is nothing to learn.
fn ratio(measured: f64, row: &LeftOut) -> f64 {
    let (ratio, clip) = (measured / row.predicted, CLIP * row.spread / row.predicted);
    if !(ratio.is_finite() && row.predicted > 0.0 && clip >= 0.0) {
        return 1.0;
    }
    ratio.clamp(1.0 - clip, 1.0 + clip).max(f64::EPSILON)
}

fn judge(told: &[f64], ratios: &[f64], measured: &[f64], left_out: &[LeftOut]) -> ResidualGate {
    let pairs = || told.iter().zip(ratios).map(|(told, ratio)| (told - 1.0, ratio - 1.0));
    let squares: f64 = pairs().map(|(correction, _)| correction * correction).sum();
    let cross: f64 = pairs().map(|(correction, error)| correction * error).sum();
    let share = if squares > 0.0 {
        (cross / squares).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let mut gate = ResidualGate {
        share,
        without: 0.0,
        with: 0.0,
    };
    let error = |factor: &dyn Fn(f64) -> f64| {
        let rows = told.iter().zip(measured).zip(left_out);
        let errors = rows.map(|((told, y), row)| (row.predicted * factor(*told) / y - 1.0).abs().min(1.0));
        100.0 * errors.sum::<f64>() / measured.len() as f64
    };
    let (without, with) = (error(&|_| 1.0), error(&|told| gate.factor(told)));
    (gate.without, gate.with) = (without, with);
    gate
}

impl Residual {
    /// Whether a plugin of it is called in a process of its own.
    pub(super) fn runs_apart(&self) -> bool {
        self.encoder.runs_apart() || self.regressor.runs_apart()
    }

    /// Loads what [`Self::save`] gave.
    pub(super) fn load(
        components: &Components,
        spec: &ResidualSpec,
        space: &SearchSpace,
        state_version: u32,
        state: &[u8],
        gate: &[u8],
    ) -> Result<Self, PluginError> {
        let unreadable = |error: &dyn std::fmt::Display| PluginError::UnsupportedState {
            component: components.regressor.name().to_owned(),
            message: format!("the gate of the residual cannot be read: {error}"),
        };
        let gate: ResidualGate = serde_json::from_slice(gate).map_err(|error| unreadable(&error))?;
        if !(0.0..=1.0).contains(&gate.share) {
            return Err(unreadable(&format!("its share is {}, not 0 to 1", gate.share)));
        }
        Ok(Self {
            encoder: EncoderInstance::new(&components.encoder, space, &spec.encoder.parameters)?,
            regressor: FittedInstance::load(&components.regressor, state_version, state)?,
            gate,
        })
    }

    /// The regressor's state, and the gate as JSON.
    pub(super) fn save(&self) -> Result<[Vec<u8>; 2], PluginError> {
        let gate = serde_json::to_vec(&self.gate).expect("numbers are JSON");
        Ok([self.regressor.save()?, gate])
    }

    /// What the prediction of each architecture is to be multiplied by.
    pub(super) fn factors<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture>,
    ) -> Result<Vec<f64>, PluginError> {
        let inputs: Matrix = self.encoder.encode(architectures)?;
        let told = self.regressor.predict(&inputs)?;
        Ok(told.into_iter().map(|told| self.gate.factor(told)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(predicted: f64, spread: f64) -> LeftOut {
        LeftOut { predicted, spread }
    }

    #[test]
    fn outliers_are_clipped_and_what_is_no_prediction_counts_as_right() {
        assert!((ratio(11.0, &row(10.0, 1.0)) - 1.1).abs() < 1e-12);
        assert!((ratio(90.0, &row(10.0, 1.0)) - 1.3).abs() < 1e-12);
        assert!((ratio(0.1, &row(10.0, 5.0))) > 0.0);
        for broken in [
            row(-1.0, 1.0),
            row(0.0, 1.0),
            row(f64::NAN, 1.0),
            row(1.0, f64::NAN),
            row(1.0, -1.0),
        ] {
            assert_eq!(ratio(3.0, &broken), 1.0, "{broken:?}");
        }
        assert_eq!(ratio(3.0, &row(1.0, 0.0)), 1.0, "what is certain is not corrected");
    }

    #[test]
    fn a_gate_opens_where_corrections_help_and_takes_their_share() {
        let left_out = vec![row(10.0, 2.0); 4];
        let measured = [12.0, 12.0, 8.0, 8.0];
        let ratios = [1.2, 1.2, 0.8, 0.8];
        let right = judge(&[1.4, 1.4, 0.6, 0.6], &ratios, &measured, &left_out);
        assert!(
            right.is_open() && (right.share - 0.5).abs() < 1e-12 && right.with < 1e-9,
            "{right:?}"
        );
        let wrong = judge(&[0.8, 0.8, 1.2, 1.2], &ratios, &measured, &left_out);
        assert!(!wrong.is_open() && wrong.share == 0.0, "{wrong:?}");
        let nothing = judge(&[1.0; 4], &ratios, &measured, &left_out);
        assert!(!nothing.is_open(), "{nothing:?}");
    }
}

//! A fitted model: a table of times by operator, and what an operator that is not in it takes.

use faer::Mat;
use lglp_sdk::plugin::{LeftOut, PluginError, Tensor};

use crate::columns::{Columns, Table};
use crate::cost::Cost;
use crate::evidence::Posterior;
use crate::fit::Size;
use crate::layers::layers_of;
use crate::operator::{Catalogue, Network, Operator, WIDTH, check_width};

/// All that a fit finds.
pub struct Stage {
    /// Coefficients of the first stage.
    pub first: Vec<f64>,
    pub second: Posterior,
    /// Logarithms of the variances of the second stage, the noise's last.
    pub variances: Vec<f64>,
    /// Degrees of freedom of the errors.
    pub freedom: f64,
    pub size: Size,
    pub cost: Cost,
    pub columns: Columns,
    pub catalogue: Catalogue,
    /// Prediction and spread of each row without it, milliseconds.
    pub left_out: Vec<(f64, f64)>,
}

/// A fitted model.
pub struct Model {
    pub catalogue: Catalogue,
    pub columns: Columns,
    pub cost: Cost,
    pub size: Size,
    pub freedom: f64,
    pub variances: Vec<f64>,
    pub first: Vec<f64>,
    pub second: Vec<f64>,
    /// `R`, with `R' R` the covariance of the second stage's coefficients.
    pub root: Mat<f64>,
    /// Of each operator of the catalogue.
    pub times: Vec<Times>,
    pub left_out: Vec<LeftOut>,
}

/// What an operator takes, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// Beforehand.
    pub prior: f64,
    /// As the first stage has it.
    pub first: f64,
    /// As the second stage has it: what is predicted.
    pub second: f64,
}

/// What a network takes, in parts, milliseconds.
struct Sums {
    prior: f64,
    first: f64,
    second: f64,
}

impl Model {
    pub fn new(stage: Stage) -> Self {
        let left_out = stage.left_out.iter();
        let mut model = Self {
            left_out: left_out
                .map(|(predicted, spread)| LeftOut {
                    predicted: *predicted,
                    spread: *spread,
                })
                .collect(),
            catalogue: stage.catalogue,
            columns: stage.columns,
            cost: stage.cost,
            size: stage.size,
            freedom: stage.freedom,
            variances: stage.variances,
            first: stage.first,
            second: stage.second.coefficients,
            root: stage.second.root,
            times: Vec::new(),
        };
        model.times = model
            .catalogue
            .operators
            .iter()
            .map(|operator| model.times_of(operator))
            .collect();
        model
    }

    /// What an operator takes, whether it is in the table or not.
    pub fn times_of(&self, operator: &Operator) -> Times {
        let prior = self.cost.of_operator(operator);
        let row = self.columns.of_operator(operator, prior, &self.catalogue.operators);
        let dot = |coefficients: &[f64]| row.iter().zip(coefficients).map(|(x, b)| x * b).sum::<f64>();
        Times {
            prior,
            first: prior + dot(&self.first),
            second: prior + dot(&self.second),
        }
    }

    /// What each operator of a network takes; those that are not in the table are worked out.
    fn times_in(&self, step: &[f32]) -> Result<Option<(Operator, Times)>, PluginError> {
        let Some((operator, _)) = Operator::read(step)? else {
            return Ok(None);
        };
        let times = match self.catalogue.find(&operator.shape) {
            Some(number) => self.times[number as usize],
            None => self.times_of(&operator),
        };
        Ok(Some((operator, times)))
    }

    /// What a whole layer takes beside its operators, in each stage, where layers count.
    fn of_layers(&self, row: &[f32]) -> Result<Vec<LayerTimes>, PluginError> {
        let Some((basis, range)) = self.columns.layers() else {
            return Ok(Vec::new());
        };
        let mut catalogue = Catalogue::default();
        let mut operators = Vec::new();
        for step in row.chunks_exact(WIDTH) {
            let Some((operator, place)) = Operator::read(step)? else {
                break;
            };
            operators.push((catalogue.number(operator), place));
        }
        let network = Network {
            operators,
            resolution: 0,
        };
        let mut times = Vec::new();
        for layer in layers_of(&network, &catalogue) {
            let costs = layer.operators.iter().map(|number| {
                let operator = &catalogue.operators[*number as usize];
                self.cost.of_operator(operator)
            });
            let cost: f64 = costs.sum();
            let psi = basis.at(&layer.kind);
            let dot = |coefficients: &[f64]| {
                let own = &coefficients[range.clone()];
                cost * psi.iter().zip(own).map(|(x, b)| x * b).sum::<f64>()
            };
            let within = |at: &usize| network.operators[*at].1 == layer.place;
            times.push(LayerTimes {
                steps: (0..network.operators.len()).filter(within).collect(),
                first: dot(&self.first),
                second: dot(&self.second),
            });
        }
        Ok(times)
    }

    /// Sums of a row, and the part of each step where `parts` has room.
    fn sums(&self, row: &[f32], mut parts: Option<&mut [f64]>) -> Result<(Sums, u32), PluginError> {
        let (mut sums, mut resolution) = (
            Sums {
                prior: 0.0,
                first: 0.0,
                second: 0.0,
            },
            0,
        );
        let mut priors = Vec::new();
        for (at, step) in row.chunks_exact(WIDTH).enumerate() {
            let Some((operator, times)) = self.times_in(step)? else {
                break;
            };
            if at == 0 {
                resolution = operator.shape.side_in;
            }
            sums.prior += times.prior;
            sums.first += times.first;
            sums.second += times.second;
            if let Some(parts) = &mut parts {
                parts[at] = times.second;
                priors.push(times.prior);
            }
        }
        for layer in self.of_layers(row)? {
            sums.first += layer.first;
            sums.second += layer.second;
            if let Some(parts) = &mut parts {
                let whole: f64 = layer.steps.iter().map(|at| priors[*at]).sum();
                layer
                    .steps
                    .iter()
                    .for_each(|at| parts[*at] += layer.second * priors[*at] / whole);
            }
        }
        if sums.prior <= 0.0 {
            return Err(PluginError::Failed("a network has no operators".into()));
        }
        Ok((sums, resolution))
    }

    /// The prediction of a row, its scale, and what of the prediction belongs to no operator; milliseconds.
    fn whole(&self, sums: &Sums, resolution: u32) -> (f64, f64, f64) {
        let (at, constant) = self.columns.constant();
        let of_resolution = |coefficients: &[f64]| {
            let entries = self.columns.of_resolution(resolution);
            entries.map(|(at, entry)| entry * coefficients[at]).sum::<f64>()
        };
        let first = sums.first + constant * self.first[at] + sums.prior * of_resolution(&self.first);
        let scale = self.size.scale(sums.prior, first);
        let rest = constant * self.second[at] + scale * of_resolution(&self.second);
        (sums.second + rest, scale, rest)
    }

    /// Predictions, milliseconds: never below a hundredth of the prior cost.
    ///
    /// # Errors
    /// `Failed` for rows that are no tables of operators.
    pub fn predict(&self, inputs: &Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
        check_width(inputs)?;
        for (row, target) in targets.iter_mut().enumerate() {
            let (sums, resolution) = self.sums(inputs.row(row), None)?;
            let (predicted, ..) = self.whole(&sums, resolution);
            *target = predicted.max(sums.prior / 100.0);
        }
        Ok(())
    }

    /// Predictions and their spreads, milliseconds.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn predict_spread(
        &self,
        inputs: &Tensor<'_>,
        targets: &mut [f64],
        spreads: &mut [f64],
    ) -> Result<(), PluginError> {
        let mut catalogue = self.catalogue.clone();
        let networks = catalogue.read(inputs)?;
        let costs = self.cost.of_all(&catalogue);
        let table = Table::new(&self.columns, &catalogue, costs);
        let variance = self.variances[self.variances.len() - 1].exp();
        let mut scales = Vec::with_capacity(inputs.rows);
        for (row, target) in targets.iter_mut().enumerate() {
            let (sums, resolution) = self.sums(inputs.row(row), None)?;
            let (predicted, scale, _) = self.whole(&sums, resolution);
            *target = predicted.max(sums.prior / 100.0);
            scales.push(scale);
        }
        let rows: Vec<Vec<f64>> = networks
            .iter()
            .zip(&scales)
            .map(|(network, scale)| self.columns.row(network, *scale, &table, &catalogue))
            .collect();
        let phi = Mat::from_fn(self.columns.len(), rows.len(), |j, i| rows[i][j]);
        let half = &self.root * &phi;
        for (i, spread) in spreads.iter_mut().enumerate() {
            let own: f64 = half.col(i).iter().map(|x| x * x).sum();
            *spread = scales[i] * (variance + own).sqrt();
        }
        Ok(())
    }

    /// The part of each prediction that each step has, and at last what belongs to none; milliseconds.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn contributions(&self, inputs: &Tensor<'_>, out: &mut [f64]) -> Result<(), PluginError> {
        check_width(inputs)?;
        for (row, parts) in out.chunks_exact_mut(inputs.shape.steps + 1).enumerate() {
            parts.fill(0.0);
            let (steps, rest) = parts.split_at_mut(inputs.shape.steps);
            let (sums, resolution) = self.sums(inputs.row(row), Some(&mut *steps))?;
            let (predicted, _, own) = self.whole(&sums, resolution);
            let floor = sums.prior / 100.0;
            rest[0] = if predicted < floor {
                floor - predicted + own
            } else {
                own
            };
        }
        Ok(())
    }
}

/// What a layer takes beside its operators, milliseconds.
struct LayerTimes {
    steps: Vec<usize>,
    first: f64,
    second: f64,
}

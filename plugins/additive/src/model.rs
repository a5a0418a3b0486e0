//! A fitted model: a table of times by operator, and what an operator that is not in it takes.

use std::borrow::Cow;

use faer::Mat;
use lglp_sdk::plugin::{LeftOut, PluginError, Tensor};

use crate::columns::{Columns, Group, add};
use crate::cost::Cost;
use crate::fit::Size;
use crate::layers::{LayerKind, layers_of};
use crate::operator::{Catalogue, Network, Operator, SIDE_IN, WIDTH, check_width};

/// What a fit finds, and a saved model has.
pub struct Parts {
    pub catalogue: Catalogue,
    pub columns: Columns,
    pub cost: Cost,
    pub size: Size,
    /// Degrees of freedom of the errors.
    pub freedom: f64,
    /// Logarithms of the variances of the second stage, the noise's last.
    pub variances: Vec<f64>,
    /// Coefficients of the first stage.
    pub first: Vec<f64>,
    /// Coefficients of the second stage.
    pub second: Vec<f64>,
    /// `R`, with `R' R` the covariance of the second stage's coefficients.
    pub root: Mat<f64>,
}

/// A fitted model.
pub struct Model {
    pub parts: Parts,
    /// Of each operator of the catalogue.
    times: Vec<Times>,
    /// What each operator of the catalogue adds to the columns.
    rows: Vec<Vec<f64>>,
    /// What a resolution that was not seen adds to the variance.
    unseen: f64,
    /// Each row of the fit as all others tell it, milliseconds; empty in a model that was loaded.
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

/// What the operators and layers of a network take, milliseconds.
struct Sums {
    times: Times,
    /// Side of the input, pixels.
    resolution: u32,
    layers: Vec<OwnLayer>,
}

/// A prediction, milliseconds.
struct Whole {
    predicted: f64,
    /// Of the error.
    scale: f64,
    /// What belongs to no operator.
    rest: f64,
}

/// A layer of a row.
struct OwnLayer {
    kind: LayerKind,
    /// Prior cost, milliseconds.
    cost: f64,
    steps: Vec<usize>,
}

/// Predictions are no less than this share of the prior cost.
pub const LEAST: f64 = 0.01;

impl Model {
    pub fn new(parts: Parts, left_out: Vec<LeftOut>) -> Self {
        let mut model = Self {
            parts,
            times: Vec::new(),
            rows: Vec::new(),
            unseen: 0.0,
            left_out,
        };
        let Parts {
            catalogue,
            columns,
            cost,
            variances,
            ..
        } = &model.parts;
        let operators = &catalogue.operators;
        let row = |operator| columns.of_operator(operator, cost.of_operator(operator, catalogue), operators);
        let rows: Vec<Vec<f64>> = operators.iter().map(row).collect();
        let times = rows.iter().map(|row| model.times_of(row)).collect();
        let own = columns
            .groups()
            .iter()
            .position(|(group, _)| *group == Group::Resolution);
        let believed = Group::Resolution.believed().powi(2);
        model.unseen = own.map_or(0.0, |at| variances[at].exp().max(believed));
        (model.rows, model.times) = (rows, times);
        model
    }

    /// Whether all that follows from the parts are numbers.
    pub fn is_finite(&self) -> bool {
        let finite = |times: &Times| times.prior > 0.0 && times.first.is_finite() && times.second.is_finite();
        self.times.iter().all(finite)
    }

    /// What each operator of the catalogue takes.
    pub fn table(&self) -> impl Iterator<Item = (&Operator, &Times)> {
        self.parts.catalogue.operators.iter().zip(&self.times)
    }

    /// Predictions, milliseconds.
    ///
    /// # Errors
    /// `Failed` for rows that are no tables of operators.
    pub fn predict(&self, inputs: &Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
        check_width(inputs)?;
        for (at, target) in targets.iter_mut().enumerate() {
            let sums = self.sums(inputs.row(at), None, None)?;
            *target = self.whole(&sums).predicted;
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
        let noise = self.parts.variances[self.parts.variances.len() - 1].exp();
        let (wholes, half) = self.halves(inputs)?;
        for (at, whole) in wholes.iter().enumerate() {
            let own: f64 = half.col(at).iter().map(|x| x * x).sum();
            targets[at] = whole.predicted;
            spreads[at] = whole.scale * (noise + own + self.unseen_of(inputs.row(at))).sqrt();
        }
        Ok(())
    }

    /// Spreads of the differences between each row and the first, milliseconds.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn difference_spreads(&self, inputs: &Tensor<'_>, spreads: &mut [f64]) -> Result<(), PluginError> {
        let (wholes, half) = self.halves(inputs)?;
        let resolution = |at: usize| inputs.row(at)[SIDE_IN];
        for at in 0..wholes.len() {
            let (first, own) = (wholes[0].scale, wholes[at].scale);
            let pairs = half.col(0).iter().zip(half.col(at).iter());
            let known: f64 = pairs.map(|(a, b)| (first * a - own * b).powi(2)).sum();
            // What one resolution that was not seen takes otherwise is the same for both.
            let new = match resolution(at) == resolution(0) {
                true => (first - own).powi(2) * self.unseen_of(inputs.row(0)),
                false => first * first * self.unseen_of(inputs.row(0)) + own * own * self.unseen_of(inputs.row(at)),
            };
            spreads[at] = (known + new).sqrt();
        }
        Ok(())
    }

    /// Predictions, and a matrix with a column for each row: products of two of them are covariances of the relative errors that come
    /// from what is not known of the coefficients.
    fn halves(&self, inputs: &Tensor<'_>) -> Result<(Vec<Whole>, Mat<f64>), PluginError> {
        check_width(inputs)?;
        let (mut wholes, mut rows) = (Vec::with_capacity(inputs.rows), Vec::with_capacity(inputs.rows));
        for at in 0..inputs.rows {
            let mut columns = vec![0.0; self.parts.columns.len()];
            let sums = self.sums(inputs.row(at), Some(&mut columns), None)?;
            let whole = self.whole(&sums);
            let layers = sums.layers.iter().map(|layer| (layer.kind, layer.cost));
            let completed = (self.parts.columns).complete(columns, layers, sums.resolution, whole.scale);
            rows.push(completed);
            wholes.push(whole);
        }
        let phi = Mat::from_fn(self.parts.columns.len(), rows.len(), |j, i| rows[i][j]);
        Ok((wholes, &self.parts.root * &phi))
    }

    /// What a resolution adds to the variance of relative errors: something where it was not seen.
    fn unseen_of(&self, row: &[f32]) -> f64 {
        match self.parts.columns.is_new(row[SIDE_IN] as u32) {
            true => self.unseen,
            false => 0.0,
        }
    }

    /// The part of each prediction that each step has, and at last what belongs to none; milliseconds.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn contributions(&self, inputs: &Tensor<'_>, out: &mut [f64]) -> Result<(), PluginError> {
        check_width(inputs)?;
        for (at, parts) in out.chunks_exact_mut(inputs.shape.steps + 1).enumerate() {
            parts.fill(0.0);
            let (steps, rest) = parts.split_at_mut(inputs.shape.steps);
            let sums = self.sums(inputs.row(at), None, Some(steps))?;
            rest[0] = self.whole(&sums).rest;
        }
        Ok(())
    }

    /// What an operator takes, milliseconds, as far as that belongs to it alone.
    pub fn time_of(&self, operator: &Operator) -> f64 {
        self.own(operator).0.second
    }

    /// What an operator takes, and what it adds to the columns: from the tables, or worked out where it is in none.
    fn own(&self, operator: &Operator) -> (Times, Cow<'_, [f64]>) {
        let Parts {
            catalogue,
            columns,
            cost,
            ..
        } = &self.parts;
        if let Some(number) = catalogue.find(&operator.shape) {
            return (self.times[number as usize], (&self.rows[number as usize]).into());
        }
        let row = columns.of_operator(operator, cost.of_operator(operator, catalogue), &catalogue.operators);
        (self.times_of(&row), row.into())
    }

    /// What an operator takes that adds so much to the columns, the first of which is its prior cost.
    fn times_of(&self, row: &[f64]) -> Times {
        let dot = |coefficients: &[f64]| row.iter().zip(coefficients).map(|(x, b)| x * b).sum::<f64>();
        Times {
            prior: row[0],
            first: row[0] + dot(&self.parts.first),
            second: row[0] + dot(&self.parts.second),
        }
    }

    /// Sums over a row; where they are given, adds what operators have of the columns, and tells the part of each step.
    fn sums(
        &self,
        row: &[f32],
        mut columns: Option<&mut [f64]>,
        mut parts: Option<&mut [f64]>,
    ) -> Result<Sums, PluginError> {
        let mut all = Times {
            prior: 0.0,
            first: 0.0,
            second: 0.0,
        };
        let mut priors = Vec::new();
        for (at, step) in row.chunks_exact(WIDTH).enumerate() {
            let Some((operator, _)) = Operator::read(step)? else {
                break;
            };
            let (times, own) = self.own(&operator);
            all.prior += times.prior;
            all.first += times.first;
            all.second += times.second;
            if let Some(columns) = &mut columns {
                add(columns, &own);
            }
            if let Some(parts) = &mut parts {
                parts[at] = times.second;
                priors.push(times.prior);
            }
        }
        let layers = self.layers(row)?;
        for layer in &layers {
            let (first, second) = self.of_layer(layer);
            all.first += first;
            all.second += second;
            if let Some(parts) = &mut parts {
                layer
                    .steps
                    .iter()
                    .for_each(|at| parts[*at] += second * priors[*at] / layer.cost);
            }
        }
        if all.prior <= 0.0 {
            return Err(PluginError::Failed("a network has no operators".into()));
        }
        Ok(Sums {
            times: all,
            resolution: row[SIDE_IN] as u32,
            layers,
        })
    }

    fn whole(&self, sums: &Sums) -> Whole {
        let Parts {
            columns, first, second, ..
        } = &self.parts;
        let (at, constant) = columns.constant();
        let of_resolution = |coefficients: &[f64]| {
            let entries = columns.of_resolution(sums.resolution);
            entries.map(|(at, entry)| entry * coefficients[at]).sum::<f64>()
        };
        let Times {
            prior,
            first: of_first,
            second: of_second,
        } = sums.times;
        let before = of_first + constant * first[at] + prior * of_resolution(first);
        let scale = self.parts.size.scale(prior, before);
        let rest = constant * second[at] + scale * of_resolution(second);
        // What is no number stays none, for the host to refuse.
        let sum = of_second + rest;
        let predicted = if sum.is_finite() {
            sum.max(LEAST * prior)
        } else {
            f64::NAN
        };
        Whole {
            predicted,
            scale,
            rest: predicted - of_second,
        }
    }

    /// The layers of a row, where layers count.
    fn layers(&self, row: &[f32]) -> Result<Vec<OwnLayer>, PluginError> {
        if self.parts.columns.layers().is_none() {
            return Ok(Vec::new());
        }
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
        let layers = layers_of(&network, &catalogue).into_iter().map(|layer| {
            let known = &self.parts.catalogue;
            let cost = |number: &u32| (self.parts.cost).of_operator(&catalogue.operators[*number as usize], known);
            let within = |at: &usize| network.operators[*at].1 == layer.place;
            OwnLayer {
                kind: layer.kind,
                cost: layer.operators.iter().map(cost).sum(),
                steps: (0..network.operators.len()).filter(within).collect(),
            }
        });
        Ok(layers.collect())
    }

    /// What a layer takes beside its operators, in each stage, milliseconds.
    fn of_layer(&self, layer: &OwnLayer) -> (f64, f64) {
        let Some((basis, range)) = self.parts.columns.layers() else {
            return (0.0, 0.0);
        };
        let psi = basis.at(&layer.kind);
        let dot = |coefficients: &[f64]| {
            let own = psi.iter().zip(&coefficients[range.clone()]);
            layer.cost * own.map(|(x, b)| x * b).sum::<f64>()
        };
        (dot(&self.parts.first), dot(&self.parts.second))
    }
}

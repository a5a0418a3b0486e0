//! A fitted model: a table of times by operator, and what an operator that is not in it takes.

use std::ops::Range;
use std::sync::Arc;

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, Par};
use lglp_sdk::plugin::{LeftOut, PluginError, Sums, Tensor};

use crate::columns::{Group, add, add_times};
use crate::layers::{LayerKind, layers_of};
use crate::memo::Memo;
use crate::operator::{Operator, SIDE_IN, Shape, WIDTH, check_width, resolution_of};
use crate::parts::Parts;
use crate::rest::Rest;

/// A fitted model.
pub(crate) struct Model {
    pub parts: Parts,
    /// Of each operator of the catalogue.
    times: Vec<Times>,
    /// What each operator of the catalogue adds to the columns.
    rows: Vec<Vec<f64>>,
    /// Operators that the catalogue lacks.
    operators: Memo<Shape, (Times, Vec<f64>)>,
    layers: Memo<LayerKind, OfLayer>,
    rest: Rest,
    /// What a resolution that was not seen adds to the variance.
    unseen: f64,
    /// Each row of the fit as all others tell it, milliseconds; empty in a model that was loaded.
    pub left_out: Vec<LeftOut>,
}

/// What an operator takes, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Times {
    /// Beforehand.
    pub prior: f64,
    /// As the first stage has it.
    pub first: f64,
    /// As the second stage has it: what is predicted.
    pub second: f64,
}

/// Values that tell a part of a network: [`Times`].
pub(crate) const SUMS: usize = 3;

/// What the operators and layers of a network take, milliseconds.
struct Totals {
    times: Times,
    /// Side of the input, pixels; `None` in a network of no search space.
    resolution: Option<u32>,
}

/// A prediction, milliseconds.
struct Whole {
    predicted: f64,
    /// Of the error.
    scale: f64,
    /// What belongs to no operator.
    rest: f64,
}

/// What a layer takes beside its operators, as shares of their prior cost, in each stage; and what it has of the functions of its
/// basis.
#[derive(Debug)]
struct OfLayer {
    first: f64,
    second: f64,
    psi: Vec<f64>,
}

/// Predictions are no less than this share of the prior cost.
pub(crate) const LEAST: f64 = 0.01;

impl Model {
    pub(crate) fn new(parts: Parts, left_out: Vec<LeftOut>) -> Self {
        let mut model = Self {
            rest: Rest::new(&parts),
            parts,
            times: Vec::new(),
            rows: Vec::new(),
            operators: Memo::default(),
            layers: Memo::default(),
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
    pub(crate) fn is_finite(&self) -> bool {
        let finite = |times: &Times| times.prior > 0.0 && times.first.is_finite() && times.second.is_finite();
        self.times.iter().all(finite)
    }

    /// What each operator of the catalogue takes.
    pub(crate) fn table(&self) -> impl Iterator<Item = (&Operator, &Times)> {
        self.parts.catalogue.operators.iter().zip(&self.times)
    }

    /// Predictions, milliseconds.
    ///
    /// # Errors
    /// `Failed` for rows that are no tables of operators.
    pub(crate) fn predict(&self, inputs: &Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
        check_width(inputs)?;
        for (at, target) in targets.iter_mut().enumerate() {
            let sums = self.sums(inputs.row(at), None, None)?;
            *target = self.whole(&sums).predicted;
        }
        Ok(())
    }

    /// What the operators and layers of each part of a network take, [`SUMS`] values.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub(crate) fn sums_of_parts(&self, parts: &Tensor<'_>, out: &mut [f64]) -> Result<(), PluginError> {
        check_width(parts)?;
        for (at, out) in out.as_chunks_mut::<SUMS>().0.iter_mut().enumerate() {
            let Times { prior, first, second } = self.sums(parts.row(at), None, None)?.times;
            *out = [prior, first, second];
        }
        Ok(())
    }

    /// `R` times the columns of each part of a network, before they are divided by its scale.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub(crate) fn halves_of_parts(&self, parts: &Tensor<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        check_width(parts)?;
        let mut rows = vec![vec![0.0; self.parts.columns.len()]; parts.rows];
        for (at, columns) in rows.iter_mut().enumerate() {
            self.sums(parts.row(at), Some(columns), None)?;
        }
        let half = self.half(&rows);
        for (at, out) in out.chunks_exact_mut(self.parts.columns.len()).enumerate() {
            out.iter_mut()
                .zip(half.col(at).iter())
                .for_each(|(out, half)| *out = *half as f32);
        }
        Ok(())
    }

    /// As [`Self::predict`] and [`Self::predict_spread`], from sums over the parts of each network.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub(crate) fn predict_sums(
        &self,
        told: &Sums<'_>,
        targets: &mut [f64],
        mut spreads: Option<&mut [f64]>,
    ) -> Result<(), PluginError> {
        check_width(&told.firsts)?;
        // What comes in parts is of a search space.
        let noise = self.noise(Some(0));
        for (at, (sums, target)) in told.values.as_chunks::<SUMS>().0.iter().zip(targets).enumerate() {
            let [prior, first, second] = *sums;
            // What comes in parts is of a search space.
            let resolution = Some(told.firsts.row(at)[SIDE_IN] as u32);
            let whole = self.whole(&Totals {
                times: Times { prior, first, second },
                resolution,
            });
            *target = whole.predicted;
            if let Some(spreads) = &mut spreads {
                let halves = &told.spreads[at * self.parts.columns.len()..][..self.parts.columns.len()];
                let own = self.variance(halves, resolution, whole.scale);
                spreads[at] = whole.scale * (noise + own + self.unseen_of(resolution)).sqrt();
            }
        }
        Ok(())
    }

    /// The variance of the relative error that comes from what is not known of the coefficients; `halves` are summed over the parts.
    fn variance(&self, halves: &[f32], resolution: Option<u32>, scale: f64) -> f64 {
        let per_scale = (1.0 / scale) as f32;
        let (constant, of_resolution) = (&self.rest.constant.half, &self.rest.of_resolution(resolution).half);
        // Several sums at once: in one, each addition would wait for the one before.
        const LANES: usize = 16;
        let mut sums = [0f32; LANES];
        let rows = halves
            .chunks(LANES)
            .zip(constant.chunks(LANES))
            .zip(of_resolution.chunks(LANES));
        for ((halves, constant), of_resolution) in rows {
            let entries = halves.iter().zip(constant).zip(of_resolution);
            for (sum, ((half, constant), of_resolution)) in sums.iter_mut().zip(entries) {
                let half = (half + constant) * per_scale + of_resolution;
                *sum += half * half;
            }
        }
        f64::from(sums.iter().sum::<f32>())
    }

    /// The resolution of a network, see [`Network::resolution`](crate::operator::Network::resolution). Models that know of no networks but
    /// those of a space take every network for one of these.
    fn resolution_of(&self, row: &[f32]) -> Option<u32> {
        match self.parts.columns.is_wide() {
            true => resolution_of(row),
            false => Some(row[SIDE_IN] as u32),
        }
    }

    /// The variance of the relative error of a network of such a resolution, beside what is not known of the coefficients.
    fn noise(&self, resolution: Option<u32>) -> f64 {
        let of_space = self.parts.variances[self.parts.variances.len() - 1].exp();
        match resolution {
            Some(_) => of_space,
            None => of_space * self.parts.network_noise,
        }
    }

    /// Predictions and their spreads, milliseconds.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub(crate) fn predict_spread(
        &self,
        inputs: &Tensor<'_>,
        targets: &mut [f64],
        spreads: &mut [f64],
    ) -> Result<(), PluginError> {
        let (wholes, half) = self.halves(inputs)?;
        for (at, whole) in wholes.iter().enumerate() {
            let own: f64 = half.col(at).iter().map(|x| x * x).sum();
            let resolution = self.resolution_of(inputs.row(at));
            targets[at] = whole.predicted;
            spreads[at] = whole.scale * (self.noise(resolution) + own + self.unseen_of(resolution)).sqrt();
        }
        Ok(())
    }

    /// Spreads of the differences between each row and the first, milliseconds.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub(crate) fn difference_spreads(&self, inputs: &Tensor<'_>, spreads: &mut [f64]) -> Result<(), PluginError> {
        let (wholes, half) = self.halves(inputs)?;
        let resolution = |at: usize| self.resolution_of(inputs.row(at));
        for at in 0..wholes.len() {
            let (first, own) = (wholes[0].scale, wholes[at].scale);
            let pairs = half.col(0).iter().zip(half.col(at).iter());
            let known: f64 = pairs.map(|(a, b)| (first * a - own * b).powi(2)).sum();
            // What one resolution that was not seen takes otherwise is the same for both.
            let new = match resolution(at) == resolution(0) {
                true => (first - own).powi(2) * self.unseen_of(resolution(0)),
                false => first * first * self.unseen_of(resolution(0)) + own * own * self.unseen_of(resolution(at)),
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
            rows.push((self.parts.columns).complete(columns, sums.resolution, whole.scale));
            wholes.push(whole);
        }
        let half = self.half(&rows);
        Ok((wholes, half))
    }

    /// `R` times columns: a matrix with a column for each row.
    fn half(&self, rows: &[Vec<f64>]) -> Mat<f64> {
        let phi = Mat::from_fn(self.parts.columns.len(), rows.len(), |j, i| rows[i][j]);
        let mut half = Mat::zeros(phi.nrows(), phi.ncols());
        triangular::matmul(
            half.as_mut(),
            BlockStructure::Rectangular,
            Accum::Replace,
            &self.parts.root,
            BlockStructure::TriangularLower,
            &phi,
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
        half
    }

    /// What a resolution adds to the variance of relative errors: something where it was not seen.
    fn unseen_of(&self, resolution: Option<u32>) -> f64 {
        match self.parts.columns.is_new(resolution) {
            true => self.unseen,
            false => 0.0,
        }
    }

    /// The part of each prediction that each step has, and at last what belongs to none; milliseconds.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub(crate) fn contributions(&self, inputs: &Tensor<'_>, out: &mut [f64]) -> Result<(), PluginError> {
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
    pub(crate) fn time_of(&self, operator: &Operator) -> f64 {
        let Parts { catalogue, .. } = &self.parts;
        let known = catalogue
            .find(&operator.shape)
            .map(|number| self.times[number as usize]);
        known.unwrap_or_else(|| self.worked_out(operator).0).second
    }

    /// What an operator that is in no table takes, and what it adds to the columns.
    fn worked_out(&self, operator: &Operator) -> Arc<(Times, Vec<f64>)> {
        self.operators.get(operator.shape, || {
            let Parts {
                catalogue,
                columns,
                cost,
                ..
            } = &self.parts;
            let row = columns.of_operator(operator, cost.of_operator(operator, catalogue), &catalogue.operators);
            (self.times_of(&row), row)
        })
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

    /// Sums over a row; where they are given, adds what operators and layers have of the columns, and tells the part of each
    /// step.
    fn sums(
        &self,
        row: &[f32],
        mut columns: Option<&mut [f64]>,
        mut parts: Option<&mut [f64]>,
    ) -> Result<Totals, PluginError> {
        let layered = self.parts.columns.layers();
        let mut all = Times {
            prior: 0.0,
            first: 0.0,
            second: 0.0,
        };
        let mut read = Vec::new();
        for (at, step) in row.chunks_exact(WIDTH).enumerate() {
            let Some((operator, place)) = Operator::read(step)? else {
                break;
            };
            let mut take = |times: &Times, own: &[f64]| {
                all.prior += times.prior;
                all.first += times.first;
                all.second += times.second;
                if let Some(columns) = &mut columns {
                    add(columns, own);
                }
                if let Some(parts) = &mut parts {
                    parts[at] = times.second;
                }
                if layered.is_some() {
                    read.push((operator.shape, place, times.prior));
                }
            };
            match self.parts.catalogue.find(&operator.shape) {
                Some(number) => take(&self.times[number as usize], &self.rows[number as usize]),
                None => {
                    let (times, own) = &*self.worked_out(&operator);
                    take(times, own);
                }
            }
        }
        if let Some((basis, range)) = layered {
            for layer in layers_of(read.iter().map(|(shape, place, _)| (shape, *place))) {
                let priors = read[layer.operators.clone()].iter().map(|(_, _, prior)| prior);
                let cost: f64 = priors.clone().sum();
                let OfLayer { first, second, psi } = &*self
                    .layers
                    .get(layer.kind, || self.of_layer(basis.at(&layer.kind), &range));
                all.first += cost * first;
                all.second += cost * second;
                if let Some(columns) = &mut columns {
                    add_times(&mut columns[range.clone()], cost, psi);
                }
                if let Some(parts) = &mut parts {
                    add_times(
                        &mut parts[layer.operators],
                        *second,
                        &priors.copied().collect::<Vec<_>>(),
                    );
                }
            }
        }
        if all.prior <= 0.0 {
            return Err(PluginError::Failed("a network has no operators".into()));
        }
        Ok(Totals {
            times: all,
            resolution: self.resolution_of(row),
        })
    }

    /// What a layer takes beside its operators that has so much of the functions of its basis, the columns of which are `range`.
    fn of_layer(&self, psi: Vec<f64>, range: &Range<usize>) -> OfLayer {
        let dot = |coefficients: &[f64]| {
            let own = psi.iter().zip(&coefficients[range.clone()]);
            own.map(|(x, b)| x * b).sum::<f64>()
        };
        OfLayer {
            first: dot(&self.parts.first),
            second: dot(&self.parts.second),
            psi,
        }
    }

    fn whole(&self, sums: &Totals) -> Whole {
        let (constant, own) = (&self.rest.constant, self.rest.of_resolution(sums.resolution));
        let Times { prior, first, second } = sums.times;
        let scale = self.parts.size.scale(prior, first + constant.first + prior * own.first);
        let rest = constant.second + scale * own.second;
        // What is no number stays none, for the host to refuse.
        let sum = second + rest;
        let predicted = if sum.is_finite() {
            sum.max(LEAST * prior)
        } else {
            f64::NAN
        };
        Whole {
            predicted,
            scale,
            rest: predicted - second,
        }
    }
}

//! What a regressor may offer beside predictions; `None` where it does not.

use lglp_sdk::plugin::LeftOut;

use super::calls::{Call, Offer};
use super::fitted::{FittedInstance, Matrix};
use super::instance;
use super::{ComponentHandle, PluginError};

/// Predictions, and how far what is measured lies from each, about.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// A prediction for each row, in the unit of the targets.
    pub predicted: Vec<f64>,
    /// A spread for each row, in the same unit; empty where none were asked for.
    pub spreads: Vec<f64>,
}

/// Numbers of a part of a network at most: of predictions, and of spreads.
const MOST_SUMS: usize = 64;
const MOST_SPREAD_SUMS: usize = 4096;

/// How many numbers a regressor tells of each part of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SumsLengths {
    /// Numbers that tell all of a part that a prediction depends on, 1 to 64.
    pub values: usize,
    /// 0 where spreads are not among it.
    pub spreads: usize,
}

/// Networks, told by sums over their parts.
pub struct Summed {
    /// The first step of each.
    pub firsts: Matrix,
    /// The sums over the parts of each, [`SumsLengths::values`] of a network after those of another.
    pub values: Vec<f64>,
    /// Only where spreads are asked for.
    pub spreads: Option<Vec<f32>>,
}

impl FittedInstance {
    /// Calls what fills arrays of numbers, where the component offers it.
    fn filled(&self, offer: Offer, call: Call, inputs: &Matrix, out: &mut [&mut [f64]]) -> Result<bool, PluginError> {
        if !self.handle().offers(offer) {
            return Ok(false);
        }
        let mut out: Vec<&mut [u8]> = out.iter_mut().map(|out| bytemuck::cast_slice_mut(out)).collect();
        let called = self.instance().call(call, &[inputs.bytes()], &mut out);
        Ok(offered(called)?.is_some())
    }

    /// Predictions with spreads, in the unit of the targets.
    pub fn predict_spread(&self, inputs: &Matrix) -> Result<Option<Spread>, PluginError> {
        let (mut predicted, mut spreads) = (vec![0.0; inputs.rows], vec![0.0; inputs.rows]);
        let of = inputs.dimensions();
        let out = &mut [&mut predicted[..], &mut spreads[..]];
        let is_offered = self.filled(Offer::PredictSpread, Call::PredictSpread { of }, inputs, out)?;
        Ok(is_offered.then_some(Spread { predicted, spreads }))
    }

    /// How far the difference between the predictions of each row and the first lies, about, from that of what they take in the mean.
    pub fn difference_spreads(&self, inputs: &Matrix) -> Result<Option<Vec<f64>>, PluginError> {
        let (of, mut spreads) = (inputs.dimensions(), vec![0.0; inputs.rows]);
        let call = Call::DifferenceSpreads { of };
        let is_offered = self.filled(Offer::DifferenceSpreads, call, inputs, &mut [&mut spreads])?;
        Ok(is_offered.then_some(spreads))
    }

    /// Each row of the fit, those of the training part first, as it would be predicted without it, in the unit of the targets.
    pub fn leave_one_out(&self, rows: usize) -> Result<Option<Vec<LeftOut>>, PluginError> {
        if !self.handle().offers(Offer::LeaveOneOut) {
            return Ok(None);
        }
        let answer = offered(self.instance().call(Call::LeaveOneOut, &[], &mut []))?;
        let Some(bytes) = answer.map(|answer| answer.bytes) else {
            return Ok(None);
        };
        let values: Vec<f64> = bytes
            .as_chunks()
            .0
            .iter()
            .map(|cell| f64::from_ne_bytes(*cell))
            .collect();
        if values.len() != 2 * rows || bytes.len() != 16 * rows {
            let message = format!("it left out {} rows of {rows}", values.len() / 2);
            return Err(self.handle().failed(message));
        }
        let pairs = values.as_chunks::<2>().0.iter();
        Ok(Some(
            pairs
                .map(|[predicted, spread]| LeftOut {
                    predicted: *predicted,
                    spread: *spread,
                })
                .collect(),
        ))
    }

    /// The part of each prediction that each step of its input has, and at last what belongs to none: `rows * (steps + 1)`
    /// values in the unit of the targets.
    pub fn contributions(&self, inputs: &Matrix) -> Result<Option<Vec<f64>>, PluginError> {
        let (of, mut out) = (inputs.dimensions(), vec![0.0; inputs.rows * (inputs.shape.steps + 1)]);
        let call = Call::Contributions { of };
        let is_offered = self.filled(Offer::Contributions, call, inputs, &mut [&mut out])?;
        Ok(is_offered.then_some(out))
    }

    /// The lengths of sums over the parts of a network; `None` where predictions do not follow from such.
    pub fn sums_lengths(&self) -> Result<Option<SumsLengths>, PluginError> {
        let values = self.length("sums_len", Call::SumsLen, MOST_SUMS)?;
        if values == 0 {
            return Ok(None);
        }
        let spreads = self.length("spread_sums_len", Call::SpreadSumsLen, MOST_SPREAD_SUMS)?;
        let has = |offer: Offer| self.handle().offers(offer);
        let has_all = has(Offer::Sums) && has(Offer::PredictSums);
        if !has_all || (spreads > 0 && !(has(Offer::SpreadSums) && has(Offer::PredictSpread))) {
            let message = "a regressor with `sums_len` has `sums` and `predict_sums`, too, and one with `spread_sums_len` has \
                           `predict_spread` and `spread_sums`";
            return Err(self.handle().failed(message.into()));
        }
        Ok(Some(SumsLengths { values, spreads }))
    }

    fn length(&self, name: &str, call: Call, most: usize) -> Result<usize, PluginError> {
        let told = self.instance().call(call, &[], &mut [])?.number(0);
        let length = usize::try_from(told).unwrap_or(usize::MAX);
        match length > most {
            true => Err(self
                .handle()
                .failed(format!("its `{name}` is {length}; {most} at most"))),
            false => Ok(length),
        }
    }

    /// Numbers of each part of a network, `lengths.values` of each.
    pub fn sums(&self, parts: &Matrix, lengths: SumsLengths) -> Result<Vec<f64>, PluginError> {
        let of = parts.dimensions();
        self.of_parts(Call::Sums { of }, parts, lengths.values)
    }

    /// As [`Self::sums`], `lengths.spreads` of each.
    pub fn spread_sums(&self, parts: &Matrix, lengths: SumsLengths) -> Result<Vec<f32>, PluginError> {
        let of = parts.dimensions();
        self.of_parts(Call::SpreadSums { of }, parts, lengths.spreads)
    }

    fn of_parts<T: bytemuck::Pod + Default>(
        &self,
        call: Call,
        parts: &Matrix,
        length: usize,
    ) -> Result<Vec<T>, PluginError> {
        let mut out = vec![T::default(); parts.rows * length];
        let into = &mut [bytemuck::cast_slice_mut(&mut out)];
        self.instance().call(call, &[parts.bytes()], into)?;
        Ok(out)
    }

    /// Predictions of networks from the sums over their parts, of these lengths; spreads only where sums are given for them.
    pub fn predict_sums(&self, sums: &Summed, lengths: SumsLengths) -> Result<Spread, PluginError> {
        let Summed {
            firsts,
            values,
            spreads: spread_sums,
        } = sums;
        assert_eq!(values.len(), firsts.rows * lengths.values, "sums of each network");
        let (mut predicted, mut spreads) = (vec![0.0f64; firsts.rows], Vec::<f64>::new());
        let mut inputs = vec![firsts.bytes(), bytemuck::cast_slice(values)];
        let mut out: Vec<&mut [u8]> = vec![bytemuck::cast_slice_mut(&mut predicted)];
        if let Some(sums) = spread_sums {
            assert_eq!(sums.len(), firsts.rows * lengths.spreads, "sums of each network");
            spreads = vec![0.0; firsts.rows];
            inputs.push(bytemuck::cast_slice(sums));
            out.push(bytemuck::cast_slice_mut(&mut spreads));
        }
        let of = firsts.dimensions();
        self.instance().call(Call::PredictSums { of }, &inputs, &mut out)?;
        Ok(Spread { predicted, spreads })
    }
}

/// Which `count` of some candidates to measure next, as their numbers, beside those that were measured already; `None` where the
/// regressor does not offer it. `priors` are what a fit will begin with.
pub fn choose(
    handle: &ComponentHandle,
    parameters: &serde_json::Value,
    measured: &Matrix,
    candidates: &Matrix,
    priors: &[Vec<u8>],
    count: usize,
) -> Result<Option<Vec<usize>>, PluginError> {
    if !handle.offers(Offer::Choose) {
        return Ok(None);
    }
    handle.check_parameters(parameters)?;
    let (parameters, mut chosen) = (parameters.to_string(), vec![0u64; count]);
    let inputs = [parameters.as_bytes(), measured.bytes(), candidates.bytes()];
    let inputs: Vec<&[u8]> = inputs.into_iter().chain(priors.iter().map(Vec::as_slice)).collect();
    let call = Call::Choose {
        measured: measured.dimensions(),
        candidates: candidates.dimensions(),
    };
    let out = &mut [bytemuck::cast_slice_mut(&mut chosen)];
    let called = instance::guarded(handle, std::mem::discriminant(&call), || {
        handle.reached().call(call, &inputs, out)
    });
    if offered(called)?.is_none() {
        return Ok(None);
    }
    let chosen = chosen.into_iter().map(|at| usize::try_from(at).unwrap_or(usize::MAX));
    let chosen: Vec<usize> = chosen.collect();
    if chosen.iter().any(|at| *at >= candidates.rows) {
        let message = format!("it chose a candidate that there is not, of {}", candidates.rows);
        return Err(handle.failed(message));
    }
    Ok(Some(chosen))
}

fn offered<T>(called: Result<T, PluginError>) -> Result<Option<T>, PluginError> {
    match called {
        Ok(value) => Ok(Some(value)),
        Err(PluginError::NotOffered { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

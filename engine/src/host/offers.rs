//! What a regressor may offer beside predictions; `None` where it does not.

use std::ffi::c_void;

use lglp_sdk::plugin::LeftOut;
use lglp_sdk::plugin::abi::{Buffer, Bytes, STATUS_OK, Str, TensorView};

use super::fitted::{FittedInstance, Matrix, bytes, whole_table};
use super::{ComponentHandle, PluginError, call};

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
    /// Predictions with spreads, in the unit of the targets.
    pub fn predict_spread(&self, inputs: &Matrix) -> Result<Option<Spread>, PluginError> {
        let Some(predict) = self.table().predict_spread else {
            return Ok(None);
        };
        let (mut predicted, mut spreads) = (vec![0.0; inputs.rows], vec![0.0; inputs.rows]);
        // SAFETY: both have the size that the contract asks for.
        let called = call::watched(self.handle(), |error| unsafe {
            let (predicted, spreads) = (predicted.as_mut_ptr(), spreads.as_mut_ptr());
            predict(self.instance(), inputs.view(), predicted, spreads, error)
        });
        let offered = offered(called)?;
        Ok(offered.map(|()| Spread { predicted, spreads }))
    }

    /// How far the difference between the predictions of each row and the first lies, about, from that of what they take in the mean.
    pub fn difference_spreads(&self, inputs: &Matrix) -> Result<Option<Vec<f64>>, PluginError> {
        let Some(difference_spreads) = self.table().difference_spreads else {
            return Ok(None);
        };
        let mut spreads = vec![0.0; inputs.rows];
        // SAFETY: `spreads` has the size that the contract asks for.
        let called = call::watched(self.handle(), |error| unsafe {
            difference_spreads(self.instance(), inputs.view(), spreads.as_mut_ptr(), error)
        });
        Ok(offered(called)?.map(|()| spreads))
    }

    /// Each row of the fit, those of the training part first, as it would be predicted without it, in the unit of the targets.
    pub fn leave_one_out(&self, rows: usize) -> Result<Option<Vec<LeftOut>>, PluginError> {
        let Some(leave_one_out) = self.table().leave_one_out else {
            return Ok(None);
        };
        // SAFETY: the instance is alive.
        let bytes = call::bytes(self.handle().name(), |pairs, error| unsafe {
            leave_one_out(self.instance(), pairs, error)
        });
        let Some(bytes) = offered(bytes)? else { return Ok(None) };
        let values: Vec<f64> = bytes
            .as_chunks()
            .0
            .iter()
            .map(|cell| f64::from_ne_bytes(*cell))
            .collect();
        if values.len() != 2 * rows || bytes.len() != 16 * rows {
            let message = format!("it left out {} rows of {rows}", values.len() / 2);
            let component = self.handle().name().to_owned();
            return Err(PluginError::Failed { component, message });
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
        let Some(contributions) = self.table().contributions else {
            return Ok(None);
        };
        let mut out = vec![0.0; inputs.rows * (inputs.shape.steps + 1)];
        // SAFETY: `out` has the size that the contract asks for.
        let called = call::watched(self.handle(), |error| unsafe {
            contributions(self.instance(), inputs.view(), out.as_mut_ptr(), error)
        });
        Ok(offered(called)?.map(|()| out))
    }

    /// The lengths of sums over the parts of a network; `None` where predictions do not follow from such.
    pub fn sums_lengths(&self) -> Result<Option<SumsLengths>, PluginError> {
        let table = self.table();
        let values = self.length("sums_len", table.sums_len, MOST_SUMS)?;
        if values == 0 {
            return Ok(None);
        }
        let spreads = self.length("spread_sums_len", table.spread_sums_len, MOST_SPREAD_SUMS)?;
        let has_all = table.sums.is_some() && table.predict_sums.is_some();
        if !has_all || (spreads > 0 && (table.spread_sums.is_none() || table.predict_spread.is_none())) {
            let message = "a regressor with `sums_len` has `sums` and `predict_sums`, too, and one with `spread_sums_len` has \
                           `predict_spread` and `spread_sums`";
            return Err(self.failed(message.into()));
        }
        Ok(Some(SumsLengths { values, spreads }))
    }

    fn length(
        &self,
        name: &str,
        callback: Option<unsafe extern "C" fn(*const c_void) -> usize>,
        most: usize,
    ) -> Result<usize, PluginError> {
        let Some(callback) = callback else { return Ok(0) };
        let mut length = 0;
        call::watched(self.handle(), |_| {
            // SAFETY: the instance is alive.
            length = unsafe { callback(self.instance()) };
            STATUS_OK
        })?;
        match length > most {
            true => Err(self.failed(format!("its `{name}` is {length}; {most} at most"))),
            false => Ok(length),
        }
    }

    /// Numbers of each part of a network, `lengths.values` of each.
    pub fn sums(&self, parts: &Matrix, lengths: SumsLengths) -> Result<Vec<f64>, PluginError> {
        self.of_parts(self.table().sums, parts, lengths.values)
    }

    /// As [`Self::sums`], `lengths.spreads` of each.
    pub fn spread_sums(&self, parts: &Matrix, lengths: SumsLengths) -> Result<Vec<f32>, PluginError> {
        self.of_parts(self.table().spread_sums, parts, lengths.spreads)
    }

    fn of_parts<T: Clone + Default>(
        &self,
        callback: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut T, *mut Buffer) -> u32>,
        parts: &Matrix,
        length: usize,
    ) -> Result<Vec<T>, PluginError> {
        let callback = callback.expect("the lengths tell that it has it");
        let mut out = vec![T::default(); parts.rows * length];
        // SAFETY: `out` has the size that the contract asks for.
        call::watched(self.handle(), |error| unsafe {
            callback(self.instance(), parts.view(), out.as_mut_ptr(), error)
        })?;
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
        let predict = self.table().predict_sums.expect("the lengths tell that it has it");
        let (mut predicted, mut spreads) = (vec![0.0; firsts.rows], Vec::new());
        let (mut spreads_out, mut spread_sums_in) = (std::ptr::null_mut(), std::ptr::null());
        if let Some(sums) = spread_sums {
            assert_eq!(sums.len(), firsts.rows * lengths.spreads, "sums of each network");
            spreads = vec![0.0; firsts.rows];
            (spreads_out, spread_sums_in) = (spreads.as_mut_ptr(), sums.as_ptr());
        }
        // SAFETY: all have the sizes that the contract asks for.
        call::watched(self.handle(), |error| unsafe {
            let (values, predicted) = (values.as_ptr(), predicted.as_mut_ptr());
            predict(
                self.instance(),
                firsts.view(),
                values,
                spread_sums_in,
                predicted,
                spreads_out,
                error,
            )
        })?;
        Ok(Spread { predicted, spreads })
    }

    fn failed(&self, message: String) -> PluginError {
        let component = self.handle().name().to_owned();
        PluginError::Failed { component, message }
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
    let Some(choose) = whole_table(handle).choose else {
        return Ok(None);
    };
    handle.check_parameters(parameters)?;
    let (parameters, mut chosen) = (parameters.to_string(), vec![0; count]);
    let states: Vec<Bytes> = priors.iter().map(|state| bytes(state)).collect();
    // SAFETY: the views and the text outlive the call, and `chosen` has the size that the contract asks for.
    let called = call::watched(handle, |error| unsafe {
        let (parameters, chosen) = (Str::new(&parameters), chosen.as_mut_ptr());
        let (measured, candidates) = (measured.view(), candidates.view());
        choose(
            parameters,
            measured,
            candidates,
            states.as_ptr(),
            states.len(),
            count,
            chosen,
            error,
        )
    });
    if offered(called)?.is_none() {
        return Ok(None);
    }
    if chosen.iter().any(|at| *at >= candidates.rows) {
        let component = handle.name().to_owned();
        let message = format!("it chose a candidate that there is not, of {}", candidates.rows);
        return Err(PluginError::Failed { component, message });
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

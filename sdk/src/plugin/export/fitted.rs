//! Callbacks of feature extractors and regressors.

use std::ffi::c_void;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::super::abi::*;
use super::super::boundary::{drop_instance, give, guard, guard_instance, into_pointer, labelled, slice_mut, tensor};
use super::super::{Design, FeatureExtractor, Fit, PluginError, Progress, Regressor, Sums};
use super::{Callbacks, parameters, text};

/// What extractors and regressors have in common, so that one set of callbacks serves both.
pub(super) trait Fitted: Send + Sync + Sized + 'static {
    type Parameters: DeserializeOwned;
    const EXTRACT: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f32, *mut Buffer) -> u32>;
    const OFFERS: Offers;
    fn fit(parameters: Self::Parameters, data: Fit<'_>) -> Result<Self, PluginError>;
    fn save(&self) -> Result<Vec<u8>, PluginError>;
    fn load(version: u32, state: &[u8]) -> Result<Self, PluginError>;
    fn outputs(&self) -> usize;
}

pub(super) struct Extracting<T>(T);

impl<T: FeatureExtractor> Fitted for Extracting<T> {
    type Parameters = T::Parameters;
    const EXTRACT: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f32, *mut Buffer) -> u32> =
        Some(extract::<T>);
    const OFFERS: Offers = Offers::NONE;
    fn fit(parameters: T::Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        T::fit(parameters, data).map(Self)
    }
    fn save(&self) -> Result<Vec<u8>, PluginError> {
        self.0.save()
    }
    fn load(version: u32, state: &[u8]) -> Result<Self, PluginError> {
        T::load(version, state).map(Self)
    }
    fn outputs(&self) -> usize {
        self.0.features()
    }
}

unsafe extern "C" fn extract<T: FeatureExtractor>(
    instance: *const c_void,
    inputs: TensorView,
    out: *mut f32,
    error: *mut Buffer,
) -> u32 {
    // SAFETY: the host keeps to the contract of `FittedTable::extract`.
    unsafe {
        guard_instance::<Extracting<T>>(instance, error, |e| {
            e.0.extract(tensor(inputs), slice_mut(out, inputs.rows * e.0.features()))
        })
    }
}

pub(super) struct Predicting<T> {
    regressor: T,
    /// As it told when it was made: the host's buffers have these lengths, whatever it tells later.
    sums_len: usize,
    spread_sums_len: usize,
}

impl<T: Regressor> Predicting<T> {
    fn of(regressor: T) -> Self {
        Self {
            sums_len: regressor.sums_len(),
            spread_sums_len: regressor.spread_sums_len(),
            regressor,
        }
    }
}

impl<T: Regressor> Fitted for Predicting<T> {
    type Parameters = T::Parameters;
    const EXTRACT: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f32, *mut Buffer) -> u32> = None;
    const OFFERS: Offers = Regressing::<T>::OFFERS;
    fn fit(parameters: T::Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        T::fit(parameters, data).map(Self::of)
    }
    fn save(&self) -> Result<Vec<u8>, PluginError> {
        self.regressor.save()
    }
    fn load(version: u32, state: &[u8]) -> Result<Self, PluginError> {
        T::load(version, state).map(Self::of)
    }
    fn outputs(&self) -> usize {
        1
    }
}

/// What only regressors offer; extractors have nulls.
#[derive(Clone, Copy)]
pub(super) struct Offers {
    predict: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f64, *mut Buffer) -> u32>,
    predict_spread: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f64, *mut f64, *mut Buffer) -> u32>,
    leave_one_out: Option<unsafe extern "C" fn(*const c_void, *mut Buffer, *mut Buffer) -> u32>,
    contributions: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f64, *mut Buffer) -> u32>,
    fit_from:
        Option<unsafe extern "C" fn(Str, *const FitData, *const Bytes, usize, *mut *mut c_void, *mut Buffer) -> u32>,
    choose: Option<
        unsafe extern "C" fn(Str, TensorView, TensorView, *const Bytes, usize, usize, *mut usize, *mut Buffer) -> u32,
    >,
    difference_spreads: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f64, *mut Buffer) -> u32>,
    sums_len: Option<unsafe extern "C" fn(*const c_void) -> usize>,
    sums: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f64, *mut Buffer) -> u32>,
    spread_sums_len: Option<unsafe extern "C" fn(*const c_void) -> usize>,
    spread_sums: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f32, *mut Buffer) -> u32>,
    predict_sums: Option<
        unsafe extern "C" fn(*const c_void, TensorView, *const f64, *const f32, *mut f64, *mut f64, *mut Buffer) -> u32,
    >,
}

impl Offers {
    const NONE: Self = Self {
        predict: None,
        predict_spread: None,
        leave_one_out: None,
        contributions: None,
        fit_from: None,
        choose: None,
        difference_spreads: None,
        sums_len: None,
        sums: None,
        spread_sums_len: None,
        spread_sums: None,
        predict_sums: None,
    };
}

struct Regressing<T>(PhantomData<T>);

impl<T: Regressor> Regressing<T> {
    const OFFERS: Offers = Offers {
        predict: Some(Self::predict),
        predict_spread: Some(Self::predict_spread),
        leave_one_out: Some(Self::leave_one_out),
        contributions: Some(Self::contributions),
        fit_from: Some(Self::fit_from),
        choose: Some(Self::choose),
        difference_spreads: Some(Self::difference_spreads),
        sums_len: Some(Self::sums_len),
        sums: Some(Self::sums),
        spread_sums_len: Some(Self::spread_sums_len),
        spread_sums: Some(Self::spread_sums),
        predict_sums: Some(Self::predict_sums),
    };

    unsafe extern "C" fn predict(
        instance: *const c_void,
        inputs: TensorView,
        out: *mut f64,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `FittedTable::predict`.
        unsafe {
            guard_instance::<Predicting<T>>(instance, error, |p| {
                p.regressor.predict(tensor(inputs), slice_mut(out, inputs.rows))
            })
        }
    }

    unsafe extern "C" fn predict_spread(
        instance: *const c_void,
        inputs: TensorView,
        out: *mut f64,
        spreads: *mut f64,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `FittedTable::predict_spread`.
        unsafe {
            guard_instance::<Predicting<T>>(instance, error, |p| {
                let (out, spreads) = (slice_mut(out, inputs.rows), slice_mut(spreads, inputs.rows));
                p.regressor.predict_spread(tensor(inputs), out, spreads)
            })
        }
    }

    unsafe extern "C" fn difference_spreads(
        instance: *const c_void,
        inputs: TensorView,
        spreads: *mut f64,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `FittedTable::difference_spreads`.
        unsafe {
            guard_instance::<Predicting<T>>(instance, error, |p| {
                p.regressor
                    .difference_spreads(tensor(inputs), slice_mut(spreads, inputs.rows))
            })
        }
    }

    unsafe extern "C" fn sums_len(instance: *const c_void) -> usize {
        // SAFETY: the host keeps to the contract of `FittedTable::sums_len`.
        unsafe { asked::<Predicting<T>>(instance, |p| p.sums_len) }
    }

    unsafe extern "C" fn sums(instance: *const c_void, parts: TensorView, out: *mut f64, error: *mut Buffer) -> u32 {
        // SAFETY: the host keeps to the contract of `FittedTable::sums`.
        unsafe {
            guard_instance::<Predicting<T>>(instance, error, |p| {
                p.regressor.sums(tensor(parts), slice_mut(out, parts.rows * p.sums_len))
            })
        }
    }

    unsafe extern "C" fn spread_sums_len(instance: *const c_void) -> usize {
        // SAFETY: the host keeps to the contract of `FittedTable::spread_sums_len`.
        unsafe { asked::<Predicting<T>>(instance, |p| p.spread_sums_len) }
    }

    unsafe extern "C" fn spread_sums(
        instance: *const c_void,
        parts: TensorView,
        out: *mut f32,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `FittedTable::spread_sums`.
        unsafe {
            guard_instance::<Predicting<T>>(instance, error, |p| {
                p.regressor
                    .spread_sums(tensor(parts), slice_mut(out, parts.rows * p.spread_sums_len))
            })
        }
    }

    unsafe extern "C" fn predict_sums(
        instance: *const c_void,
        firsts: TensorView,
        sums: *const f64,
        spread_sums: *const f32,
        out: *mut f64,
        spreads: *mut f64,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `FittedTable::predict_sums`.
        unsafe {
            guard_instance::<Predicting<T>>(instance, error, |p| {
                let asks = !spreads.is_null();
                let sums = Sums {
                    firsts: tensor(firsts),
                    values: slice(sums, firsts.rows * p.sums_len),
                    spreads: slice(spread_sums, if asks { firsts.rows * p.spread_sums_len } else { 0 }),
                };
                let spreads = asks.then(|| slice_mut(spreads, firsts.rows));
                p.regressor.predict_sums(sums, slice_mut(out, firsts.rows), spreads)
            })
        }
    }

    unsafe extern "C" fn leave_one_out(instance: *const c_void, pairs: *mut Buffer, error: *mut Buffer) -> u32 {
        // SAFETY: the host keeps to the contract of `FittedTable::leave_one_out`.
        unsafe {
            guard_instance::<Predicting<T>>(instance, error, |p| {
                let rows = p.regressor.leave_one_out()?;
                let values = rows.iter().flat_map(|row| [row.predicted, row.spread]);
                give(pairs, values.flat_map(f64::to_ne_bytes).collect());
                Ok(())
            })
        }
    }

    unsafe extern "C" fn contributions(
        instance: *const c_void,
        inputs: TensorView,
        out: *mut f64,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `FittedTable::contributions`.
        unsafe {
            guard_instance::<Predicting<T>>(instance, error, |p| {
                p.regressor
                    .contributions(tensor(inputs), slice_mut(out, inputs.rows * (inputs.steps + 1)))
            })
        }
    }

    unsafe extern "C" fn fit_from(
        params: Str,
        data: *const FitData,
        priors: *const Bytes,
        prior_count: usize,
        instance: *mut *mut c_void,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `FittedTable::fit_from`.
        unsafe {
            guard(error, || {
                let (data, priors) = (&*data, states(priors, prior_count));
                let report = |p: Progress| progress(data, p);
                let fitted = T::fit_from(parameters(text(params)?)?, whole(data, &report), &priors)?;
                *instance = into_pointer(Predicting::of(fitted));
                Ok(())
            })
        }
    }

    unsafe extern "C" fn choose(
        params: Str,
        measured: TensorView,
        candidates: TensorView,
        priors: *const Bytes,
        prior_count: usize,
        count: usize,
        chosen: *mut usize,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `FittedTable::choose`.
        unsafe {
            guard(error, || {
                let priors = states(priors, prior_count);
                let design = Design {
                    measured: tensor(measured),
                    candidates: tensor(candidates),
                    priors: &priors,
                    count,
                };
                let found = T::choose(parameters(text(params)?)?, design)?;
                if found.len() != count {
                    let message = format!("it chose {} candidates of {count}", found.len());
                    return Err(PluginError::Failed(message));
                }
                slice_mut(chosen, count).copy_from_slice(&found);
                Ok(())
            })
        }
    }
}

/// # Safety
/// `priors` leads to so many views that live for `'a`.
unsafe fn states<'a>(priors: *const Bytes, count: usize) -> Vec<&'a [u8]> {
    // SAFETY: by the contract of this function.
    unsafe {
        slice(priors, count)
            .iter()
            .map(|state| slice(state.data, state.len))
            .collect()
    }
}

/// Tells the host how far a fit is.
fn progress(data: &FitData, p: Progress) -> Result<(), PluginError> {
    let Some(call) = data.progress else { return Ok(()) };
    // SAFETY: the host keeps to the contract of `FitData::progress`.
    match unsafe { call(data.progress_context, p.done, p.total, p.train_mse, p.validation_mse) } {
        0 => Ok(()),
        _ => Err(PluginError::Cancelled),
    }
}

/// # Safety
/// The views of `data` are what they say.
unsafe fn whole<'a>(data: &'a FitData, progress: &'a dyn Fn(Progress) -> Result<(), PluginError>) -> Fit<'a> {
    // SAFETY: by the contract of this function.
    unsafe {
        Fit {
            train: labelled(data.train, data.train_targets),
            validation: labelled(data.validation, data.validation_targets),
            seed: data.seed,
            progress,
        }
    }
}

impl<T: Fitted> Callbacks<T> {
    pub(super) const FITTED: FittedTable = FittedTable {
        fit: Self::fit,
        load: Self::load,
        save: Self::save,
        destroy: drop_instance::<T>,
        outputs: Self::outputs,
        extract: T::EXTRACT,
        predict: T::OFFERS.predict,
        predict_spread: T::OFFERS.predict_spread,
        leave_one_out: T::OFFERS.leave_one_out,
        contributions: T::OFFERS.contributions,
        fit_from: T::OFFERS.fit_from,
        choose: T::OFFERS.choose,
        difference_spreads: T::OFFERS.difference_spreads,
        sums_len: T::OFFERS.sums_len,
        sums: T::OFFERS.sums,
        spread_sums_len: T::OFFERS.spread_sums_len,
        spread_sums: T::OFFERS.spread_sums,
        predict_sums: T::OFFERS.predict_sums,
    };

    unsafe extern "C" fn fit(params: Str, data: *const FitData, instance: *mut *mut c_void, error: *mut Buffer) -> u32 {
        // SAFETY: the host keeps to the contract of `FittedTable::fit`.
        unsafe {
            guard(error, || {
                let data = &*data;
                let report = |p: Progress| progress(data, p);
                let fit = whole(data, &report);
                *instance = into_pointer(T::fit(parameters(text(params)?)?, fit)?);
                Ok(())
            })
        }
    }

    unsafe extern "C" fn load(
        version: u32,
        state: *const u8,
        len: usize,
        instance: *mut *mut c_void,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `FittedTable::load`.
        unsafe {
            guard(error, || {
                *instance = into_pointer(T::load(version, slice(state, len))?);
                Ok(())
            })
        }
    }

    unsafe extern "C" fn save(instance: *const c_void, state: *mut Buffer, error: *mut Buffer) -> u32 {
        // SAFETY: the host keeps to the contract of `FittedTable::save`.
        unsafe {
            guard_instance::<T>(instance, error, |fitted| {
                give(state, fitted.save()?);
                Ok(())
            })
        }
    }

    unsafe extern "C" fn outputs(instance: *const c_void) -> usize {
        // SAFETY: the host keeps to the contract of `FittedTable::outputs`.
        unsafe { asked::<T>(instance, T::outputs) }
    }
}

/// What an instance says of itself; 0 where it panics.
///
/// # Safety
/// `instance` comes from [`into_pointer`] with the same `T`.
unsafe fn asked<T: 'static>(instance: *const c_void, ask: impl FnOnce(&T) -> usize) -> usize {
    let mut answer = 0;
    // SAFETY: by the contract of this function.
    unsafe {
        guard_instance::<T>(instance, std::ptr::null_mut(), |fitted| {
            answer = ask(fitted);
            Ok(())
        });
    }
    answer
}

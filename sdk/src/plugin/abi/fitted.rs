//! The table of a feature extractor and of a regressor.

use std::ffi::c_void;

use super::data::{Buffer, Bytes, FitData, Str, TensorView};

/// Callbacks of a feature extractor or regressor.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FittedTable {
    /// Fits the component, on the calling thread, for as long as it takes. `parameters_json`: an object that keeps to the schema; it and
    /// `data` are valid during the call, so copy what is to stay. On `STATUS_OK`, `*instance` is a pointer of the plugin's own, which the
    /// host passes on until `destroy`; on any other status the host does not look at it. `STATUS_CANCELLED`: `progress` asked for an end.
    /// `STATUS_INVALID_PARAMETERS`: parameters that the schema cannot tell from good ones.
    pub fit: unsafe extern "C" fn(
        parameters_json: Str,
        data: *const FitData,
        instance: *mut *mut c_void,
        error: *mut Buffer,
    ) -> u32,
    /// Makes an instance of what `save` wrote, `*instance` as in `fit`. `state`: `state_len` bytes of the host's, of any alignment, valid
    /// during the call. `state_version`: the component's when it was saved. `STATUS_UNSUPPORTED_STATE`: it cannot be read, being of
    /// another version or damaged.
    pub load: unsafe extern "C" fn(
        state_version: u32,
        state: *const u8,
        state_len: usize,
        instance: *mut *mut c_void,
        error: *mut Buffer,
    ) -> u32,
    /// Gives all that `load` needs, in the format of the component's `state_version`: fills `state`, which is empty, with memory of the
    /// plugin's own, which the host has freed by its `free`. On any other status than `STATUS_OK` the model is not kept.
    pub save: unsafe extern "C" fn(instance: *const c_void, state: *mut Buffer, error: *mut Buffer) -> u32,
    /// Frees an instance that `fit`, `fit_from` or `load` made; when it is called, and when not, is as in encoders.
    pub destroy: unsafe extern "C" fn(instance: *mut c_void),
    /// Number of features of an extractor; 1 for a regressor.
    pub outputs: unsafe extern "C" fn(instance: *const c_void) -> usize,
    /// Extractors: writes `rows * outputs` features. Null in regressors.
    pub extract: Option<
        unsafe extern "C" fn(instance: *const c_void, inputs: TensorView, out: *mut f32, error: *mut Buffer) -> u32,
    >,
    /// Regressors: writes `rows` values in the unit of the targets. Null in extractors.
    pub predict: Option<
        unsafe extern "C" fn(instance: *const c_void, inputs: TensorView, out: *mut f64, error: *mut Buffer) -> u32,
    >,
    /// Regressors, since minor version 2, null where it is not offered; so are the others below. As `predict`, and writes `rows`
    /// spreads beside: how far what is measured lies from the prediction of each row, about, in the unit of the targets.
    pub predict_spread: Option<
        unsafe extern "C" fn(
            instance: *const c_void,
            inputs: TensorView,
            out: *mut f64,
            spreads: *mut f64,
            error: *mut Buffer,
        ) -> u32,
    >,
    /// What would have been predicted for each row of the fit, those of the training part first, had it not been among them:
    /// `pairs` becomes an array of doubles, prediction and spread of one row after another, `len` bytes in all. Of an instance
    /// that was just fitted; one that was loaded may not know.
    pub leave_one_out:
        Option<unsafe extern "C" fn(instance: *const c_void, pairs: *mut Buffer, error: *mut Buffer) -> u32>,
    /// Writes `rows * (steps + 1)` values: the part of each prediction that each step of its input has, and at last what belongs
    /// to none. They sum to the prediction.
    pub contributions: Option<
        unsafe extern "C" fn(instance: *const c_void, inputs: TensorView, out: *mut f64, error: *mut Buffer) -> u32,
    >,
    /// As `fit`, beginning with what fits on other targets taught, `prior_count` states of this version.
    pub fit_from: Option<
        unsafe extern "C" fn(
            parameters_json: Str,
            data: *const FitData,
            priors: *const Bytes,
            prior_count: usize,
            instance: *mut *mut c_void,
            error: *mut Buffer,
        ) -> u32,
    >,
    /// Writes which `count` candidates to measure next, as their numbers, beside those that were measured already: the ones from
    /// which a fit would learn most.
    pub choose: Option<
        unsafe extern "C" fn(
            parameters_json: Str,
            measured: TensorView,
            candidates: TensorView,
            priors: *const Bytes,
            prior_count: usize,
            count: usize,
            chosen: *mut usize,
            error: *mut Buffer,
        ) -> u32,
    >,
    /// Since minor version 3. Writes `rows` spreads: how far the difference between the predictions of each row and the first lies,
    /// about, from that of what they take in the mean, in the unit of the targets. It is less than their own spreads tell: measuring adds no
    /// noise, and of what is not known of both most cancels out.
    pub difference_spreads: Option<
        unsafe extern "C" fn(instance: *const c_void, inputs: TensorView, spreads: *mut f64, error: *mut Buffer) -> u32,
    >,
    /// Since minor version 4; so are the others below. How many numbers tell all of a part of a network that a prediction depends on, 64
    /// at most; 0 or null where predictions do not follow from sums over parts. Parts are the stem of a network, each searched layer, and
    /// the head. The host asks of each part once and predicts by look-ups then: parts that do the same are one to it, wherever they
    /// stand, and `block` and `layer` of their operators are 1, or 0 outside of the searched layers. It compares these predictions with
    /// those of `predict` whenever a model is fitted or loaded.
    pub sums_len: Option<unsafe extern "C" fn(instance: *const c_void) -> usize>,
    /// Writes `rows * sums_len` numbers, of rows that are each a part of a network, with zeros behind its last operator.
    pub sums: Option<
        unsafe extern "C" fn(instance: *const c_void, parts: TensorView, out: *mut f64, error: *mut Buffer) -> u32,
    >,
    /// How many numbers tell all of a part that the spread of a prediction depends on, beside the others, 4096 at most; 0 or null
    /// where the host is to ask `predict_spread`.
    pub spread_sums_len: Option<unsafe extern "C" fn(instance: *const c_void) -> usize>,
    /// As `sums`, of `rows * spread_sums_len` numbers.
    pub spread_sums: Option<
        unsafe extern "C" fn(instance: *const c_void, parts: TensorView, out: *mut f32, error: *mut Buffer) -> u32,
    >,
    /// Writes `rows` values in the unit of the targets, of networks of which each is told by its first step and by the sums over its
    /// parts: `firsts` has the shape `[rows, 1, width]`, `sums` the length `rows * sums_len`. Writes spreads beside, unless `spreads`
    /// and `spread_sums` are null.
    pub predict_sums: Option<
        unsafe extern "C" fn(
            instance: *const c_void,
            firsts: TensorView,
            sums: *const f64,
            spread_sums: *const f32,
            out: *mut f64,
            spreads: *mut f64,
            error: *mut Buffer,
        ) -> u32,
    >,
}

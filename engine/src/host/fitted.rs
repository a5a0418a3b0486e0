//! Feature extractors and regressors behind a safe handle.

use std::ffi::c_void;
use std::mem::{offset_of, size_of};
use std::panic::{AssertUnwindSafe, catch_unwind};

use lglp_sdk::plugin::abi::{self, FittedTable, Str, TensorView};
use lglp_sdk::plugin::{Progress, Shape};

use super::{ComponentHandle, PluginError, call, health, tables};

/// Encoded architectures or features, row-major `[rows, steps, width]`.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// `rows * steps * width` values.
    pub data: Vec<f32>,
    /// How many architectures there are, or parts of networks.
    pub rows: usize,
    /// The shape of one row.
    pub shape: Shape,
}

impl Matrix {
    /// Some of the rows.
    pub fn part(&self, rows: &[usize]) -> Self {
        let length = self.shape.len();
        let row = |row: &usize| &self.data[row * length..][..length];
        Self {
            data: rows.iter().flat_map(row).copied().collect(),
            rows: rows.len(),
            shape: self.shape,
        }
    }

    pub(super) fn view(&self) -> TensorView {
        TensorView {
            data: self.data.as_ptr(),
            rows: self.rows,
            steps: self.shape.steps,
            width: self.shape.width,
        }
    }
}

/// Inputs and their targets, one per row.
#[derive(Clone, Copy)]
pub struct LabelledRows<'a> {
    /// What is known of each row: an encoded architecture, or features.
    pub inputs: &'a Matrix,
    /// What is to be predicted of each row, in the unit that is fitted to, such as milliseconds.
    pub targets: &'a [f64],
}

/// What a component is fitted on.
pub struct FitData<'a> {
    /// The rows to learn from.
    pub train: LabelledRows<'a>,
    /// Held out for early stopping; may have no rows.
    pub validation: LabelledRows<'a>,
    /// What every random choice of the fit follows from.
    pub seed: u64,
    /// Called about once per round; `false` cancels.
    pub progress: &'a mut dyn FnMut(Progress) -> bool,
}

/// A fitted feature extractor or regressor.
pub struct FittedInstance {
    handle: ComponentHandle,
    table: FittedTable,
    instance: *mut c_void,
}

/// The table of a component, as far as the plugin knows it; what it does not know is null.
pub(super) fn whole_table(handle: &ComponentHandle) -> FittedTable {
    let known = match handle.abi_minor {
        0 | 1 => offset_of!(FittedTable, predict_spread),
        2 => offset_of!(FittedTable, difference_spreads),
        3 => offset_of!(FittedTable, sums_len),
        _ => size_of::<FittedTable>(),
    };
    // SAFETY: the host admits extractors and regressors only with their table, of which a plugin of this version has that many
    // bytes.
    unsafe { tables::whole(handle.component.fitted, known) }
}

// SAFETY: by the ABI's contract callbacks may be called from any thread, several at once; `destroy` needs `&mut`.
unsafe impl Send for FittedInstance {}
// SAFETY: as above.
unsafe impl Sync for FittedInstance {}

impl FittedInstance {
    /// Fits a component.
    pub fn fit(
        handle: &ComponentHandle,
        parameters: &serde_json::Value,
        data: FitData<'_>,
    ) -> Result<Self, PluginError> {
        Self::fit_from(handle, parameters, data, &[])
    }

    /// Fits a component, beginning with what fits on other targets taught, where it offers that: their states, of its version.
    pub fn fit_from(
        handle: &ComponentHandle,
        parameters: &serde_json::Value,
        data: FitData<'_>,
        priors: &[Vec<u8>],
    ) -> Result<Self, PluginError> {
        handle.check_parameters(parameters)?;
        Self::fit_unchecked(handle, parameters, data, priors)
    }

    /// The same, whatever the component's schema says of the parameters.
    pub(super) fn fit_unchecked(
        handle: &ComponentHandle,
        parameters: &serde_json::Value,
        data: FitData<'_>,
        priors: &[Vec<u8>],
    ) -> Result<Self, PluginError> {
        for part in [data.train, data.validation] {
            assert_eq!(part.inputs.rows, part.targets.len(), "one target per row");
        }
        let parameters = parameters.to_string();
        let mut progress = data.progress;
        let fit = abi::FitData {
            train: data.train.inputs.view(),
            train_targets: data.train.targets.as_ptr(),
            validation: data.validation.inputs.view(),
            validation_targets: data.validation.targets.as_ptr(),
            seed: data.seed,
            progress_context: (&raw mut progress).cast(),
            progress: Some(report),
        };
        if let (Some(fit_from), false) = (whole_table(handle).fit_from, priors.is_empty()) {
            let states: Vec<abi::Bytes> = priors.iter().map(|state| bytes(state)).collect();
            // SAFETY: everything that `fit` and `states` point to outlives the call.
            let made = Self::make(handle, |_, instance, error| unsafe {
                fit_from(
                    Str::new(&parameters),
                    &fit,
                    states.as_ptr(),
                    states.len(),
                    instance,
                    error,
                )
            });
            if !matches!(made, Err(PluginError::NotOffered { .. })) {
                return made;
            }
        }
        // SAFETY: everything that `fit` points to outlives the call.
        Self::make(handle, |table, instance, error| unsafe {
            (table.fit)(Str::new(&parameters), &fit, instance, error)
        })
    }

    /// Loads fitted state.
    pub fn load(handle: &ComponentHandle, state_version: u32, state: &[u8]) -> Result<Self, PluginError> {
        // SAFETY: the state outlives the call.
        Self::make(handle, |table, instance, error| unsafe {
            (table.load)(state_version, state.as_ptr(), state.len(), instance, error)
        })
    }

    fn make(
        handle: &ComponentHandle,
        call: impl FnOnce(&FittedTable, *mut *mut c_void, *mut abi::Buffer) -> u32,
    ) -> Result<Self, PluginError> {
        let table = whole_table(handle);
        let mut instance = std::ptr::null_mut();
        call::watched(handle, |error| call(&table, &mut instance, error))?;
        Ok(Self {
            handle: handle.clone(),
            table,
            instance,
        })
    }

    /// The name of the component.
    pub fn name(&self) -> &str {
        self.handle.name()
    }

    pub(super) fn handle(&self) -> &ComponentHandle {
        &self.handle
    }

    pub(super) fn table(&self) -> &FittedTable {
        &self.table
    }

    pub(super) fn instance(&self) -> *const c_void {
        self.instance
    }

    /// The fitted state, in the format of [`ComponentHandle::state_version`].
    pub fn save(&self) -> Result<Vec<u8>, PluginError> {
        // SAFETY: the instance is alive.
        call::bytes(self.handle.name(), |state, error| unsafe {
            (self.table.save)(self.instance, state, error)
        })
    }

    /// Features of an extractor.
    pub fn extract(&self, inputs: &Matrix) -> Result<Matrix, PluginError> {
        let width = self.outputs()?;
        let mut data = vec![0f32; inputs.rows * width];
        self.extract_into(inputs.view(), &mut data)?;
        let shape = Shape { steps: 1, width };
        Ok(Matrix {
            data,
            rows: inputs.rows,
            shape,
        })
    }

    /// Predictions of a regressor, in the unit of the targets that it was fitted to.
    pub fn predict(&self, inputs: &Matrix) -> Result<Vec<f64>, PluginError> {
        let mut targets = vec![0f64; inputs.rows];
        self.predict_into(inputs.view(), &mut targets)?;
        Ok(targets)
    }

    /// How many features an extractor gives.
    pub(super) fn outputs(&self) -> Result<usize, PluginError> {
        let mut width = 0;
        call::watched(&self.handle, |_| {
            // SAFETY: the instance is alive.
            width = unsafe { (self.table.outputs)(self.instance) };
            abi::STATUS_OK
        })?;
        Ok(width)
    }

    /// As [`Self::extract`], into as many features as there are rows times [`Self::outputs`].
    pub(super) fn extract_into(&self, inputs: TensorView, out: &mut [f32]) -> Result<(), PluginError> {
        let extract = self.table.extract.expect("admitted extractors have it");
        // SAFETY: `out` has the size that the contract asks for.
        call::watched(&self.handle, |error| unsafe {
            extract(self.instance, inputs, out.as_mut_ptr(), error)
        })
    }

    /// As [`Self::predict`], into one value for each row.
    pub(super) fn predict_into(&self, inputs: TensorView, out: &mut [f64]) -> Result<(), PluginError> {
        assert_eq!(inputs.rows, out.len(), "one value for each row");
        let predict = self.table.predict.expect("admitted regressors have it");
        // SAFETY: `out` has the size that the contract asks for.
        call::watched(&self.handle, |error| unsafe {
            predict(self.instance, inputs, out.as_mut_ptr(), error)
        })
    }
}

impl Drop for FittedInstance {
    fn drop(&mut self) {
        // What does not answer is not asked to clean up either: its memory is lost.
        if self.handle.admit().is_err() {
            return;
        }
        let _in_call = health::enter(&self.handle);
        // SAFETY: made by `fit` or `load`, used no more.
        unsafe { (self.table.destroy)(self.instance) }
    }
}

/// A view of a state, for as long as it lives.
pub(super) fn bytes(state: &[u8]) -> abi::Bytes {
    abi::Bytes {
        data: state.as_ptr(),
        len: state.len(),
    }
}

/// Hands progress to the closure behind `context`; its panic must not cross into the plugin, so it cancels.
unsafe extern "C" fn report(context: *mut c_void, done: u64, total: u64, train_mse: f64, validation_mse: f64) -> u32 {
    // SAFETY: `fit` passes a pointer to its own closure, and plugins call from the fitting thread.
    let progress = unsafe { &mut *context.cast::<&mut dyn FnMut(Progress) -> bool>() };
    let event = Progress {
        done,
        total,
        train_mse,
        validation_mse,
    };
    let go_on = catch_unwind(AssertUnwindSafe(|| progress(event))).unwrap_or(false);
    u32::from(!go_on)
}

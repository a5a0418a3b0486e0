//! LightGBM's datasets and boosters as owned values. Every length that C takes on trust is checked here.

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::null_mut;
use std::sync::{Mutex, Once};

use lglp_sdk::plugin::{Labelled, PluginError, Tensor};

use crate::ffi::*;

/// Prediction runs on the calling thread alone: requests are what runs side by side.
const PREDICTION: &CStr = c"num_threads=1 verbosity=-1";

fn check(status: c_int) -> Result<(), PluginError> {
    if status == 0 {
        return Ok(());
    }
    // SAFETY: LightGBM's last error is a terminated text of this thread.
    let message = unsafe { CStr::from_ptr(LGBM_GetLastError()) };
    Err(PluginError::Failed(message.to_string_lossy().into_owned()))
}

/// LightGBM prints to standard output, where a program's own output belongs.
fn silence() {
    extern "C" fn ignore(_: *const c_char) {}
    static ONCE: Once = Once::new();
    // SAFETY: the callback lives for ever and touches nothing.
    ONCE.call_once(|| drop(check(unsafe { LGBM_RegisterLogCallback(ignore) })));
}

fn count(n: usize) -> Result<i32, PluginError> {
    i32::try_from(n).map_err(|_| PluginError::Failed(format!("{n} rows or columns are more than LightGBM takes")))
}

pub struct Dataset(Handle);

impl Dataset {
    /// A dataset with labels; `reference` shares the bins of the training set with validation sets.
    pub fn new(rows: &Labelled<'_>, parameters: &CStr, reference: Option<&Dataset>) -> Result<Self, PluginError> {
        silence();
        let (n, columns) = (count(rows.inputs.rows)?, count(rows.inputs.shape.len())?);
        let mut handle = null_mut();
        // SAFETY: `data` holds n x columns values.
        check(unsafe {
            LGBM_DatasetCreateFromMat(
                rows.inputs.data.as_ptr().cast(),
                FLOAT32,
                n,
                columns,
                1,
                parameters.as_ptr(),
                reference.map_or(null_mut(), |d| d.0),
                &mut handle,
            )
        })?;
        let dataset = Self(handle);
        let labels: Vec<f32> = rows.targets.iter().map(|l| *l as f32).collect();
        // SAFETY: one label per row; LightGBM copies them.
        check(unsafe { LGBM_DatasetSetField(dataset.0, c"label".as_ptr(), labels.as_ptr().cast(), n, FLOAT32) })?;
        Ok(dataset)
    }
}

impl Drop for Dataset {
    fn drop(&mut self) {
        // SAFETY: owned, and used no more.
        unsafe { LGBM_DatasetFree(self.0) };
    }
}

/// A booster that is being trained; it borrows its datasets.
pub struct Training<'a> {
    booster: Handle,
    has_validation: bool,
    _datasets: std::marker::PhantomData<&'a Dataset>,
}

impl<'a> Training<'a> {
    pub fn new(train: &'a Dataset, validation: Option<&'a Dataset>, parameters: &CStr) -> Result<Self, PluginError> {
        let mut booster = null_mut();
        // SAFETY: the dataset outlives the booster by the lifetime.
        check(unsafe { LGBM_BoosterCreate(train.0, parameters.as_ptr(), &mut booster) })?;
        let training = Self {
            booster,
            has_validation: validation.is_some(),
            _datasets: std::marker::PhantomData,
        };
        if let Some(validation) = validation {
            // SAFETY: as above.
            check(unsafe { LGBM_BoosterAddValidData(booster, validation.0) })?;
        }
        Ok(training)
    }

    /// Adds a tree; `false` where none can be added any more.
    pub fn add_tree(&mut self) -> Result<bool, PluginError> {
        let mut finished = 0;
        // SAFETY: the booster is alive.
        check(unsafe { LGBM_BoosterUpdateOneIter(self.booster, &mut finished) })?;
        Ok(finished == 0)
    }

    /// Mean squared error on the training set, in squared units of the target.
    pub fn train_mse(&self) -> Result<f64, PluginError> {
        self.mse(0)
    }

    /// Mean squared error on the validation set, in squared units of the target; `None` where there is no such set.
    pub fn validation_mse(&self) -> Result<Option<f64>, PluginError> {
        if self.has_validation {
            self.mse(1).map(Some)
        } else {
            Ok(None)
        }
    }

    fn mse(&self, data: c_int) -> Result<f64, PluginError> {
        let (mut len, mut value) = (0, f64::NAN);
        // SAFETY: the booster has one metric, so that one value is written.
        check(unsafe { LGBM_BoosterGetEval(self.booster, data, &mut len, &mut value) })?;
        Ok(value)
    }

    /// The model text of the first `trees` trees.
    pub fn model_text(&self, trees: usize) -> Result<Vec<u8>, PluginError> {
        let trees = count(trees)?;
        let mut text = vec![0u8; 1 << 20];
        loop {
            let mut len = 0;
            // SAFETY: the buffer's length is passed along; LightGBM writes no more.
            check(unsafe {
                LGBM_BoosterSaveModelToString(
                    self.booster,
                    0,
                    trees,
                    IMPORTANCE_SPLIT,
                    text.len() as i64,
                    &mut len,
                    text.as_mut_ptr().cast(),
                )
            })?;
            let len = len as usize;
            if len <= text.len() {
                // The length counts the terminating NUL.
                text.truncate(len.saturating_sub(1));
                return Ok(text);
            }
            text.resize(len, 0);
        }
    }
}

impl Drop for Training<'_> {
    fn drop(&mut self) {
        // SAFETY: owned, and used no more.
        unsafe { LGBM_BoosterFree(self.booster) };
    }
}

/// A fitted model.
pub struct Model {
    booster: Handle,
    columns: usize,
    /// Configuration of the fast path for one row; used by one thread at a time.
    single_row: Mutex<Handle>,
}

// SAFETY: prediction on a booster takes LightGBM's shared lock and may run on several threads; the fast path, which may
// not, is behind a mutex; nothing modifies the booster after loading.
unsafe impl Send for Model {}
// SAFETY: as above.
unsafe impl Sync for Model {}

impl Model {
    /// Reads model text. The text must be whole: LightGBM crashes on a truncated one, so its end marks are looked for.
    pub fn from_text(text: &[u8]) -> Result<Self, PluginError> {
        silence();
        let unsupported =
            |what: &str| PluginError::UnsupportedState(format!("not a whole LightGBM model text: {what}"));
        let tail = &text[text.len().saturating_sub(1 << 16)..];
        let has = |part: &[u8], mark: &str| part.windows(mark.len()).any(|w| w == mark.as_bytes());
        if !text.starts_with(b"tree\n") {
            return Err(unsupported("it does not begin with `tree`"));
        }
        if !has(tail, "end of parameters") {
            return Err(unsupported("its end is missing"));
        }
        let text = CString::new(text).map_err(|_| unsupported("it holds a NUL"))?;
        let (mut trees, mut booster, mut columns, mut fast) = (0, null_mut(), 0, null_mut());
        // SAFETY: terminated text.
        check(unsafe { LGBM_BoosterLoadModelFromString(text.as_ptr(), &mut trees, &mut booster) })?;
        let mut model = Self {
            booster,
            columns: 0,
            single_row: Mutex::new(null_mut()),
        };
        // SAFETY: the booster is alive.
        check(unsafe { LGBM_BoosterGetNumFeature(booster, &mut columns) })?;
        model.columns = columns as usize;
        // SAFETY: as above.
        check(unsafe {
            LGBM_BoosterPredictForMatSingleRowFastInit(
                booster,
                PREDICT_NORMAL,
                0,
                -1,
                FLOAT32,
                columns,
                PREDICTION.as_ptr(),
                &mut fast,
            )
        })?;
        model.single_row = Mutex::new(fast);
        Ok(model)
    }

    /// Predictions in the unit of the targets.
    pub fn predict(&self, inputs: Tensor<'_>, out: &mut [f64]) -> Result<(), PluginError> {
        let columns = inputs.shape.len();
        if columns != self.columns {
            return Err(PluginError::Failed(format!(
                "rows have {columns} values; the model was fitted on {}",
                self.columns
            )));
        }
        if inputs.rows == 1
            && let Ok(config) = self.single_row.try_lock()
        {
            let mut len = 0;
            // SAFETY: the row has the columns of the configuration, `out` holds one value, and the mutex is held.
            return check(unsafe {
                LGBM_BoosterPredictForMatSingleRowFast(*config, inputs.data.as_ptr().cast(), &mut len, out.as_mut_ptr())
            });
        }
        let (rows, columns) = (count(inputs.rows)?, count(columns)?);
        if rows == 0 {
            return Ok(());
        }
        let mut len = 0;
        // SAFETY: the matrix holds rows x columns values, and `out` one per row.
        check(unsafe {
            LGBM_BoosterPredictForMat(
                self.booster,
                inputs.data.as_ptr().cast(),
                FLOAT32,
                rows,
                columns,
                1,
                PREDICT_NORMAL,
                0,
                -1,
                PREDICTION.as_ptr(),
                &mut len,
                out.as_mut_ptr(),
            )
        })
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        let config = *self
            .single_row
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // SAFETY: owned, and used no more; the configuration goes before its booster.
        unsafe {
            if !config.is_null() {
                LGBM_FastConfigFree(config);
            }
            LGBM_BoosterFree(self.booster);
        }
    }
}

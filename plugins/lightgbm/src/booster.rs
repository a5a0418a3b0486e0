//! LightGBM's datasets and boosters as owned values. Every length that C takes on trust is checked here. LightGBM is handed rows
//! and parameters of a training and nothing else: what reads a model, from wherever it comes, is [`lglp_forest`].

use std::ffi::{CStr, c_char, c_int};
use std::ptr::null_mut;
use std::sync::Once;

use lglp_sdk::plugin::{Labelled, PluginError};

use crate::ffi::*;

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

pub(crate) struct Dataset(Handle);

impl Dataset {
    /// A dataset with labels; `reference` shares the bins of the training set with validation sets.
    pub(crate) fn new(
        rows: &Labelled<'_>,
        parameters: &CStr,
        reference: Option<&Dataset>,
    ) -> Result<Self, PluginError> {
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
pub(crate) struct Training<'a> {
    booster: Handle,
    has_validation: bool,
    _datasets: std::marker::PhantomData<&'a Dataset>,
}

impl<'a> Training<'a> {
    pub(crate) fn new(
        train: &'a Dataset,
        validation: Option<&'a Dataset>,
        parameters: &CStr,
    ) -> Result<Self, PluginError> {
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
    pub(crate) fn add_tree(&mut self) -> Result<bool, PluginError> {
        let mut finished = 0;
        // SAFETY: the booster is alive.
        check(unsafe { LGBM_BoosterUpdateOneIter(self.booster, &mut finished) })?;
        Ok(finished == 0)
    }

    /// Mean squared error on the training set, in squared units of the target.
    pub(crate) fn train_mse(&self) -> Result<f64, PluginError> {
        self.mse(0)
    }

    /// Mean squared error on the validation set, in squared units of the target; `None` where there is no such set.
    pub(crate) fn validation_mse(&self) -> Result<Option<f64>, PluginError> {
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
    pub(crate) fn model_text(&self, trees: usize) -> Result<Vec<u8>, PluginError> {
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

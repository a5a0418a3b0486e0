//! The part of LightGBM's C API (`c_api.h`, 4.7.0) that is used here.

use std::ffi::{c_char, c_int, c_void};

pub(crate) type Handle = *mut c_void;

/// `C_API_DTYPE_FLOAT32`.
pub(crate) const FLOAT32: c_int = 0;
/// `C_API_FEATURE_IMPORTANCE_SPLIT`.
pub(crate) const IMPORTANCE_SPLIT: c_int = 0;

unsafe extern "C" {
    pub(crate) fn LGBM_GetLastError() -> *const c_char;
    pub(crate) fn LGBM_RegisterLogCallback(callback: extern "C" fn(*const c_char)) -> c_int;
    pub(crate) fn LGBM_DatasetCreateFromMat(
        data: *const c_void,
        data_type: c_int,
        rows: i32,
        columns: i32,
        is_row_major: c_int,
        parameters: *const c_char,
        reference: Handle,
        out: *mut Handle,
    ) -> c_int;
    pub(crate) fn LGBM_DatasetSetField(
        dataset: Handle,
        field: *const c_char,
        data: *const c_void,
        len: c_int,
        data_type: c_int,
    ) -> c_int;
    pub(crate) fn LGBM_DatasetFree(dataset: Handle) -> c_int;
    pub(crate) fn LGBM_BoosterCreate(train: Handle, parameters: *const c_char, out: *mut Handle) -> c_int;
    pub(crate) fn LGBM_BoosterAddValidData(booster: Handle, validation: Handle) -> c_int;
    pub(crate) fn LGBM_BoosterUpdateOneIter(booster: Handle, is_finished: *mut c_int) -> c_int;
    pub(crate) fn LGBM_BoosterGetEval(booster: Handle, data: c_int, out_len: *mut c_int, out: *mut f64) -> c_int;
    pub(crate) fn LGBM_BoosterSaveModelToString(
        booster: Handle,
        start_iteration: c_int,
        iterations: c_int,
        importance: c_int,
        buffer_len: i64,
        out_len: *mut i64,
        out: *mut c_char,
    ) -> c_int;
    pub(crate) fn LGBM_BoosterFree(booster: Handle) -> c_int;
}

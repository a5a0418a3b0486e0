//! LightGBM by its C API, opened at run time.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::PathBuf;
use std::ptr::null_mut;
use std::sync::OnceLock;

use libloading::{Library, Symbol};

type Handle = *mut c_void;

const FLOAT32: c_int = 0;
/// Settings of the shipped recipes.
const TRAINING: &CStr = c"objective=regression metric=l2 num_leaves=500 learning_rate=0.01 min_data_in_leaf=20 seed=0 \
                          deterministic=true force_row_wise=true num_threads=1 verbosity=-1";
/// As many as a training of the paper's has.
const TREES: usize = 1500;
const PREDICTION: &CStr = c"num_threads=1 verbosity=-1";

fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let folder = std::env::var_os("LGLP_NATIVE").map_or_else(
            || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../.native/lib")),
            PathBuf::from,
        );
        let open = |name: &str| {
            // SAFETY: both libraries are LightGBM's own, whose initialisers ask for nothing.
            unsafe { Library::new(folder.join(name)) }.unwrap_or_else(|error| panic!("{name}: {error}; `make native`"))
        };
        // LightGBM finds it by its name once it is open.
        std::mem::forget(open("libgomp.so.1"));
        open("lib_lightgbm.so")
    })
}

/// A function of LightGBM's `c_api.h`, called with the arguments that it has there; its status must be 0.
macro_rules! call {
    ($name:ident($($argument:expr => $kind:ty),* $(,)?)) => {{
        // SAFETY: the signature is that of LightGBM 4.7's `c_api.h`, and the caller passes whole buffers with their lengths.
        let status = unsafe {
            let function: Symbol<'_, unsafe extern "C" fn($($kind),*) -> c_int> =
                library().get(stringify!($name).as_bytes()).expect("LightGBM 4.7");
            function($($argument),*)
        };
        assert_eq!(status, 0, stringify!($name));
    }};
}

/// The model text of a training.
pub(crate) fn train(rows: &[f32], width: usize, targets: &[f32]) -> Vec<u8> {
    let (mut data, mut booster, none): (Handle, Handle, Handle) = (null_mut(), null_mut(), null_mut());
    let count = targets.len() as i32;
    call!(LGBM_DatasetCreateFromMat(
        rows.as_ptr().cast() => *const c_void, FLOAT32 => c_int, count => i32, width as i32 => i32, 1 => c_int,
        TRAINING.as_ptr() => *const c_char, none => Handle, &mut data => *mut Handle,
    ));
    call!(LGBM_DatasetSetField(
        data => Handle, c"label".as_ptr() => *const c_char, targets.as_ptr().cast() => *const c_void, count => c_int, FLOAT32 => c_int,
    ));
    call!(LGBM_BoosterCreate(data => Handle, TRAINING.as_ptr() => *const c_char, &mut booster => *mut Handle));
    for _ in 0..TREES {
        let mut finished = 0;
        call!(LGBM_BoosterUpdateOneIter(booster => Handle, &mut finished => *mut c_int));
    }
    let mut text = vec![0u8; 256 << 20];
    let mut length = 0i64;
    call!(LGBM_BoosterSaveModelToString(
        booster => Handle, 0 => c_int, 0 => c_int, 0 => c_int, text.len() as i64 => i64, &mut length => *mut i64,
        text.as_mut_ptr().cast() => *mut c_char,
    ));
    call!(LGBM_BoosterFree(booster => Handle));
    call!(LGBM_DatasetFree(data => Handle));
    text.truncate(length as usize - 1);
    text
}

/// A model that LightGBM has read, with its fast path for single rows.
pub(crate) struct LightGbm {
    booster: Handle,
    single: Handle,
    width: usize,
}

impl LightGbm {
    pub(crate) fn new(text: &[u8], width: usize) -> Self {
        let (mut booster, mut single, mut trees): (Handle, Handle, c_int) = (null_mut(), null_mut(), 0);
        let text = CString::new(text).expect("no NUL");
        call!(LGBM_BoosterLoadModelFromString(
            text.as_ptr() => *const c_char, &mut trees => *mut c_int, &mut booster => *mut Handle,
        ));
        call!(LGBM_BoosterPredictForMatSingleRowFastInit(
            booster => Handle, 0 => c_int, 0 => c_int, -1 => c_int, FLOAT32 => c_int, width as i32 => i32,
            PREDICTION.as_ptr() => *const c_char, &mut single => *mut Handle,
        ));
        Self { booster, single, width }
    }

    pub(crate) fn predict(&self, rows: &[f32], out: &mut [f64]) {
        assert_eq!(rows.len(), out.len() * self.width, "one row for each prediction");
        let mut length = 0i64;
        if out.len() == 1 {
            call!(LGBM_BoosterPredictForMatSingleRowFast(
                self.single => Handle, rows.as_ptr().cast() => *const c_void, &mut length => *mut i64,
                out.as_mut_ptr() => *mut f64,
            ));
            return;
        }
        call!(LGBM_BoosterPredictForMat(
            self.booster => Handle, rows.as_ptr().cast() => *const c_void, FLOAT32 => c_int, out.len() as i32 => i32,
            self.width as i32 => i32, 1 => c_int, 0 => c_int, 0 => c_int, -1 => c_int,
            PREDICTION.as_ptr() => *const c_char, &mut length => *mut i64, out.as_mut_ptr() => *mut f64,
        ));
    }
}

impl Drop for LightGbm {
    fn drop(&mut self) {
        call!(LGBM_FastConfigFree(self.single => Handle));
        call!(LGBM_BoosterFree(self.booster => Handle));
    }
}

//! Tables of C callbacks for the types of an author; used through [`export_plugin!`](crate::export_plugin).

use std::ffi::c_void;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::abi::*;
use super::boundary::{drop_instance, give, guard, guard_instance, into_pointer, labelled, slice_mut, tensor};
use super::{Encoder, FeatureExtractor, Fit, PluginError, Progress, Regressor, Rows, Runtime};
use crate::SearchSpace;

/// Exports the plugin of this crate. Give the kinds that it has; each lists types that implement its trait. `check: path`,
/// last, names a `fn() -> Result<(), PluginError>` that looks for what the plugin opens by itself, a native library or a
/// device: without it, the plugin is listed as unavailable, with the reason.
///
/// ```ignore
/// lglp_sdk::export_plugin! {
///     summary: "One-hot encodings",
///     encoders: [OneHot],
///     regressors: [Ridge],
/// }
/// ```
#[macro_export]
macro_rules! export_plugin {
    (
        summary: $summary:expr
        $(, encoders: [$($encoder:ty),* $(,)?])?
        $(, extractors: [$($extractor:ty),* $(,)?])?
        $(, regressors: [$($regressor:ty),* $(,)?])?
        $(, runtimes: [$($runtime:ty),* $(,)?])?
        $(, check: $check:path)?
        $(,)?
    ) => {
        const LGLP_COMPONENTS: &[$crate::plugin::abi::Component] = &[
            $($($crate::plugin::export::encoder::<$encoder>(),)*)?
            $($($crate::plugin::export::extractor::<$extractor>(),)*)?
            $($($crate::plugin::export::regressor::<$regressor>(),)*)?
            $($($crate::plugin::export::runtime::<$runtime>(),)*)?
        ];
        const LGLP_CHECK: Option<unsafe extern "C" fn(*mut $crate::plugin::abi::Buffer) -> u32> = {
            #[allow(unused_mut)]
            let mut check = None;
            $({
                unsafe extern "C" fn callback(error: *mut $crate::plugin::abi::Buffer) -> u32 {
                    // SAFETY: the host keeps to the contract of `PluginTable::check`.
                    unsafe { $crate::plugin::export::check($check, error) }
                }
                check = Some(callback as _);
            })?
            check
        };
        /// The one symbol that the host looks up.
        #[unsafe(no_mangle)]
        #[allow(non_upper_case_globals)]
        pub static lglp_plugin: $crate::plugin::abi::PluginTable =
            $crate::plugin::export::plugin(
                [env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), $summary],
                LGLP_COMPONENTS,
                LGLP_CHECK,
            );
    };
}

/// The table of a plugin.
pub const fn plugin(
    [name, version, summary]: [&'static str; 3],
    components: &'static [Component],
    check: Option<unsafe extern "C" fn(*mut Buffer) -> u32>,
) -> PluginTable {
    PluginTable {
        magic: MAGIC,
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        size: size_of::<PluginTable>(),
        component_size: size_of::<Component>(),
        name: Str::new(name),
        version: Str::new(version),
        summary: Str::new(summary),
        components: components.as_ptr(),
        component_count: components.len(),
        check,
    }
}

/// What [`PluginTable::check`] does with an author's function.
///
/// # Safety
/// `error` is null or points to an empty [`Buffer`].
pub unsafe fn check(check: fn() -> Result<(), PluginError>, error: *mut Buffer) -> u32 {
    // SAFETY: by the contract of this function.
    unsafe { guard(error, check) }
}

/// The component of an encoder.
pub const fn encoder<T: Encoder>() -> Component {
    Component {
        encoder: &Callbacks::<T>::ENCODER,
        ..bare::<T::Parameters>(KIND_ENCODER, 0, T::NAME, T::SUMMARY)
    }
}

/// The component of a feature extractor.
pub const fn extractor<T: FeatureExtractor>() -> Component {
    Component {
        fitted: &Callbacks::<Extracting<T>>::FITTED,
        ..bare::<T::Parameters>(KIND_EXTRACTOR, T::STATE_VERSION, T::NAME, T::SUMMARY)
    }
}

/// The component of a regressor.
pub const fn regressor<T: Regressor>() -> Component {
    Component {
        fitted: &Callbacks::<Predicting<T>>::FITTED,
        ..bare::<T::Parameters>(KIND_REGRESSOR, T::STATE_VERSION, T::NAME, T::SUMMARY)
    }
}

/// The component of a runtime.
pub const fn runtime<T: Runtime>() -> Component {
    Component {
        runtime: &Callbacks::<T>::RUNTIME,
        ..bare::<T::Parameters>(KIND_RUNTIME, 0, T::NAME, T::SUMMARY)
    }
}

const fn bare<P: JsonSchema>(kind: u32, state_version: u32, name: &'static str, summary: &'static str) -> Component {
    Component {
        kind,
        state_version,
        name: Str::new(name),
        summary: Str::new(summary),
        schema: schema::<P>,
        encoder: std::ptr::null(),
        fitted: std::ptr::null(),
        runtime: std::ptr::null(),
    }
}

unsafe extern "C" fn schema<P: JsonSchema>(json: *mut Buffer, error: *mut Buffer) -> u32 {
    // SAFETY: the host hands over empty buffers.
    unsafe {
        guard(error, || {
            let schema = schemars::schema_for!(P);
            give(json, serde_json::to_vec(&schema).map_err(PluginError::failed)?);
            Ok(())
        })
    }
}

fn parameters<P: DeserializeOwned>(json: &str) -> Result<P, PluginError> {
    serde_json::from_str(json).map_err(|e| PluginError::InvalidParameters(e.to_string()))
}

/// # Safety
/// As [`Str::as_str`].
unsafe fn text<'a>(text: Str) -> Result<&'a str, PluginError> {
    // SAFETY: by the contract of this function.
    unsafe { text.as_str() }.ok_or_else(|| PluginError::Failed("the host passed text that is not UTF-8".into()))
}

struct Callbacks<T>(PhantomData<T>);

impl<T: Encoder> Callbacks<T> {
    const ENCODER: EncoderTable = EncoderTable {
        create: Self::create,
        destroy: drop_instance::<T>,
        shape: Self::shape,
        encode: Self::encode,
    };

    unsafe extern "C" fn create(
        space: Str,
        _row_len: usize,
        params: Str,
        instance: *mut *mut c_void,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `EncoderTable::create`.
        unsafe {
            guard(error, || {
                let space = SearchSpace::from_json(text(space)?).map_err(PluginError::failed)?;
                *instance = into_pointer(T::new(&space, parameters(text(params)?)?)?);
                Ok(())
            })
        }
    }

    unsafe extern "C" fn shape(instance: *const c_void, steps: *mut usize, width: *mut usize) -> u32 {
        // SAFETY: the host keeps to the contract of `EncoderTable::shape`.
        unsafe {
            guard_instance::<T>(instance, std::ptr::null_mut(), |encoder| {
                let shape = encoder.shape();
                *steps = shape.steps;
                *width = shape.width;
                Ok(())
            })
        }
    }

    unsafe extern "C" fn encode(
        instance: *const c_void,
        rows: *const u8,
        count: usize,
        row_len: usize,
        out: *mut f32,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `EncoderTable::encode`.
        unsafe {
            guard_instance::<T>(instance, error, |encoder| {
                let rows = Rows {
                    data: slice(rows, count * row_len),
                    count,
                    width: row_len,
                };
                encoder.encode(rows, slice_mut(out, count * encoder.shape().len()))
            })
        }
    }
}

/// What extractors and regressors have in common, so that one set of callbacks serves both.
trait Fitted: Send + Sync + Sized + 'static {
    type Parameters: DeserializeOwned;
    const EXTRACT: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f32, *mut Buffer) -> u32>;
    const PREDICT: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f64, *mut Buffer) -> u32>;
    fn fit(parameters: Self::Parameters, data: Fit<'_>) -> Result<Self, PluginError>;
    fn save(&self) -> Result<Vec<u8>, PluginError>;
    fn load(version: u32, state: &[u8]) -> Result<Self, PluginError>;
    fn outputs(&self) -> usize;
}

struct Extracting<T>(T);

impl<T: FeatureExtractor> Fitted for Extracting<T> {
    type Parameters = T::Parameters;
    const EXTRACT: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f32, *mut Buffer) -> u32> =
        Some(extract::<T>);
    const PREDICT: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f64, *mut Buffer) -> u32> = None;
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

struct Predicting<T>(T);

impl<T: Regressor> Fitted for Predicting<T> {
    type Parameters = T::Parameters;
    const EXTRACT: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f32, *mut Buffer) -> u32> = None;
    const PREDICT: Option<unsafe extern "C" fn(*const c_void, TensorView, *mut f64, *mut Buffer) -> u32> =
        Some(predict::<T>);
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
        1
    }
}

unsafe extern "C" fn predict<T: Regressor>(
    instance: *const c_void,
    inputs: TensorView,
    out: *mut f64,
    error: *mut Buffer,
) -> u32 {
    // SAFETY: the host keeps to the contract of `FittedTable::predict`.
    unsafe {
        guard_instance::<Predicting<T>>(instance, error, |p| {
            p.0.predict(tensor(inputs), slice_mut(out, inputs.rows))
        })
    }
}

impl<T: Fitted> Callbacks<T> {
    const FITTED: FittedTable = FittedTable {
        fit: Self::fit,
        load: Self::load,
        save: Self::save,
        destroy: drop_instance::<T>,
        outputs: Self::outputs,
        extract: T::EXTRACT,
        predict: T::PREDICT,
    };

    unsafe extern "C" fn fit(params: Str, data: *const FitData, instance: *mut *mut c_void, error: *mut Buffer) -> u32 {
        // SAFETY: the host keeps to the contract of `FittedTable::fit`.
        unsafe {
            guard(error, || {
                let data = &*data;
                let progress = |p: Progress| match data.progress {
                    Some(call) if call(data.progress_context, p.done, p.total, p.train_mse, p.validation_mse) != 0 => {
                        Err(PluginError::Cancelled)
                    }
                    _ => Ok(()),
                };
                let fit = Fit {
                    train: labelled(data.train, data.train_targets),
                    validation: labelled(data.validation, data.validation_targets),
                    seed: data.seed,
                    progress: &progress,
                };
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
        let mut outputs = 0;
        // SAFETY: the host keeps to the contract of `FittedTable::outputs`.
        unsafe {
            guard_instance::<T>(instance, std::ptr::null_mut(), |fitted| {
                outputs = fitted.outputs();
                Ok(())
            });
        }
        outputs
    }
}

impl<T: Runtime> Callbacks<T> {
    const RUNTIME: RuntimeTable = RuntimeTable {
        open: Self::open,
        close: drop_instance::<T>,
        describe: Self::describe,
        load: Self::load_network,
        unload: drop_instance::<std::sync::Mutex<T::Network>>,
        run: Self::run,
        runs_at_once: Some(Self::runs_at_once),
        run_many: Some(Self::run_many),
    };

    unsafe extern "C" fn open(params: Str, instance: *mut *mut c_void, error: *mut Buffer) -> u32 {
        // SAFETY: the host keeps to the contract of `RuntimeTable::open`.
        unsafe {
            guard(error, || {
                *instance = into_pointer(T::open(parameters(text(params)?)?)?);
                Ok(())
            })
        }
    }

    unsafe extern "C" fn describe(instance: *const c_void, json: *mut Buffer, error: *mut Buffer) -> u32 {
        // SAFETY: the host keeps to the contract of `RuntimeTable::describe`.
        unsafe {
            guard_instance::<T>(instance, error, |runtime| {
                give(json, runtime.describe().to_string().into_bytes());
                Ok(())
            })
        }
    }

    unsafe extern "C" fn load_network(
        instance: *const c_void,
        onnx: *const u8,
        len: usize,
        network: *mut *mut c_void,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `RuntimeTable::load`.
        unsafe {
            guard_instance::<T>(instance, error, |runtime| {
                *network = into_pointer(std::sync::Mutex::new(runtime.load(slice(onnx, len))?));
                Ok(())
            })
        }
    }

    unsafe extern "C" fn run(
        instance: *const c_void,
        network: *mut c_void,
        wall_ns: *mut u64,
        cpu_ns: *mut u64,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `RuntimeTable::run`.
        unsafe {
            guard_instance::<std::sync::Mutex<T::Network>>(network, error, |network| {
                let runtime = &*instance.cast::<super::boundary::Instance<T>>();
                let mut network = network.lock().map_err(PluginError::failed)?;
                let sample = runtime.value.run(&mut network)?;
                *wall_ns = sample.wall_ns;
                *cpu_ns = sample.cpu_ns;
                Ok(())
            })
        }
    }

    unsafe extern "C" fn runs_at_once(instance: *const c_void) -> usize {
        let mut runs = 1;
        // SAFETY: the host keeps to the contract of `RuntimeTable::runs_at_once`.
        unsafe {
            guard_instance::<T>(instance, std::ptr::null_mut(), |runtime| {
                runs = runtime.runs_at_once();
                Ok(())
            });
        }
        runs
    }

    unsafe extern "C" fn run_many(
        instance: *const c_void,
        network: *mut c_void,
        runs: usize,
        samples: *mut Buffer,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `RuntimeTable::run_many`.
        unsafe {
            guard_instance::<std::sync::Mutex<T::Network>>(network, error, |network| {
                let runtime = &*instance.cast::<super::boundary::Instance<T>>();
                let mut network = network.lock().map_err(PluginError::failed)?;
                let made = runtime.value.run_many(&mut network, runs)?;
                let values = made.iter().flat_map(|s| [s.wall_ns, s.cpu_ns, s.energy_uj]);
                give(samples, values.flat_map(u64::to_ne_bytes).collect());
                Ok(())
            })
        }
    }
}

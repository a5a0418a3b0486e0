//! Tables of C callbacks for the types of an author; used through [`export_plugin!`](crate::export_plugin).

mod encoder;
mod fitted;
mod runtime;

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use self::encoder::OperatorCallbacks;
use self::fitted::{Extracting, Predicting};
use super::abi::*;
use super::boundary::{give, guard};
use super::{Encoder, FeatureExtractor, OperatorEncoder, PluginError, Regressor, Runtime};
use crate::strict;

/// Exports the plugin of this crate. Give the kinds that it has; each lists types that implement its trait. `check: path`,
/// last, names a `fn() -> Result<(), PluginError>` that looks for what the plugin opens by itself, a native library or a
/// device: without it, the plugin is listed as unavailable, with the reason.
///
/// The documentation of each trait has a whole plugin, and so has the README.
#[macro_export]
macro_rules! export_plugin {
    (
        summary: $summary:expr
        $(, encoders: [$($encoder:ty),* $(,)?])?
        $(, operator_encoders: [$($operator_encoder:ty),* $(,)?])?
        $(, extractors: [$($extractor:ty),* $(,)?])?
        $(, regressors: [$($regressor:ty),* $(,)?])?
        $(, runtimes: [$($runtime:ty),* $(,)?])?
        $(, check: $check:path)?
        $(,)?
    ) => {
        const LGLP_COMPONENTS: &[$crate::plugin::abi::Component] = &[
            $($($crate::plugin::export::encoder::<$encoder>(),)*)?
            $($($crate::plugin::export::operator_encoder::<$operator_encoder>(),)*)?
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

/// The component of an encoder that reads operators.
pub const fn operator_encoder<T: OperatorEncoder>() -> Component {
    Component {
        encoder: &OperatorCallbacks::<T>::ENCODER,
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
    strict::from_slice(json.as_bytes()).map_err(|e| PluginError::InvalidParameters(e.to_string()))
}

/// # Safety
/// As [`Str::as_str`].
unsafe fn text<'a>(text: Str) -> Result<&'a str, PluginError> {
    // SAFETY: by the contract of this function.
    unsafe { text.as_str() }.ok_or_else(|| PluginError::Failed("the host passed text that is not UTF-8".into()))
}

struct Callbacks<T>(PhantomData<T>);

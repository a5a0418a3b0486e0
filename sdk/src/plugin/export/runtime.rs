//! Callbacks of runtimes.

use std::ffi::c_void;

use super::super::abi::*;
use super::super::boundary::{drop_instance, give, guard, guard_instance, into_pointer};
use super::super::{PluginError, Runtime};
use super::{Callbacks, parameters, text};

impl<T: Runtime> Callbacks<T> {
    pub(super) const RUNTIME: RuntimeTable = RuntimeTable {
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
                let runtime = &*instance.cast::<super::super::boundary::Instance<T>>();
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
                let runtime = &*instance.cast::<super::super::boundary::Instance<T>>();
                let mut network = network.lock().map_err(PluginError::failed)?;
                let made = runtime.value.run_many(&mut network, runs)?;
                let values = made.iter().flat_map(|s| [s.wall_ns, s.cpu_ns, s.energy_uj]);
                give(samples, values.flat_map(u64::to_ne_bytes).collect());
                Ok(())
            })
        }
    }
}

//! Callbacks of encoders, of those that read rows and those that read operators.

use std::ffi::c_void;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::super::abi::*;
use super::super::boundary::{drop_instance, guard, guard_instance, into_pointer, slice_mut};
use super::super::{Encoder, Networks, OperatorEncoder, PluginError, Rows};
use super::{Callbacks, parameters, text};
use crate::SearchSpace;

/// Makes an encoder of either trait.
///
/// # Safety
/// The arguments are those of `EncoderTable::create`.
unsafe fn make<T, P: DeserializeOwned>(
    space: Str,
    params: Str,
    instance: *mut *mut c_void,
    error: *mut Buffer,
    new: fn(&SearchSpace, P) -> Result<T, PluginError>,
) -> u32 {
    // SAFETY: by the contract of this function.
    unsafe {
        guard(error, || {
            let space = SearchSpace::from_json(text(space)?).map_err(PluginError::failed)?;
            *instance = into_pointer(new(&space, parameters(text(params)?)?)?);
            Ok(())
        })
    }
}

impl<T: Encoder> Callbacks<T> {
    pub(super) const ENCODER: EncoderTable = EncoderTable {
        create: Self::create,
        destroy: drop_instance::<T>,
        shape: Self::shape,
        encode: Self::encode,
        shape_of_operators: None,
        encode_operators: None,
    };

    unsafe extern "C" fn create(
        space: Str,
        _row_len: usize,
        params: Str,
        instance: *mut *mut c_void,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `EncoderTable::create`.
        unsafe { make(space, params, instance, error, T::new) }
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

pub(super) struct OperatorCallbacks<T>(PhantomData<T>);

impl<T: OperatorEncoder> OperatorCallbacks<T> {
    pub(super) const ENCODER: EncoderTable = EncoderTable {
        create: Self::create,
        destroy: drop_instance::<T>,
        shape: Self::no_rows,
        encode: Self::encode_no_rows,
        shape_of_operators: Some(Self::shape),
        encode_operators: Some(Self::encode),
    };

    unsafe extern "C" fn create(
        space: Str,
        _row_len: usize,
        params: Str,
        instance: *mut *mut c_void,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `EncoderTable::create`.
        unsafe { make(space, params, instance, error, T::new) }
    }

    unsafe extern "C" fn no_rows(_: *const c_void, _: *mut usize, _: *mut usize) -> u32 {
        STATUS_NOT_OFFERED
    }

    unsafe extern "C" fn encode_no_rows(
        _: *const c_void,
        _: *const u8,
        _: usize,
        _: usize,
        _: *mut f32,
        _: *mut Buffer,
    ) -> u32 {
        STATUS_NOT_OFFERED
    }

    unsafe extern "C" fn shape(instance: *const c_void, operators: usize, steps: *mut usize, width: *mut usize) -> u32 {
        // SAFETY: the host keeps to the contract of `EncoderTable::shape_of_operators`.
        unsafe {
            guard_instance::<T>(instance, std::ptr::null_mut(), |encoder| {
                let shape = encoder.shape(operators);
                *steps = shape.steps;
                *width = shape.width;
                Ok(())
            })
        }
    }

    unsafe extern "C" fn encode(
        instance: *const c_void,
        operators: *const Operator,
        ends: *const usize,
        count: usize,
        most: usize,
        out: *mut f32,
        error: *mut Buffer,
    ) -> u32 {
        // SAFETY: the host keeps to the contract of `EncoderTable::encode_operators`.
        unsafe {
            guard_instance::<T>(instance, error, |encoder| {
                let ends = slice(ends, count);
                let networks = Networks {
                    operators: slice(operators, ends.last().copied().unwrap_or(0)),
                    ends,
                    most,
                };
                encoder.encode(networks, slice_mut(out, count * encoder.shape(most).len()))
            })
        }
    }
}

//! Feature extractors and regressors behind the C ABI.

use std::ffi::c_void;
use std::mem::{offset_of, size_of};
use std::panic::{AssertUnwindSafe, catch_unwind};

use lglp_sdk::plugin::Progress;
use lglp_sdk::plugin::abi::{self, Buffer, FittedTable, TensorView};

use super::arrays::{numbers, room, states, text, unexpected, view};
use super::call::Made;
use super::{call, tables};
use crate::host::PluginError;
use crate::host::calls::{Answer, Call, Callee, Component, Dimensions, Offer, Offers, OnProgress};

/// A table, as far as the plugin knows it; what it does not know is null.
#[derive(Clone)]
pub(super) struct Fitted {
    table: FittedTable,
    name: String,
}

/// One that was fitted, or loaded.
struct Ready {
    of: Fitted,
    instance: Made,
}

impl Fitted {
    /// # Safety
    /// The component has the table of an extractor or regressor, of a plugin of this minor version, which is never unloaded.
    pub(super) unsafe fn new(component: &abi::Component, abi_minor: u32, name: &str) -> Self {
        let known = match abi_minor {
            0 | 1 => offset_of!(FittedTable, predict_spread),
            2 => offset_of!(FittedTable, difference_spreads),
            3 => offset_of!(FittedTable, sums_len),
            _ => size_of::<FittedTable>(),
        };
        Self {
            // SAFETY: a plugin of this version has that many bytes of it.
            table: unsafe { tables::whole(component.fitted, known) },
            name: name.to_owned(),
        }
    }

    pub(super) fn offers(&self) -> Offers {
        let table = &self.table;
        let all = [
            (Offer::PredictSpread, table.predict_spread.is_some()),
            (Offer::LeaveOneOut, table.leave_one_out.is_some()),
            (Offer::Contributions, table.contributions.is_some()),
            (Offer::FitFrom, table.fit_from.is_some()),
            (Offer::Choose, table.choose.is_some()),
            (Offer::DifferenceSpreads, table.difference_spreads.is_some()),
            (Offer::Sums, table.sums_len.is_some() && table.sums.is_some()),
            (
                Offer::SpreadSums,
                table.spread_sums_len.is_some() && table.spread_sums.is_some(),
            ),
            (Offer::PredictSums, table.predict_sums.is_some()),
        ];
        all.into_iter()
            .filter_map(|(offer, has)| has.then_some(offer))
            .collect()
    }

    fn ready(&self, make: impl FnOnce(*mut *mut c_void, *mut Buffer) -> u32) -> Result<Box<dyn Callee>, PluginError> {
        let instance = call::made(&self.name, make)?;
        let of = self.clone();
        Ok(Box::new(Ready { of, instance }))
    }
}

impl Component for Fitted {
    fn make(
        &self,
        call: Call,
        inputs: &[&[u8]],
        mut on_progress: OnProgress<'_>,
    ) -> Result<Box<dyn Callee>, PluginError> {
        match (&call, inputs) {
            (
                Call::Fit {
                    seed,
                    train,
                    validation,
                },
                [
                    parameters,
                    train_in,
                    train_targets,
                    validation_in,
                    validation_targets,
                    priors @ ..,
                ],
            ) => {
                let data = abi::FitData {
                    train: view(train_in, *train),
                    train_targets: numbers(train_targets, train.rows),
                    validation: view(validation_in, *validation),
                    validation_targets: numbers(validation_targets, validation.rows),
                    seed: *seed,
                    progress_context: (&raw mut on_progress).cast(),
                    progress: Some(report),
                };
                let priors = states(priors);
                match self.table.fit_from.filter(|_| !priors.is_empty()) {
                    // SAFETY: everything that `data` and `priors` lead to outlives the call.
                    Some(fit_from) => self.ready(|instance, error| unsafe {
                        fit_from(text(parameters), &data, priors.as_ptr(), priors.len(), instance, error)
                    }),
                    // SAFETY: as above.
                    None => self
                        .ready(|instance, error| unsafe { (self.table.fit)(text(parameters), &data, instance, error) }),
                }
            }
            // SAFETY: the state outlives the call.
            (Call::Load { state_version }, [state]) => self.ready(|instance, error| unsafe {
                (self.table.load)(*state_version, state.as_ptr(), state.len(), instance, error)
            }),
            _ => Err(unexpected(&self.name, &call)),
        }
    }

    fn call(&self, call: Call, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<Answer, PluginError> {
        let (Call::Choose { measured, candidates }, [parameters, rows, from, priors @ ..], [chosen]) =
            (&call, inputs, outputs)
        else {
            return Err(unexpected(&self.name, &call));
        };
        let Some(choose) = self.table.choose else {
            return Err(call::not_offered(&self.name));
        };
        let priors = states(priors);
        let chosen: &mut [usize] = bytemuck::cast_slice_mut(chosen);
        // SAFETY: views, texts and states outlive the call; `chosen` has room for as many as are asked for.
        call::checked(&self.name, |error| unsafe {
            choose(
                text(parameters),
                view(rows, *measured),
                view(from, *candidates),
                priors.as_ptr(),
                priors.len(),
                chosen.len(),
                chosen.as_mut_ptr(),
                error,
            )
        })?;
        Ok(Answer::default())
    }
}

/// A callback that fills an array of numbers.
type Fills<T> = unsafe extern "C" fn(*const c_void, TensorView, *mut T, *mut Buffer) -> u32;

impl Ready {
    /// Calls one that fills `out`, of the size that the contract asks for by what the plugin told of itself.
    fn fill<T: bytemuck::Pod>(
        &self,
        callback: Option<Fills<T>>,
        inputs: &[u8],
        of: Dimensions,
        out: &mut [u8],
    ) -> Result<Answer, PluginError> {
        let callback = callback.ok_or_else(|| call::not_offered(&self.of.name))?;
        let inputs = view(inputs, of);
        let out: &mut [T] = bytemuck::cast_slice_mut(out);
        assert!(out.len() >= of.rows || out.is_empty(), "a value for each row");
        // SAFETY: the instance is alive, and the host gives `out` its size.
        call::checked(&self.of.name, |error| unsafe {
            callback(self.instance.pointer(), inputs, out.as_mut_ptr(), error)
        })?;
        Ok(Answer::default())
    }

    fn length(&self, callback: Option<unsafe extern "C" fn(*const c_void) -> usize>) -> Result<Answer, PluginError> {
        // SAFETY: the instance is alive.
        let length = callback.map_or(0, |callback| unsafe { callback(self.instance.pointer()) });
        Ok(Answer::of([length as u64]))
    }

    fn bytes(
        &self,
        callback: unsafe extern "C" fn(*const c_void, *mut Buffer, *mut Buffer) -> u32,
    ) -> Result<Answer, PluginError> {
        // SAFETY: the instance is alive.
        let bytes = call::bytes(&self.of.name, |out, error| unsafe {
            callback(self.instance.pointer(), out, error)
        });
        bytes.map(Answer::bytes)
    }
}

impl Callee for Ready {
    fn call(&self, call: Call, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<Answer, PluginError> {
        let Fitted { table, name } = &self.of;
        let not_offered = || call::not_offered(name);
        match (&call, inputs, outputs) {
            (Call::Save, [], []) => self.bytes(table.save),
            (Call::Outputs, [], []) => self.length(Some(table.outputs)),
            (Call::Extract { of }, [inputs], [out]) => self.fill::<f32>(table.extract, inputs, *of, out),
            (Call::Predict { of }, [inputs], [out]) => self.fill::<f64>(table.predict, inputs, *of, out),
            (Call::PredictSpread { of }, [inputs], [out, spreads]) => {
                let predict = table.predict_spread.ok_or_else(not_offered)?;
                let (inputs, out, spreads) = (view(inputs, *of), room(out, of.rows), room(spreads, of.rows));
                // SAFETY: both have a value for each row.
                call::checked(name, |error| unsafe {
                    predict(self.instance.pointer(), inputs, out, spreads, error)
                })?;
                Ok(Answer::default())
            }
            (Call::DifferenceSpreads { of }, [inputs], [out]) => {
                self.fill::<f64>(table.difference_spreads, inputs, *of, out)
            }
            (Call::LeaveOneOut, [], []) => self.bytes(table.leave_one_out.ok_or_else(not_offered)?),
            (Call::Contributions { of }, [inputs], [out]) => self.fill::<f64>(table.contributions, inputs, *of, out),
            (Call::SumsLen, [], []) => self.length(table.sums_len),
            (Call::SpreadSumsLen, [], []) => self.length(table.spread_sums_len),
            (Call::Sums { of }, [parts], [out]) => self.fill::<f64>(table.sums, parts, *of, out),
            (Call::SpreadSums { of }, [parts], [out]) => self.fill::<f32>(table.spread_sums, parts, *of, out),
            (Call::PredictSums { of }, [firsts, sums, spread_sums @ ..], [out, spreads @ ..]) => {
                let predict = table.predict_sums.ok_or_else(not_offered)?;
                let (firsts, out) = (view(firsts, *of), room(out, of.rows));
                let sums: &[f64] = bytemuck::cast_slice(sums);
                let (spread_sums, spreads) = match (spread_sums, spreads) {
                    ([sums], [spreads]) => (bytemuck::cast_slice::<u8, f32>(sums).as_ptr(), room(spreads, of.rows)),
                    _ => (std::ptr::null(), std::ptr::null_mut()),
                };
                // SAFETY: the host gives sums of the lengths that the plugin told.
                call::checked(name, |error| unsafe {
                    predict(
                        self.instance.pointer(),
                        firsts,
                        sums.as_ptr(),
                        spread_sums,
                        out,
                        spreads,
                        error,
                    )
                })?;
                Ok(Answer::default())
            }
            _ => Err(unexpected(name, &call)),
        }
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        // SAFETY: made by `fit`, `fit_from` or `load`, used no more.
        unsafe { (self.of.table.destroy)(self.instance.pointer()) }
    }
}

/// Hands progress to the closure behind `context`; its panic must not cross into the plugin, so it cancels.
unsafe extern "C" fn report(context: *mut c_void, done: u64, total: u64, train_mse: f64, validation_mse: f64) -> u32 {
    // SAFETY: `make` passes a pointer to its own closure, and plugins call from the fitting thread.
    let on_progress = unsafe { &mut *context.cast::<OnProgress<'_>>() };
    let event = Progress {
        done,
        total,
        train_mse,
        validation_mse,
    };
    let go_on = catch_unwind(AssertUnwindSafe(|| on_progress(event))).unwrap_or(false);
    u32::from(!go_on)
}

//! Encoders behind the C ABI.

use std::mem::{offset_of, size_of};

use lglp_sdk::plugin::abi::{self, EncoderTable};

use super::arrays::{numbers, operators, text, unexpected};
use super::call::Made;
use super::{call, tables};
use crate::host::PluginError;
use crate::host::calls::{Answer, Call, Callee, Component, Offer, Offers, OnProgress};

/// An encoder's table, as far as the plugin knows it; what it does not know is null.
#[derive(Clone)]
pub(super) struct Encoder {
    table: EncoderTable,
    name: String,
}

/// An encoder that is ready for one space.
struct Ready {
    of: Encoder,
    instance: Made,
}

impl Encoder {
    /// # Safety
    /// The component has the table of an encoder, of a plugin of this minor version, which is never unloaded.
    pub(super) unsafe fn new(component: &abi::Component, abi_minor: u32, name: &str) -> Self {
        let known = match abi_minor {
            0 | 1 => offset_of!(EncoderTable, shape_of_operators),
            _ => size_of::<EncoderTable>(),
        };
        Self {
            // SAFETY: a plugin of this version has that many bytes of it.
            table: unsafe { tables::whole(component.encoder, known) },
            name: name.to_owned(),
        }
    }

    pub(super) fn offers(&self) -> Offers {
        let reads_operators = self.table.encode_operators.map(|_| Offer::EncodeOperators);
        reads_operators.into_iter().collect()
    }
}

impl Component for Encoder {
    fn make(&self, call: Call, inputs: &[&[u8]], _: OnProgress<'_>) -> Result<Box<dyn Callee>, PluginError> {
        let (Call::Create { row_len }, [space, parameters]) = (&call, inputs) else {
            return Err(unexpected(&self.name, &call));
        };
        // SAFETY: the texts outlive the call.
        let instance = call::made(&self.name, |instance, error| unsafe {
            (self.table.create)(text(space), *row_len, text(parameters), instance, error)
        })?;
        let of = self.clone();
        Ok(Box::new(Ready { of, instance }))
    }

    fn call(&self, call: Call, _: &[&[u8]], _: &mut [&mut [u8]]) -> Result<Answer, PluginError> {
        Err(unexpected(&self.name, &call))
    }
}

impl Callee for Ready {
    fn call(&self, call: Call, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<Answer, PluginError> {
        let Encoder { table, name } = &self.of;
        match (&call, inputs, outputs) {
            (Call::Shape { operators }, [], []) => {
                let (mut steps, mut width) = (0, 0);
                // SAFETY: the instance is alive.
                call::checked(name, |_| unsafe {
                    match (table.shape_of_operators, operators) {
                        (Some(of), Some(operators)) => of(self.instance.pointer(), *operators, &mut steps, &mut width),
                        _ => (table.shape)(self.instance.pointer(), &mut steps, &mut width),
                    }
                })?;
                Ok(Answer::of([steps as u64, width as u64]))
            }
            (Call::Encode { rows, row_len }, [data], [out]) => {
                let data = numbers::<u8>(data, rows * row_len);
                let out: &mut [f32] = bytemuck::cast_slice_mut(out);
                // SAFETY: the host gives `out` the size that the contract asks for, by the shape that the plugin told.
                call::checked(name, |error| unsafe {
                    (table.encode)(self.instance.pointer(), data, *rows, *row_len, out.as_mut_ptr(), error)
                })?;
                Ok(Answer::default())
            }
            (Call::EncodeOperators { most }, [table_of, ends], [out]) => {
                let Some(encode) = table.encode_operators else {
                    return Err(call::not_offered(name));
                };
                let ends: &[usize] = bytemuck::cast_slice(ends);
                let operators = operators(table_of, ends.last().copied().unwrap_or_default());
                let out: &mut [f32] = bytemuck::cast_slice_mut(out);
                // SAFETY: as above; the last of `ends` is the number of operators.
                call::checked(name, |error| unsafe {
                    encode(
                        self.instance.pointer(),
                        operators,
                        ends.as_ptr(),
                        ends.len(),
                        *most,
                        out.as_mut_ptr(),
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
        // SAFETY: made by `create`, used no more.
        unsafe { (self.of.table.destroy)(self.instance.pointer()) }
    }
}

//! Encoders behind a safe handle.

use std::ffi::c_void;
use std::mem::{offset_of, size_of};
use std::ops::DerefMut;

use lglp_sdk::plugin::Shape;
use lglp_sdk::plugin::abi::{EncoderTable, Operator, Str};
use lglp_sdk::{Architecture, SearchSpace};

use super::fitted::Matrix;
use super::{ComponentHandle, ComponentKind, PluginError, call, health, tables};
use crate::networks::{self, Rules};

/// An encoder that is ready for one space.
pub struct EncoderInstance {
    handle: ComponentHandle,
    table: EncoderTable,
    instance: *mut c_void,
    shape: Shape,
    reads: Reads,
}

/// What an encoder reads of an architecture.
enum Reads {
    /// Its row, of so many bytes.
    Rows(usize),
    /// The operators of its network.
    Operators {
        space: Box<SearchSpace>,
        /// Of the runtime that executes the networks.
        rules: Option<Rules>,
        /// Of one network.
        most: usize,
    },
}

/// The table of an encoder, as far as the plugin knows it; what it does not know is null.
fn whole_table(handle: &ComponentHandle) -> EncoderTable {
    let known = match handle.abi_minor {
        0 | 1 => offset_of!(EncoderTable, shape_of_operators),
        _ => size_of::<EncoderTable>(),
    };
    // SAFETY: the host admits encoders only with their table, of which a plugin of this version has that many bytes.
    unsafe { tables::whole(handle.component.encoder, known) }
}

// SAFETY: by the ABI's contract callbacks may be called from any thread, several at once; `destroy` needs `&mut`.
unsafe impl Send for EncoderInstance {}
// SAFETY: as above.
unsafe impl Sync for EncoderInstance {}

impl EncoderInstance {
    /// Prepares an encoder for a space.
    pub fn new(
        handle: &ComponentHandle,
        space: &SearchSpace,
        parameters: &serde_json::Value,
    ) -> Result<Self, PluginError> {
        handle.check_parameters(parameters)?;
        Self::create(handle, space, parameters)
    }

    /// The same, whatever its schema says of the parameters.
    pub(super) fn create(
        handle: &ComponentHandle,
        space: &SearchSpace,
        parameters: &serde_json::Value,
    ) -> Result<Self, PluginError> {
        debug_assert_eq!(handle.kind(), ComponentKind::Encoder);
        let table = whole_table(handle);
        let (space_json, parameters) = (space.to_json(), parameters.to_string());
        let mut instance = std::ptr::null_mut();
        // SAFETY: the texts outlive the call.
        call::watched(handle, |error| unsafe {
            let (space_json, parameters) = (Str::new(&space_json), Str::new(&parameters));
            (table.create)(space_json, space.row_len(), parameters, &mut instance, error)
        })?;
        let most = match table.encode_operators {
            Some(_) => networks::most_operators(space)?,
            None => 0,
        };
        let reads = match table.encode_operators {
            Some(_) => Reads::Operators {
                space: Box::new(space.clone()),
                rules: None,
                most,
            },
            None => Reads::Rows(space.row_len()),
        };
        // From here on it is destroyed, whatever its shape turns out to be.
        let mut made = Self {
            handle: handle.clone(),
            table,
            instance,
            shape: Shape { steps: 0, width: 0 },
            reads,
        };
        let Shape { steps, width } = &mut made.shape;
        // SAFETY: the instance was just made.
        call::watched(handle, |_| unsafe {
            match made.table.shape_of_operators {
                Some(of) => of(instance, most, steps, width),
                None => (made.table.shape)(instance, steps, width),
            }
        })?;
        Ok(made)
    }

    /// The same of networks as a runtime of these rules executes them, where it reads their operators.
    pub fn executed_by(mut self, rules: Option<&Rules>) -> Self {
        if let Reads::Operators { rules: by, .. } = &mut self.reads {
            *by = rules.cloned();
        }
        self
    }

    /// Whether it reads the operators of a network.
    pub(crate) fn reads_operators(&self) -> bool {
        matches!(self.reads, Reads::Operators { .. })
    }

    /// Shape of one encoded architecture.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Encodes architectures of the space.
    pub fn encode<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture>,
    ) -> Result<Matrix, PluginError> {
        let count = architectures.len();
        match &self.reads {
            Reads::Rows(_) => {
                let mut out = vec![0f32; count * self.shape.len()];
                let rows: Vec<u8> = architectures.flat_map(Architecture::row).copied().collect();
                self.encode_rows(&rows, &mut out)?;
                Ok(self.matrix(out, count))
            }
            Reads::Operators { .. } => self.encode_tables(&self.tables(architectures)?),
        }
    }

    /// Encodes rows of the space into zeros of their number times the shape: only of an encoder that reads rows.
    pub(super) fn encode_rows(&self, rows: &[u8], out: &mut [f32]) -> Result<(), PluginError> {
        let Reads::Rows(len) = self.reads else {
            unreachable!("it reads operators");
        };
        let count = rows.len() / len.max(1);
        assert_eq!(out.len(), count * self.shape.len(), "one shape for each row");
        // SAFETY: `rows` and `out` have the sizes that the contract asks for.
        call::watched(&self.handle, |error| unsafe {
            (self.table.encode)(self.instance, rows.as_ptr(), count, len, out.as_mut_ptr(), error)
        })
    }

    /// Encodes architectures of the space, and behind them networks that are given by their operators: only an encoder that reads these
    /// takes any. All have as many steps as the longest.
    pub(crate) fn encode_beside(
        &self,
        architectures: &[Architecture],
        networks: &[Vec<Operator>],
    ) -> Result<Matrix, PluginError> {
        if !self.reads_operators() {
            return self.encode(architectures.iter());
        }
        let mut tables = self.tables(architectures.iter())?;
        tables.extend(networks.iter().cloned());
        self.encode_tables(&tables)
    }

    /// Encodes networks that are given by their operators: only of an encoder that reads these. Each has as many steps as the longest, or as
    /// networks of the space were seen to have at most.
    fn encode_tables(&self, tables: &[Vec<Operator>]) -> Result<Matrix, PluginError> {
        let (data, shape) = self.encode_tables_into(tables, |values| Ok(vec![0f32; values]))?;
        let rows = tables.len();
        Ok(Matrix { data, rows, shape })
    }

    /// The same into zeros that `zeros` makes, so many.
    pub(super) fn encode_tables_into<B: DerefMut<Target = [f32]>>(
        &self,
        tables: &[Vec<Operator>],
        zeros: impl FnOnce(usize) -> Result<B, PluginError>,
    ) -> Result<(B, Shape), PluginError> {
        let Reads::Operators { most, .. } = self.reads else {
            unreachable!("it reads no operators");
        };
        let longest = tables.iter().map(Vec::len).max().unwrap_or(0).max(most);
        let shape = match longest == most {
            true => self.shape,
            false => self.shape_of(longest)?,
        };
        let mut data = zeros(tables.len() * shape.len())?;
        self.encode_networks(tables.iter(), longest, &mut data)?;
        Ok((data, shape))
    }

    /// The operators of the networks of some architectures: only of an encoder that reads these.
    pub(super) fn tables<'a>(
        &self,
        architectures: impl Iterator<Item = &'a Architecture>,
    ) -> Result<Vec<Vec<Operator>>, PluginError> {
        let Reads::Operators { space, rules, .. } = &self.reads else {
            unreachable!("it reads no operators");
        };
        let tables = architectures.map(|architecture| networks::executed(space, architecture, rules.as_ref()));
        Ok(tables.collect::<Result<Vec<_>, _>>()?)
    }

    /// Encodes parts of networks, each given by its operators: only of an encoder that reads these.
    pub(crate) fn encode_parts(
        &self,
        parts: impl ExactSizeIterator<Item = Vec<Operator>>,
    ) -> Result<Matrix, PluginError> {
        self.encode_tables(&parts.collect::<Vec<_>>())
    }

    /// Encodes a network that is given by its operators, however many: only of an encoder that reads these. Its matrix has as many
    /// steps as there are operators, or as networks of the space have at most.
    pub(crate) fn encode_network(&self, operators: &[Operator]) -> Result<Matrix, PluginError> {
        self.encode_beside(&[], &[operators.to_vec()])
    }

    /// The shape of a network of so many operators, or fewer.
    fn shape_of(&self, most: usize) -> Result<Shape, PluginError> {
        let mut shape = Shape { steps: 0, width: 0 };
        let of = self.table.shape_of_operators.expect("it reads operators");
        // SAFETY: the instance is alive.
        call::watched(&self.handle, |_| unsafe {
            of(self.instance, most, &mut shape.steps, &mut shape.width)
        })?;
        Ok(shape)
    }

    fn encode_networks<'a>(
        &self,
        networks: impl Iterator<Item = &'a Vec<Operator>>,
        most: usize,
        out: &mut [f32],
    ) -> Result<(), PluginError> {
        let (mut operators, mut ends) = (Vec::new(), Vec::new());
        for network in networks {
            operators.extend(network);
            ends.push(operators.len());
        }
        let encode = self.table.encode_operators.expect("it reads operators");
        // SAFETY: `operators` and `ends` tell the networks, and `out` has the size that the contract asks for.
        call::watched(&self.handle, |error| unsafe {
            let (operators, ends, count) = (operators.as_ptr(), ends.as_ptr(), ends.len());
            encode(self.instance, operators, ends, count, most, out.as_mut_ptr(), error)
        })
    }

    fn matrix(&self, data: Vec<f32>, rows: usize) -> Matrix {
        Matrix {
            data,
            rows,
            shape: self.shape,
        }
    }
}

impl Drop for EncoderInstance {
    fn drop(&mut self) {
        // What does not answer is not asked to clean up either: its memory is lost.
        if self.handle.admit().is_err() {
            return;
        }
        let _in_call = health::enter(&self.handle);
        // SAFETY: made by `create`, used no more.
        unsafe { (self.table.destroy)(self.instance) }
    }
}

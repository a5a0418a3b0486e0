//! Encoders behind a safe handle.

use std::ops::DerefMut;

use lglp_sdk::plugin::Shape;
use lglp_sdk::plugin::abi::Operator;
use lglp_sdk::{Architecture, SearchSpace};

use super::calls::{Call, Offer};
use super::fitted::Matrix;
use super::instance::Instance;
use super::{ComponentHandle, ComponentKind, PluginError};
use crate::networks::{self, Rules};

/// An encoder that is ready for one space.
pub struct EncoderInstance {
    instance: Instance,
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
        let (space_json, parameters) = (space.to_json(), parameters.to_string());
        let row_len = space.row_len();
        let inputs = [space_json.as_bytes(), parameters.as_bytes()];
        let instance = Instance::make(handle, Call::Create { row_len }, &inputs, &mut |_| true)?;
        let reads = match handle.offers(Offer::EncodeOperators) {
            true => Reads::Operators {
                space: Box::new(space.clone()),
                rules: None,
                most: networks::most_operators(space)?,
            },
            false => Reads::Rows(row_len),
        };
        let most = match &reads {
            Reads::Operators { most, .. } => Some(*most),
            Reads::Rows(_) => None,
        };
        let shape = shape(&instance, most)?;
        Ok(Self { instance, shape, reads })
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

    /// Whether it is called in a process of its plugin's own.
    pub fn runs_apart(&self) -> bool {
        self.instance.runs_apart()
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
                let mut out = vec![0f32; values_of(&self.instance, self.shape, count)?];
                let rows: Vec<u8> = architectures.flat_map(Architecture::row).copied().collect();
                self.encode_rows(&rows, &mut out)?;
                Ok(Matrix {
                    data: out,
                    rows: count,
                    shape: self.shape,
                })
            }
            Reads::Operators { .. } => self.encode_tables(&self.tables(architectures)?),
        }
    }

    /// Encodes rows of the space into zeros of their number times the shape: only of an encoder that reads rows.
    pub(super) fn encode_rows(&self, data: &[u8], out: &mut [f32]) -> Result<(), PluginError> {
        let Reads::Rows(row_len) = self.reads else {
            unreachable!("it reads operators");
        };
        let rows = data.len() / row_len.max(1);
        assert_eq!(out.len(), rows * self.shape.len(), "one shape for each row");
        let out = bytemuck::cast_slice_mut(out);
        self.instance
            .call(Call::Encode { rows, row_len }, &[data], &mut [out])
            .map(drop)
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
            false => shape(&self.instance, Some(longest))?,
        };
        let mut data = zeros(values_of(&self.instance, shape, tables.len())?)?;
        self.encode_networks(tables, longest, &mut data)?;
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

    fn encode_networks(&self, networks: &[Vec<Operator>], most: usize, out: &mut [f32]) -> Result<(), PluginError> {
        let (mut operators, mut ends) = (Vec::new(), Vec::<u64>::new());
        for network in networks {
            operators.extend(network);
            ends.push(operators.len() as u64);
        }
        let inputs = [bytes_of(&operators), bytemuck::cast_slice(&ends)];
        let out = bytemuck::cast_slice_mut(out);
        self.instance
            .call(Call::EncodeOperators { most }, &inputs, &mut [out])
            .map(drop)
    }
}

/// The shape of an architecture, or of a network of so many operators at most.
fn shape(instance: &Instance, operators: Option<usize>) -> Result<Shape, PluginError> {
    let told = instance.call(Call::Shape { operators }, &[], &mut [])?;
    let number = |at: usize| usize::try_from(told.number(at)).unwrap_or(usize::MAX);
    let shape = Shape {
        steps: number(0),
        width: number(1),
    };
    let values = shape.steps.checked_mul(shape.width);
    match values.filter(|values| *values <= MOST_VALUES) {
        Some(_) => Ok(shape),
        None => Err(instance.handle().failed(format!(
            "it encodes an architecture as {} times {} values; {MOST_VALUES} at most",
            shape.steps, shape.width
        ))),
    }
}

/// Values of one encoded architecture at most, and of a batch: memory for them is taken before the plugin writes any.
const MOST_VALUES: usize = 1 << 24;
const MOST_OF_A_BATCH: usize = 1 << 30;

/// Values of so many encoded architectures of a shape, which the plugin told.
fn values_of(instance: &Instance, shape: Shape, count: usize) -> Result<usize, PluginError> {
    let values = shape
        .len()
        .checked_mul(count)
        .filter(|values| *values <= MOST_OF_A_BATCH);
    values.ok_or_else(|| {
        instance.handle().failed(format!(
            "{count} architectures of {} times {} values are too many at once; {MOST_OF_A_BATCH} values at most",
            shape.steps, shape.width
        ))
    })
}

fn bytes_of(operators: &[Operator]) -> &[u8] {
    // SAFETY: a C structure of twelve numbers of 32 bits and three of 64, without room between them.
    unsafe { std::slice::from_raw_parts(operators.as_ptr().cast(), size_of_val(operators)) }
}

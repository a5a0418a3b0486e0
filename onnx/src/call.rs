//! A node with what is known of its inputs.

use crate::fact::{Fact, Literal};
use crate::messages::{AttributeProto, NodeProto};

/// A node with what is known of its inputs.
pub(crate) struct Call<'a> {
    pub node: &'a NodeProto,
    /// `None` for an input that is left out.
    pub inputs: Vec<Option<&'a Fact>>,
}

impl<'a> Call<'a> {
    pub(crate) fn op(&self) -> &'a str {
        &self.node.op_type
    }

    /// An input that must be there.
    pub(crate) fn input(&self, at: usize) -> Result<&'a Fact, String> {
        self.optional(at).ok_or_else(|| format!("its input {at} is missing"))
    }

    /// An input that may be left out.
    pub(crate) fn optional(&self, at: usize) -> Option<&'a Fact> {
        self.inputs.get(at).copied().flatten()
    }

    /// The shape of an input that must be there.
    pub(crate) fn shape(&self, at: usize) -> Result<&'a [u64], String> {
        self.input(at).map(|fact| fact.shape.as_slice())
    }

    /// The whole numbers that an input holds.
    pub(crate) fn numbers(&self, at: usize) -> Result<&'a [i64], String> {
        match self.input(at)?.literal() {
            Some(Literal::Ints(values)) => Ok(values),
            _ => Err(format!("its input {at} is not known before the network runs")),
        }
    }

    /// The whole numbers of an attribute of older opsets, or of the input that took its place; `None` where there is neither.
    pub(crate) fn ints_or_numbers(&self, name: &str, at: usize) -> Result<Option<&'a [i64]>, String> {
        match self.ints(name) {
            Some(values) => Ok(Some(values)),
            None if self.optional(at).is_some() => self.numbers(at).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&'a AttributeProto> {
        self.node.attribute.iter().find(|attribute| attribute.name == name)
    }

    pub(crate) fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |attribute| attribute.i)
    }

    pub(crate) fn ints(&self, name: &str) -> Option<&'a [i64]> {
        self.attribute(name).map(|attribute| attribute.ints.as_slice())
    }

    pub(crate) fn text(&self, name: &str) -> &'a str {
        let text = self.attribute(name).map(|attribute| attribute.s.as_slice());
        std::str::from_utf8(text.unwrap_or_default()).unwrap_or_default()
    }
}

/// The dimension that an axis names, which counts from the end where it is negative.
pub(crate) fn dimension(axis: i64, rank: usize) -> Result<usize, String> {
    let from = if axis < 0 {
        axis.checked_add(rank as i64)
    } else {
        Some(axis)
    };
    from.and_then(|at| usize::try_from(at).ok())
        .filter(|at| *at < rank)
        .ok_or_else(|| format!("axis {axis} of {rank} dimensions"))
}

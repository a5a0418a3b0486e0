//! Consistency of a space: every mistake of its author is reported with the field at fault.

use super::{Block, ChainSpace, Op};
use crate::space::SpaceError;
use crate::space::check::{MAX_SLOTS, check_name, choice_list, ensure};

impl ChainSpace {
    /// Checks that choices, blocks and constraints fit together.
    pub(in crate::space) fn check(&self) -> Result<(), SpaceError> {
        check_name(&self.name)?;
        let c = &self.choices;
        choice_list("resolution", &c.resolution)?;
        choice_list("kernel", &c.kernel)?;
        choice_list("expansion", &c.expansion)?;
        choice_list("stride", &c.stride)?;
        choice_list("se", &c.se)?;
        choice_list("shortcut", &c.shortcut)?;
        choice_list("width", &c.width)?;
        for (name, values) in [
            ("resolution", &c.resolution),
            ("expansion", &c.expansion),
            ("stride", &c.stride),
            ("width", &c.width),
        ] {
            ensure(!values.contains(&0), || {
                format!("choices.{name} holds 0; it starts at 1")
            })?;
        }
        ensure(c.kernel.iter().all(|k| k % 2 == 1), || {
            format!("choices.kernel {:?} must be odd numbers", c.kernel)
        })?;
        ensure(c.stride.contains(&1), || {
            "choices.stride must hold 1, the stride of every layer but a block's first".into()
        })?;
        ensure(!self.blocks.is_empty(), || "blocks is empty".into())?;
        for (i, block) in self.blocks.iter().enumerate() {
            self.check_block(i + 1, block)?;
        }
        let first_without = |block: &Block| {
            block
                .stride
                .iter()
                .any(|stride| !block.shape_allows_shortcut(0, *stride))
        };
        ensure(
            c.shortcut.contains(&false) || !self.blocks.iter().any(first_without),
            || {
                "choices.shortcut must hold false, that of every layer whose stride or channels allow no identity connection".into()
            },
        )?;
        let slots = self.blocks.iter().map(|block| block.slots() as u64).sum::<u64>();
        ensure(slots <= MAX_SLOTS as u64, || {
            format!("the deepest architecture has {slots} layers; allowed: {MAX_SLOTS}")
        })?;
        for pair in self.blocks.windows(2) {
            ensure(pair[0].channels.1 == pair[1].channels.0, || {
                format!(
                    "a block of {} channels is followed by one that takes {}",
                    pair[0].channels.1, pair[1].channels.0
                )
            })?;
        }
        for (i, k) in self.constraints.iter().enumerate() {
            let (first, last) = k.blocks;
            ensure(1 <= first && first <= last && last <= self.blocks.len(), || {
                format!(
                    "constraints[{i}].blocks {:?} must lie within 1..{}",
                    k.blocks,
                    self.blocks.len()
                )
            })?;
            ensure(c.stride.contains(&k.value), || {
                format!(
                    "constraints[{i}].value {} is not among the choices {:?}",
                    k.value, c.stride
                )
            })?;
        }
        // The defaults are a way to keep the constraints, so there is one: samplers draw until they have found it.
        let strides: Vec<u32> = self.blocks.iter().map(Block::default_stride).collect();
        for (i, k) in self.constraints.iter().enumerate() {
            ensure(k.admits(&strides), || {
                format!("constraints[{i}] is broken by the default strides of the blocks, {strides:?}")
            })?;
        }
        self.check_network()
    }

    fn check_network(&self) -> Result<(), SpaceError> {
        let network = &self.network;
        ensure(network.classes >= 1, || "network.classes must be 1 or more".into())?;
        for (part, ops) in [("stem", &network.stem), ("head", &network.head)] {
            for (i, op) in ops.iter().enumerate() {
                let (kernel, stride, channels) = match *op {
                    Op::Conv {
                        kernel,
                        stride,
                        channels,
                        ..
                    } => (kernel, stride, channels),
                    Op::InvertedResidual { kernel, channels, .. } => (kernel, 1, channels),
                    Op::GlobalAveragePool => continue,
                };
                ensure(kernel % 2 == 1 && stride >= 1 && channels >= 1, || {
                    format!("network.{part}[{i}] needs an odd kernel, and a stride and channels of 1 or more")
                })?;
            }
        }
        Ok(())
    }

    fn check_block(&self, number: usize, block: &Block) -> Result<(), SpaceError> {
        let at = |field: &str| format!("block {number}, {field}");
        let c = &self.choices;
        subset(&at("stride"), &block.stride, &c.stride)?;
        subset(&at("se"), &block.se, &c.se)?;
        subset(&at("shortcut"), &block.shortcut, &c.shortcut)?;
        subset(&at("channels"), &[block.channels.0, block.channels.1], &c.width)?;
        subset(
            &at("default.stride"),
            block.default.stride.as_slice_or(&block.stride),
            &block.stride,
        )?;
        subset(&at("default.se"), block.default.se.as_slice_or(&block.se), &block.se)?;
        subset(
            &at("default.shortcut"),
            block.default.shortcut.as_slice_or(&block.shortcut),
            &block.shortcut,
        )?;
        choice_list(&at("depth"), &block.depth)?;
        ensure(block.depth.iter().all(|d| *d >= 1), || {
            format!("{} must be 1 or more", at("depth"))
        })
    }
}

/// One value as a slice, or the fallback where there is none.
trait AsSliceOr<T> {
    fn as_slice_or<'a>(&'a self, fallback: &'a [T]) -> &'a [T];
}

impl<T> AsSliceOr<T> for Option<T> {
    fn as_slice_or<'a>(&'a self, fallback: &'a [T]) -> &'a [T] {
        self.as_ref().map_or(fallback, std::slice::from_ref)
    }
}

fn subset<T: PartialEq + std::fmt::Debug>(name: &str, values: &[T], all: &[T]) -> Result<(), SpaceError> {
    ensure(!values.is_empty(), || format!("{name} is empty"))?;
    for v in values {
        ensure(all.contains(v), || {
            format!("{name} is {v:?}, which is not among the choices {all:?}")
        })?;
    }
    Ok(())
}

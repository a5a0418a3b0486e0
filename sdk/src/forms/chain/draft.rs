//! An architecture as values, not yet known to belong to its space.

use super::super::ArchitectureError;
use super::super::fields::listed;
use crate::architecture::Architecture;
use crate::space::{ChainSpace, ConstrainedAttribute, LayerChoice, RowBuilder};

pub(super) struct Draft {
    pub resolution: u32,
    pub blocks: Vec<DraftBlock>,
}

pub(super) struct DraftBlock {
    pub stride: u32,
    pub se: bool,
    pub layers: Vec<DraftLayer>,
}

pub(super) struct DraftLayer {
    pub kernel: u32,
    pub expansion: u32,
    /// `None`: not written; the default of the block, where the shape allows it.
    pub shortcut: Option<bool>,
}

/// Where the values of a draft stood in the form that it was read from, as JSON pointers.
pub(super) trait Places {
    fn resolution(&self) -> String;
    fn blocks(&self) -> String;
    fn block(&self, block: usize, attribute: &str) -> String;
    fn layer(&self, block: usize, layer: usize, attribute: &str) -> String;
}

/// Checks a draft against its space and makes it an architecture.
pub(super) fn finish(
    space: &ChainSpace,
    draft: &Draft,
    places: &dyn Places,
) -> Result<Architecture, ArchitectureError> {
    one_of("resolution", draft.resolution, &space.choices.resolution, || {
        places.resolution()
    })?;
    let mut row = RowBuilder::new(space, draft.resolution);
    for (b, (block, spec)) in draft.blocks.iter().zip(&space.blocks).enumerate() {
        one_of("depth", block.layers.len() as u32, &spec.depth, || {
            places.block(b, "layers")
        })?;
        one_of("stride", block.stride, &spec.stride, || places.block(b, "stride"))?;
        one_of("se", block.se, &spec.se, || places.block(b, "se"))?;
        for (l, layer) in block.layers.iter().enumerate() {
            let at = |attribute| places.layer(b, l, attribute);
            one_of("kernel", layer.kernel, &space.choices.kernel, || at("kernel"))?;
            one_of("expansion", layer.expansion, &space.choices.expansion, || {
                at("expansion")
            })?;
            let stride = if l == 0 { block.stride } else { 1 };
            let fits = spec.shape_allows_shortcut(l, stride);
            let shortcut = layer.shortcut.unwrap_or(fits && spec.default_shortcut());
            if shortcut && !fits {
                return Err(ArchitectureError::new(
                    at("shortcut"),
                    "a shortcut needs stride 1 and equal channels in and out, which this layer has not; allowed: false",
                ));
            }
            if fits {
                one_of("shortcut", shortcut, &spec.shortcut, || at("shortcut"))?;
            }
            row.layer(
                b,
                l,
                LayerChoice {
                    kernel: layer.kernel,
                    expansion: layer.expansion,
                    stride,
                    se: block.se,
                    shortcut,
                },
            );
        }
    }
    check_constraints(space, draft, places)?;
    Ok(row.finish())
}

fn check_constraints(space: &ChainSpace, draft: &Draft, places: &dyn Places) -> Result<(), ArchitectureError> {
    for rule in &space.constraints {
        let ConstrainedAttribute::Stride = rule.attribute;
        let strides: Vec<u32> = draft.blocks.iter().map(|b| b.stride).collect();
        if !rule.admits(&strides) {
            let wanted = match (rule.at_least, rule.at_most) {
                (Some(least), Some(most)) if least == most => format!("exactly {least}"),
                (Some(least), Some(most)) => format!("{least} to {most}"),
                (Some(least), None) => format!("at least {least}"),
                (None, Some(most)) => format!("at most {most}"),
                (None, None) => continue,
            };
            return Err(ArchitectureError::new(
                places.blocks(),
                format!(
                    "{} of the blocks {} to {} have stride {}; the space `{}` wants {wanted}",
                    rule.count(&strides),
                    rule.blocks.0,
                    rule.blocks.1,
                    rule.value,
                    space.name
                ),
            ));
        }
    }
    Ok(())
}

fn one_of<T: PartialEq + std::fmt::Debug + Copy>(
    name: &str,
    value: T,
    allowed: &[T],
    place: impl FnOnce() -> String,
) -> Result<(), ArchitectureError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(ArchitectureError::new(
        place(),
        format!(
            "{name} is {value:?}; allowed: {}",
            listed(allowed.iter().map(|value| format!("{value:?}")))
        ),
    ))
}

/// The values of an architecture.
pub(super) fn of(space: &ChainSpace, architecture: &Architecture) -> Draft {
    let mut blocks: Vec<DraftBlock> = Vec::with_capacity(space.blocks.len());
    for layer in space.layers(architecture) {
        if layer.block == blocks.len() {
            blocks.push(DraftBlock {
                stride: layer.stride,
                se: layer.se,
                layers: Vec::new(),
            });
        }
        blocks[layer.block].layers.push(DraftLayer {
            kernel: layer.kernel,
            expansion: layer.expansion,
            shortcut: Some(layer.shortcut),
        });
    }
    Draft {
        resolution: space.resolution(architecture),
        blocks,
    }
}

/// The places of the readable form; rows borrow them, having no fields of their own to point to.
pub(super) struct ReadablePlaces;

impl Places for ReadablePlaces {
    fn resolution(&self) -> String {
        "/resolution".into()
    }
    fn blocks(&self) -> String {
        "/blocks".into()
    }
    fn block(&self, block: usize, attribute: &str) -> String {
        format!("/blocks/{block}/{attribute}")
    }
    fn layer(&self, block: usize, layer: usize, attribute: &str) -> String {
        format!("/blocks/{block}/layers/{layer}/{attribute}")
    }
}

//! The readable form: `{"resolution": 320, "blocks": [{"stride": 2, "se": true, "layers": [{"kernel": 3, ...}]}]}`.
//!
//! Attributes with a single choice in their block may be left out.

use std::fmt;

use serde_json::{Value, json};

use super::super::ArchitectureError;
use super::super::fields::{Allowed, Fields, array, boolean, object, only, required, whole_number};
use super::draft::{self, Draft, DraftBlock, DraftLayer, ReadablePlaces};
use crate::architecture::Architecture;
use crate::space::{Block, ChainSpace};

pub(in crate::forms) fn read(space: &ChainSpace, fields: &Fields) -> Result<Architecture, ArchitectureError> {
    only(fields, &["resolution", "blocks"], "")?;
    let expected = Allowed(&space.choices.resolution);
    let resolution = whole_number(required(fields, "resolution", "", expected)?, "/resolution", expected)?;
    let count = space.blocks.len();
    let blocks = array(
        required(fields, "blocks", "", format_args!("an array of {count} blocks"))?,
        "/blocks",
    )?;
    if blocks.len() != count {
        let message = format!("{} blocks; the space `{}` has {count}", blocks.len(), space.name);
        return Err(ArchitectureError::new("/blocks", message));
    }
    let blocks = blocks
        .iter()
        .zip(&space.blocks)
        .enumerate()
        .map(|(b, (value, spec))| read_block(space, spec, value, format_args!("/blocks/{b}")))
        .collect::<Result<_, _>>()?;
    draft::finish(space, &Draft { resolution, blocks }, &ReadablePlaces)
}

fn read_block(
    space: &ChainSpace,
    spec: &Block,
    value: &Value,
    at: fmt::Arguments<'_>,
) -> Result<DraftBlock, ArchitectureError> {
    let fields = object(value, at)?;
    only(fields, &["stride", "se", "layers"], at)?;
    let stride = match fields.get("stride") {
        None if spec.stride.len() == 1 => spec.default_stride(),
        _ => {
            let expected = Allowed(&spec.stride);
            whole_number(
                required(fields, "stride", at, expected)?,
                format_args!("{at}/stride"),
                expected,
            )?
        }
    };
    let se = match fields.get("se") {
        None if spec.se.len() == 1 => spec.default_se(),
        _ => boolean(required(fields, "se", at, Allowed(&spec.se))?, format_args!("{at}/se"))?,
    };
    let layers = array(
        required(
            fields,
            "layers",
            at,
            format_args!("an array of layers, depth {}", Allowed(&spec.depth)),
        )?,
        format_args!("{at}/layers"),
    )?;
    let layers = layers
        .iter()
        .enumerate()
        .map(|(l, value)| read_layer(space, spec, l, stride, value, format_args!("{at}/layers/{l}")))
        .collect::<Result<_, _>>()?;
    Ok(DraftBlock { stride, se, layers })
}

fn read_layer(
    space: &ChainSpace,
    spec: &Block,
    layer: usize,
    block_stride: u32,
    value: &Value,
    at: fmt::Arguments<'_>,
) -> Result<DraftLayer, ArchitectureError> {
    let fields = object(value, at)?;
    only(fields, &["kernel", "expansion", "shortcut"], at)?;
    let number = |name: &str, choices: &[u32]| {
        let expected = Allowed(choices);
        whole_number(
            required(fields, name, at, expected)?,
            format_args!("{at}/{name}"),
            expected,
        )
    };
    let kernel = number("kernel", &space.choices.kernel)?;
    let expansion = number("expansion", &space.choices.expansion)?;
    let stride = if layer == 0 { block_stride } else { 1 };
    let to_choose = spec.shape_allows_shortcut(layer, stride) && spec.shortcut.len() > 1;
    let shortcut = match fields.get("shortcut") {
        None if !to_choose => None,
        _ => {
            let value = required(fields, "shortcut", at, Allowed(&spec.shortcut))?;
            Some(boolean(value, format_args!("{at}/shortcut"))?)
        }
    };
    Ok(DraftLayer {
        kernel,
        expansion,
        shortcut,
    })
}

pub(in crate::forms) fn write(space: &ChainSpace, architecture: &Architecture) -> Value {
    let draft = draft::of(space, architecture);
    let blocks: Vec<Value> = draft.blocks.iter().map(write_block).collect();
    json!({ "resolution": draft.resolution, "blocks": blocks })
}

fn write_block(block: &DraftBlock) -> Value {
    let layers: Vec<Value> = block
        .layers
        .iter()
        .map(|l| json!({ "kernel": l.kernel, "expansion": l.expansion, "shortcut": l.shortcut }))
        .collect();
    json!({ "stride": block.stride, "se": block.se, "layers": layers })
}

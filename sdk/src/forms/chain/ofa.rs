//! The form of Once-for-All: `{"r": [224], "d": [...], "ks": [...], "e": [...]}`.
//!
//! `d` holds one depth per block; `ks` and `e` one value for each layer slot, those past a block's depth being ignored, whatever they are.
//! The resolution is also called `image_size`. Stride, squeeze-and-excitation and shortcuts, which the form does not write, take the
//! defaults of the space.

use serde_json::Value;

use super::super::ArchitectureError;
use super::super::fields::{Allowed, Fields, array, only, required, whole_number};
use super::draft::{self, Draft, DraftBlock, DraftLayer, Places};
use crate::Excerpt;
use crate::architecture::Architecture;
use crate::space::ChainSpace;

/// Fields that the readable form has not.
pub(in crate::forms) const OWN: [&str; 5] = ["r", "image_size", "d", "ks", "e"];

pub(in crate::forms) fn read(space: &ChainSpace, fields: &Fields) -> Result<Architecture, ArchitectureError> {
    only(fields, &["r", "image_size", "d", "ks", "e", "wid"], "")?;
    no_width(fields.get("wid"))?;
    let (resolution, place) = resolution(space, fields)?;
    let depths = list(fields, "d", space.blocks.len(), "depths, one per block")?;
    let kernels = list(fields, "ks", space.slots(), "kernels, one per layer slot")?;
    let expansions = list(fields, "e", space.slots(), "expansions, one per layer slot")?;
    let mut blocks = Vec::with_capacity(space.blocks.len());
    for (b, spec) in space.blocks.iter().enumerate() {
        let expected = Allowed(&spec.depth);
        let depth = whole_number(&depths[b], format_args!("/d/{b}"), expected)?;
        if !spec.depth.contains(&depth) {
            let message = format!("depth is {depth}; {expected}");
            return Err(ArchitectureError::new(format!("/d/{b}"), message));
        }
        let first = space.first_slot(b);
        let layer = |slot: usize| {
            let kernel = whole_number(
                &kernels[slot],
                format_args!("/ks/{slot}"),
                Allowed(&space.choices.kernel),
            );
            let expansion = whole_number(
                &expansions[slot],
                format_args!("/e/{slot}"),
                Allowed(&space.choices.expansion),
            );
            Ok(DraftLayer {
                kernel: kernel?,
                expansion: expansion?,
                shortcut: None,
            })
        };
        blocks.push(DraftBlock {
            stride: spec.default_stride(),
            se: spec.default_se(),
            layers: (first..first + depth as usize).map(layer).collect::<Result<_, _>>()?,
        });
    }
    draft::finish(
        space,
        &Draft { resolution, blocks },
        &OfaPlaces {
            space,
            resolution: place,
        },
    )
}

/// Once-for-All's own sampler writes `wid`, and null there, or a list of that.
fn no_width(wid: Option<&Value>) -> Result<(), ArchitectureError> {
    let Some(wid) = wid else { return Ok(()) };
    let is_none = wid.is_null() || wid.as_array().is_some_and(|list| list.iter().all(Value::is_null));
    if is_none {
        return Ok(());
    }
    let message = format!("{}: widths are fixed by the space; allowed: null", Excerpt::of(wid));
    Err(ArchitectureError::new("/wid", message))
}

/// The resolution, and its place.
fn resolution(space: &ChainSpace, fields: &Fields) -> Result<(u32, String), ArchitectureError> {
    let name = if fields.contains_key("image_size") {
        "image_size"
    } else {
        "r"
    };
    if name == "image_size" && fields.contains_key("r") {
        let message = "`image_size` is another name of `r`, which is given, too; leave one of them out";
        return Err(ArchitectureError::new("/image_size", message));
    }
    let expected = Allowed(&space.choices.resolution);
    let (value, place) = match required(fields, name, "", expected)? {
        Value::Array(values) => match values.as_slice() {
            [only] => (only, format!("/{name}/0")),
            _ => {
                let message = format!("{} values; expected one resolution", values.len());
                return Err(ArchitectureError::new(format!("/{name}"), message));
            }
        },
        value => (value, format!("/{name}")),
    };
    Ok((whole_number(value, &place, expected)?, place))
}

/// A list of so many values.
fn list<'a>(fields: &'a Fields, name: &str, count: usize, what: &str) -> Result<&'a [Value], ArchitectureError> {
    let at = format!("/{name}");
    let expected = format!("expected {count} {what}");
    let values = array(required(fields, name, "", &expected)?, &at)?;
    if values.len() != count {
        let message = format!("{} values; {expected}", values.len());
        return Err(ArchitectureError::new(at, message));
    }
    Ok(values)
}

struct OfaPlaces<'a> {
    space: &'a ChainSpace,
    resolution: String,
}

impl Places for OfaPlaces<'_> {
    fn resolution(&self) -> String {
        self.resolution.clone()
    }
    fn blocks(&self) -> String {
        String::new()
    }
    fn block(&self, block: usize, _: &str) -> String {
        format!("/d/{block}")
    }
    fn layer(&self, block: usize, layer: usize, attribute: &str) -> String {
        let list = if attribute == "kernel" { "ks" } else { "e" };
        format!("/{list}/{}", self.space.first_slot(block) + layer)
    }
}

//! The form of Once-for-All: `{"r": [224], "d": [...], "ks": [...], "e": [...]}`.
//!
//! `d` holds one depth per block; `ks` and `e` one value for each layer slot, those past a block's depth being ignored.
//! Stride, squeeze-and-excitation and shortcuts, which the form does not write, take the defaults of the space.

use serde_json::Value;

use super::ArchitectureError;
use super::draft::{self, Draft, DraftBlock, DraftLayer, Places};
use super::fields::{Fields, allowed, array, only, required, whole_number};
use crate::Excerpt;
use crate::architecture::Architecture;
use crate::space::SearchSpace;

pub(super) fn read(space: &SearchSpace, fields: &Fields) -> Result<Architecture, ArchitectureError> {
    // `wid` is written by Once-for-All's own sampler, and null there.
    only(fields, &["r", "d", "ks", "e", "wid"], "")?;
    if let Some(wid) = fields.get("wid").filter(|w| !w.is_null()) {
        return Err(ArchitectureError::new(
            "/wid",
            format!("{}: widths are fixed by the space; allowed: null", Excerpt::of(wid)),
        ));
    }
    let expected = allowed(&space.choices.resolution);
    let resolution = match required(fields, "r", "", &expected)? {
        Value::Array(values) if values.len() == 1 => whole_number(&values[0], "/r/0".into(), &expected)?,
        Value::Array(values) => {
            return Err(ArchitectureError::new(
                "/r",
                format!("{} values; expected one resolution", values.len()),
            ));
        }
        value => whole_number(value, "/r".into(), &expected)?,
    };
    let depths = numbers(fields, "d", space.blocks.len(), "depths, one per block")?;
    let kernels = numbers(fields, "ks", space.slots(), "kernels, one per layer slot")?;
    let expansions = numbers(fields, "e", space.slots(), "expansions, one per layer slot")?;
    let mut blocks = Vec::with_capacity(space.blocks.len());
    for (b, spec) in space.blocks.iter().enumerate() {
        if !spec.depth.contains(&depths[b]) {
            let message = format!("depth is {}; {}", depths[b], allowed(&spec.depth));
            return Err(ArchitectureError::new(format!("/d/{b}"), message));
        }
        let first = space.first_slot(b);
        let layers = (first..first + depths[b] as usize)
            .map(|slot| DraftLayer {
                kernel: kernels[slot],
                expansion: expansions[slot],
                shortcut: None,
            })
            .collect();
        blocks.push(DraftBlock {
            stride: spec.default_stride(),
            se: spec.default_se(),
            layers,
        });
    }
    draft::finish(space, &Draft { resolution, blocks }, &OfaPlaces { space, fields })
}

fn numbers(fields: &Fields, name: &str, count: usize, what: &str) -> Result<Vec<u32>, ArchitectureError> {
    let at = format!("/{name}");
    let expected = format!("expected {count} {what}");
    let values = array(required(fields, name, "", &expected)?, &at)?;
    if values.len() != count {
        return Err(ArchitectureError::new(
            at,
            format!("{} values; {expected}", values.len()),
        ));
    }
    let number = |(i, value)| whole_number(value, format!("{at}/{i}"), &expected);
    values.iter().enumerate().map(number).collect()
}

struct OfaPlaces<'a> {
    space: &'a SearchSpace,
    fields: &'a Fields,
}

impl Places for OfaPlaces<'_> {
    fn resolution(&self) -> String {
        if self.fields["r"].is_array() {
            "/r/0".into()
        } else {
            "/r".into()
        }
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

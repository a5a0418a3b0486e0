//! Chains read straight from the text of JSON into their row, as most are written. Whatever is not as it mostly is, a fault above all, is
//! left to the readers that tell its place: what is read here they read as the same.

use crate::architecture::Architecture;
use crate::plain_json::{Scanner, once};
use crate::space::{Block, COLUMNS_PER_LAYER, ChainSpace, index_of};

/// Columns of a layer's cells.
const KERNEL: usize = 0;
const EXPANSION: usize = 1;
const STRIDE: usize = 2;
const SE: usize = 3;
const SHORTCUT: usize = 4;

/// `None` where it is for another reader.
pub(in crate::forms) fn read(space: &ChainSpace, text: &[u8]) -> Option<Architecture> {
    let mut row = vec![0; space.row_len()];
    let mut strides = Vec::with_capacity(space.blocks.len());
    let mut scanner = Scanner::new(text);
    let (mut resolution, mut lists) = (None, Lists::default());
    let mut has_blocks = false;
    scanner.object(|scanner, name| match name {
        b"resolution" | b"image_size" | b"r" => once(&mut resolution, (name, self::resolution(scanner, name)?)),
        b"blocks" if !has_blocks => {
            has_blocks = true;
            let mut cells = &mut row[1..];
            let blocks = scanner.array(|scanner, at| {
                let spec = space.blocks.get(at)?;
                let (own, rest) = std::mem::take(&mut cells).split_at_mut(spec.slots() * COLUMNS_PER_LAYER);
                cells = rest;
                strides.push(block(scanner, space, spec, own)?);
                Some(())
            })?;
            (blocks == space.blocks.len()).then_some(())
        }
        _ => lists.field(scanner, name),
    })?;
    scanner.end()?;
    let (name, resolution) = resolution?;
    row[0] = index_of(&space.choices.resolution, resolution)?;
    match (has_blocks, name) {
        (true, b"resolution") if lists.is_empty() => {}
        (false, b"image_size" | b"r") => lists.fill(space, &mut row[1..], &mut strides)?,
        _ => return None,
    }
    space.admits(&strides).then(|| Architecture::unchecked(&row))
}

/// A resolution; that of Once-for-All may be the only one of a list.
fn resolution(scanner: &mut Scanner<'_>, name: &[u8]) -> Option<u32> {
    if scanner.peek()? != b'[' || name == b"resolution" {
        return scanner.number();
    }
    let mut only = None;
    scanner.array(|scanner, _| once(&mut only, scanner.number()?))?;
    only
}

/// A block of the readable form, into the cells of its layers; its stride.
fn block(scanner: &mut Scanner<'_>, space: &ChainSpace, spec: &Block, cells: &mut [u8]) -> Option<u32> {
    let (mut stride, mut se, mut depth) = (None, None, None);
    scanner.object(|scanner, name| match name {
        b"stride" => once(&mut stride, scanner.number()?),
        b"se" => once(&mut se, scanner.boolean()?),
        b"layers" => {
            let layers = scanner.array(|scanner, at| {
                let cells = cells.get_mut(at * COLUMNS_PER_LAYER..)?;
                layer(scanner, space, cells.first_chunk_mut()?)
            })?;
            once(&mut depth, layers)
        }
        _ => None,
    })?;
    let stride = stride.or_else(|| (spec.stride.len() == 1).then(|| spec.default_stride()))?;
    let se = se.or_else(|| (spec.se.len() == 1).then(|| spec.default_se()))?;
    let layers = &mut cells[..depth? * COLUMNS_PER_LAYER];
    let is_left_out = |(at, cells): (usize, &[u8])| {
        let stride = if at == 0 { stride } else { 1 };
        cells[SHORTCUT] == 0 && spec.shortcut.len() > 1 && spec.shape_allows_shortcut(at, stride)
    };
    if layers.chunks_exact(COLUMNS_PER_LAYER).enumerate().any(is_left_out) {
        return None;
    }
    finish(space, spec, (stride, se), layers)?;
    Some(stride)
}

/// A layer of the readable form: its kernel and expansion, and its shortcut where it is written.
fn layer(scanner: &mut Scanner<'_>, space: &ChainSpace, cells: &mut [u8; COLUMNS_PER_LAYER]) -> Option<()> {
    let choices = &space.choices;
    let (mut kernel, mut expansion, mut shortcut) = (None, None, None);
    scanner.object(|scanner, name| match name {
        b"kernel" => once(&mut kernel, index_of(&choices.kernel, scanner.number()?)?),
        b"expansion" => once(&mut expansion, index_of(&choices.expansion, scanner.number()?)?),
        b"shortcut" => once(&mut shortcut, index_of(&choices.shortcut, scanner.boolean()?)?),
        _ => None,
    })?;
    *cells = [kernel?, expansion?, 0, 0, shortcut.unwrap_or_default()];
    Some(())
}

/// Checks the layers of a block, which have their kernels and expansions, and shortcuts where they are written, and adds the rest.
fn finish(space: &ChainSpace, spec: &Block, (stride, se): (u32, bool), layers: &mut [u8]) -> Option<()> {
    let choices = &space.choices;
    let depth = (layers.len() / COLUMNS_PER_LAYER) as u32;
    if !spec.depth.contains(&depth) || !spec.stride.contains(&stride) || !spec.se.contains(&se) {
        return None;
    }
    let (first, later) = (index_of(&choices.stride, stride)?, index_of(&choices.stride, 1)?);
    let se = index_of(&choices.se, se)?;
    for (at, cells) in layers.chunks_exact_mut(COLUMNS_PER_LAYER).enumerate() {
        let (stride, index) = if at == 0 { (stride, first) } else { (1, later) };
        let fits = spec.shape_allows_shortcut(at, stride);
        let shortcut = match cells[SHORTCUT] {
            0 => fits && spec.default_shortcut(),
            written => choices.shortcut[usize::from(written) - 1],
        };
        if (shortcut && !fits) || (fits && !spec.shortcut.contains(&shortcut)) {
            return None;
        }
        cells[STRIDE] = index;
        cells[SE] = se;
        cells[SHORTCUT] = index_of(&choices.shortcut, shortcut)?;
    }
    Some(())
}

/// The lists of Once-for-All.
#[derive(Default)]
struct Lists {
    depths: Option<Vec<u32>>,
    kernels: Option<Vec<u32>>,
    expansions: Option<Vec<u32>>,
    width: Option<()>,
}

impl Lists {
    fn field(&mut self, scanner: &mut Scanner<'_>, name: &[u8]) -> Option<()> {
        let list = match name {
            b"d" => &mut self.depths,
            b"ks" => &mut self.kernels,
            b"e" => &mut self.expansions,
            b"wid" => return once(&mut self.width, no_width(scanner)?),
            _ => return None,
        };
        let mut values = Vec::new();
        scanner.array(|scanner, _| {
            values.push(scanner.number()?);
            Some(())
        })?;
        once(list, values)
    }

    fn is_empty(&self) -> bool {
        self.depths.is_none() && self.kernels.is_none() && self.expansions.is_none() && self.width.is_none()
    }

    /// Fills the cells of all layers, and the strides of all blocks.
    fn fill(&self, space: &ChainSpace, mut cells: &mut [u8], strides: &mut Vec<u32>) -> Option<()> {
        let (depths, kernels, expansions) = (self.depths.as_ref()?, self.kernels.as_ref()?, self.expansions.as_ref()?);
        let slots = cells.len() / COLUMNS_PER_LAYER;
        if depths.len() != space.blocks.len() || kernels.len() != slots || expansions.len() != slots {
            return None;
        }
        let mut written = kernels.iter().zip(expansions);
        for (spec, depth) in space.blocks.iter().zip(depths) {
            let (own, rest) = std::mem::take(&mut cells).split_at_mut(spec.slots() * COLUMNS_PER_LAYER);
            cells = rest;
            // Values past the depth mean nothing.
            let written: Vec<_> = written.by_ref().take(spec.slots()).collect();
            let layers = own.get_mut(..*depth as usize * COLUMNS_PER_LAYER)?;
            for (cells, (kernel, expansion)) in layers.chunks_exact_mut(COLUMNS_PER_LAYER).zip(written) {
                cells[KERNEL] = index_of(&space.choices.kernel, *kernel)?;
                cells[EXPANSION] = index_of(&space.choices.expansion, *expansion)?;
            }
            let stride = spec.default_stride();
            finish(space, spec, (stride, spec.default_se()), layers)?;
            strides.push(stride);
        }
        Some(())
    }
}

/// Null, or a list of that.
fn no_width(scanner: &mut Scanner<'_>) -> Option<()> {
    match scanner.peek()? {
        b'[' => scanner.array(|scanner, _| scanner.null()).map(drop),
        _ => scanner.null(),
    }
}

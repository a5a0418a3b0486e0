//! Layers as wholes: what a runtime gains or loses where it runs the operators of a layer after one another. Only where each place in
//! a network has one shape do whole layers come again often enough to be told apart.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::kernel::Factor;
use crate::operator::{Catalogue, Network, Place, Shape};
use lglp_sdk::plugin::abi::{OPERATOR_DEPTHWISE, OPERATOR_SQUEEZE_EXCITE};

/// Functions at most.
const MOST: usize = 400;

/// What tells layers apart: kernel, inner channels over channels in, squeeze-and-excitation, channels in and out; and the side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LayerKind {
    pub kernel: u16,
    pub inner: u32,
    pub se: bool,
    pub channels_in: u32,
    pub channels_out: u32,
    /// Pixels.
    pub side: u32,
}

/// A layer of a network.
pub(crate) struct Layer {
    pub kind: LayerKind,
    pub place: Place,
    pub stride: u16,
    /// Which of the network's operators it has.
    pub operators: Range<usize>,
}

/// The layers of a network, in the order in which they run; `operators` are the network's, each with its place.
pub(crate) fn layers_of<'a>(operators: impl Iterator<Item = (&'a Shape, Place)>) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    let searched = operators.enumerate().filter(|(_, (_, place))| *place != (0, 0));
    for (at, (operator, place)) in searched {
        if layers.last().is_none_or(|layer| layer.place != place) {
            layers.push(Layer {
                kind: LayerKind {
                    kernel: 0,
                    inner: operator.channels_in,
                    se: false,
                    channels_in: operator.channels_in,
                    channels_out: operator.channels_out,
                    side: operator.side_in,
                },
                place,
                stride: 1,
                operators: at..at,
            });
        }
        let Some(layer) = layers.last_mut() else { continue };
        layer.operators.end = at + 1;
        layer.kind.channels_out = operator.channels_out;
        match u32::from(operator.kind) {
            OPERATOR_DEPTHWISE => {
                layer.kind.kernel = operator.kernel;
                layer.kind.inner = operator.channels_in;
                layer.stride = operator.stride;
            }
            OPERATOR_SQUEEZE_EXCITE => layer.kind.se = true,
            _ => {}
        }
    }
    layers
}

/// A basis of the kernel between layers: 1 where they are alike but for their sides, times `exp(-d^2 / 2)` for the distance of the
/// logarithms of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LayerBasis {
    pivots: Vec<LayerKind>,
    factor: Factor,
}

fn between(a: &LayerKind, b: &LayerKind) -> f64 {
    if (LayerKind { side: 0, ..*a }) != (LayerKind { side: 0, ..*b }) {
        return 0.0;
    }
    let d = f64::from(a.side.max(1)).log2() - f64::from(b.side.max(1)).log2();
    (-d * d / 2.0).exp()
}

impl LayerBasis {
    /// The basis of the layers of networks; none where a place has several shapes.
    pub(crate) fn new(catalogue: &Catalogue, networks: &[Network]) -> Option<Self> {
        let mut shapes = BTreeMap::<Place, (u32, u32, u16)>::new();
        let mut counts = BTreeMap::<LayerKind, usize>::new();
        for network in networks {
            for layer in layers_of(network.shapes(catalogue)) {
                let shape = (layer.kind.channels_in, layer.kind.channels_out, layer.stride);
                if *shapes.entry(layer.place).or_insert(shape) != shape {
                    return None;
                }
                *counts.entry(layer.kind).or_default() += 1;
            }
        }
        if counts.is_empty() {
            return None;
        }
        // Those that come most often first: the others are told by them, or by nothing.
        let mut kinds: Vec<(usize, LayerKind)> = counts.into_iter().map(|(kind, count)| (count, kind)).collect();
        kinds.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut basis = Self {
            pivots: Vec::new(),
            factor: Factor::default(),
        };
        for (_, kind) in kinds {
            let mut row = basis.at(&kind);
            let left = 1.0 - row.iter().map(|x| x * x).sum::<f64>();
            if left > 1e-3 && basis.len() < MOST {
                row.push(left.sqrt());
                basis.pivots.push(kind);
                basis.factor.push(row);
            }
        }
        Some(basis)
    }

    /// Functions of the basis.
    pub(crate) fn len(&self) -> usize {
        self.pivots.len()
    }

    /// `psi` of a layer.
    pub(crate) fn at(&self, layer: &LayerKind) -> Vec<f64> {
        self.factor.solve(self.pivots.iter().map(|pivot| between(layer, pivot)))
    }

    /// Whether the parts belong together.
    pub(crate) fn is_whole(&self) -> bool {
        self.len() <= MOST && self.factor.is_whole(self.pivots.len())
    }
}

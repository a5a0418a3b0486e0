//! Random networks of structures that people deploy. What is measured of them teaches how long any network takes.
//!
//! A network has a name, such as `convnets-17`, and the same name means the same bytes for ever: measurements are kept by it.

mod backbones;
mod convnets;
mod dice;
mod transformers;

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use dice::Dice;

use super::builder::{self, Tensor};
use super::weights::Weights;

type Builder = builder::Builder<Dice>;
type Draft = builder::Draft<Dice>;

/// What random networks are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Convolutional networks.
    Convnets,
    /// Networks with attention, and such as took its place.
    Transformers,
    /// Networks in the proportions of those that model zoos have, some of them larger than the others.
    Backbones,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Convnets, Self::Transformers, Self::Backbones];

    fn name(self) -> &'static str {
        match self {
            Self::Convnets => "convnets",
            Self::Transformers => "transformers",
            Self::Backbones => "backbones",
        }
    }
}

impl Display for Family {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// It names no random network, nor a family of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no random network: their names are like convnets-17, transformers-0 and backbones-5")]
pub struct NoRandomNetwork;

impl FromStr for Family {
    type Err = NoRandomNetwork;

    fn from_str(text: &str) -> Result<Self, NoRandomNetwork> {
        let known = Self::ALL.into_iter().find(|family| family.name() == text);
        known.ok_or(NoRandomNetwork)
    }
}

/// The name of a random network, such as `convnets-17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RandomNetwork {
    /// What it is of.
    pub family: Family,
    /// Which of these it is.
    pub seed: u64,
}

impl RandomNetwork {
    /// Networks of all families in turn: eight convolutional ones, three with attention, and four backbones.
    pub fn sequence() -> impl Iterator<Item = Self> {
        const ROUND: [(Family, u64); 3] = [(Family::Convnets, 8), (Family::Transformers, 3), (Family::Backbones, 4)];
        (0..).flat_map(|round| {
            let of_family = move |(family, count)| {
                (0..count).map(move |at| Self {
                    family,
                    seed: count * round + at,
                })
            };
            ROUND.into_iter().flat_map(of_family)
        })
    }

    /// The network itself, see [`random`].
    pub fn onnx(self) -> Vec<u8> {
        random(self.family, self.seed)
    }
}

impl Display for RandomNetwork {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.family, self.seed)
    }
}

impl FromStr for RandomNetwork {
    type Err = NoRandomNetwork;

    /// Reads a name as it is written, and no other: a network has one.
    fn from_str(text: &str) -> Result<Self, NoRandomNetwork> {
        let (family, seed) = text.rsplit_once('-').ok_or(NoRandomNetwork)?;
        let named = Self {
            family: family.parse()?,
            seed: seed.parse().map_err(|_| NoRandomNetwork)?,
        };
        (named.to_string() == text).then_some(named).ok_or(NoRandomNetwork)
    }
}

/// How large a network is.
struct Limits {
    /// Multiply-accumulates: more than a millisecond of one core, and not many tenths of a second.
    macs: [u64; 2],
    /// What its weights take at most.
    weight_bytes: u64,
    /// What its nodes compute at most, all together: writing so many elements takes as long as the multiply-accumulates do.
    elements: u64,
}

impl Limits {
    fn of(family: Family) -> Self {
        match family {
            Family::Convnets | Family::Transformers => Self {
                macs: [30_000_000, 6_000_000_000],
                weight_bytes: 300_000_000,
                elements: 250_000_000,
            },
            Family::Backbones => Self {
                macs: [30_000_000, 18_000_000_000],
                weight_bytes: 400_000_000,
                elements: 250_000_000,
            },
        }
    }
}

/// The network of a family and a number: an encoded `ModelProto` (opset 17, IR version 9) in float32, with random weights, of one input at
/// batch 1 and one output. The same ones give the same bytes for ever.
pub fn random(family: Family, seed: u64) -> Vec<u8> {
    let stream = match family {
        Family::Convnets => 1,
        Family::Transformers => 2,
        Family::Backbones => 3,
    };
    let limits = Limits::of(family);
    let mut dice = Dice::new(seed, stream);
    match family {
        Family::Convnets => {
            let structure = convnets::Structure::draw(&mut dice);
            fitting(dice, &limits, |net| structure.append(net))
        }
        Family::Transformers => {
            let structure = transformers::Structure::draw(&mut dice);
            fitting(dice, &limits, |net| structure.append(net))
        }
        Family::Backbones => {
            let structure = backbones::Structure::draw(&mut dice);
            fitting(dice, &limits, |net| structure.append(net))
        }
    }
    // Stream 0 of the same seed.
    .with_weights(Weights::new(seed))
}

/// Draws sizes until a network costs about what it shall. What it shall is drawn first, small and large alike likely by their ratio, so
/// that what a structure costs mostly does not decide what is measured of it.
fn fitting(mut dice: Dice, limits: &Limits, append: impl Fn(&mut Builder) -> Tensor) -> Draft {
    let [least, most] = limits.macs;
    let aim = dice.by_ratio(least, most);
    // Structures that can hardly cost so much may miss it, the longer they try the more.
    let mut tolerance = 1;
    loop {
        for _ in 0..16 {
            let constants_are_nodes = dice.chance(50);
            let mut net = Builder::new(dice, constants_are_nodes);
            let output = append(&mut net);
            let draft = net.finish(&output);
            let macs = macs(&draft);
            let is_near = macs <= aim * (1 + tolerance) && aim <= macs * (1 + tolerance);
            let is_bounded = (least..=most).contains(&macs)
                && draft.weight_bytes() <= limits.weight_bytes
                && draft.elements() <= limits.elements;
            if is_near && is_bounded {
                return draft;
            }
            dice = draft.into_dice();
        }
        tolerance *= 2;
    }
}

/// What a draft costs. Nothing else of what is read decides which networks there are, since that alone stays as it is.
fn macs(draft: &Draft) -> u64 {
    let operators = draft.read().expect("what is written here is a network").operators;
    operators.iter().map(|operator| operator.macs).sum()
}

//! Which architectures to measure: uniform draws first, then weighted ones (the paper's 4.2, data equilibrium). Or which networks.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use lglp_registry::{HardwareName, Registry};
use lglp_sdk::{Architecture, Sampler, SearchSpace};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Candidate, MeasureError, Subject};
use crate::networks::{GivenNetwork, Structures};

/// Architectures of a plan at most.
pub const PLAN_LIMIT: usize = 100_000;

/// Bytes of an architecture's text at most, as the registry takes it.
const TEXT: usize = 16 << 10;

/// Remarks that one measurement begins with at most, and the bytes of each.
const REMARKS: usize = 8;
const REMARK: usize = 256;

/// Bytes of a network's name at most: those of a file's.
const NAME: usize = 255;

/// What is to be measured, kept as a blob, so that whoever goes on does so with the same. Reading one ends where it has more than a job may
/// measure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Canonical texts, [`PLAN_LIMIT`] at most where a plan is read. Of networks of no space, the SHA-256 of each model without its weights.
    #[serde(deserialize_with = "architectures")]
    pub architectures: Vec<String>,
    /// What people call each network; none where they are architectures of a space.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "names")]
    pub names: Vec<String>,
    /// The remarks that the measurement of each begins with; none where none of them has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "flags")]
    pub flags: Vec<Vec<String>>,
}

impl Plan {
    /// Architectures without remarks.
    pub fn of(architectures: Vec<String>) -> Self {
        Self {
            architectures,
            ..Self::default()
        }
    }

    /// Networks of no space, by their models without weights.
    pub fn of_networks<'a>(networks: impl IntoIterator<Item = &'a GivenNetwork>) -> Self {
        let named = networks.into_iter().map(|one| (one.text(), one.name().to_owned()));
        let (architectures, names) = named.unzip();
        Self {
            architectures,
            names,
            flags: Vec::new(),
        }
    }

    /// Networks of the plan, whose models lie in `structures`; `None` where it is of architectures.
    ///
    /// # Errors
    /// `Invalid` where it is neither one nor the other.
    pub fn networks(&self, structures: &Arc<dyn Structures>) -> lglp_registry::Result<Option<Vec<GivenNetwork>>> {
        let (count, named) = (self.architectures.len(), self.names.len());
        if named == 0 {
            return Ok(None);
        }
        if named != count {
            let rule = format!("it has names for {named} of {count} networks");
            return Err(lglp_registry::Error::invalid("names", rule));
        }
        let networks = self.architectures.iter().zip(&self.names).map(|(text, name)| {
            let digest = text.parse()?;
            if name.trim().is_empty() {
                return Err(lglp_registry::Error::invalid("names", format!("{text} has no name")));
            }
            Ok(GivenNetwork::sent(name.clone(), digest, structures.clone()))
        });
        networks.collect::<lglp_registry::Result<_>>().map(Some)
    }

    /// The remarks of one.
    pub fn flags(&self, at: usize) -> Vec<String> {
        self.flags.get(at).cloned().unwrap_or_default()
    }
}

/// A text of at most so many bytes.
struct Short<const MOST: usize>(String);

impl<'de, const MOST: usize> Deserialize<'de> for Short<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<const MOST: usize>;
        impl<const MOST: usize> Visitor<'_> for Text<MOST> {
            type Value = Short<MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a text of at most {MOST} bytes")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                match text.len() {
                    length if length <= MOST => Ok(Short(text.to_owned())),
                    length => Err(E::invalid_length(length, &self)),
                }
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A list of at most so many, of which no more are read.
struct Few<T, const MOST: usize>(Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Few<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T, const MOST: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for List<T, MOST> {
            type Value = Few<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(next) = sequence.next_element()? {
                    if list.len() == MOST {
                        return Err(A::Error::custom(format_args!("more than {MOST} of them")));
                    }
                    list.push(next);
                }
                Ok(Few(list))
            }
        }
        deserializer.deserialize_seq(List(PhantomData))
    }
}

fn architectures<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let Few(texts) = Few::<Short<TEXT>, PLAN_LIMIT>::deserialize(deserializer)?;
    Ok(texts.into_iter().map(|Short(text)| text).collect())
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let Few(texts) = Few::<Short<NAME>, PLAN_LIMIT>::deserialize(deserializer)?;
    Ok(texts.into_iter().map(|Short(text)| text).collect())
}

fn flags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<String>>, D::Error> {
    let Few(all) = Few::<Few<Short<REMARK>, REMARKS>, PLAN_LIMIT>::deserialize(deserializer)?;
    let texts = |Few(remarks): Few<Short<REMARK>, REMARKS>| remarks.into_iter().map(|Short(text)| text).collect();
    Ok(all.into_iter().map(texts).collect())
}

/// How an architecture was drawn; see [`Sampler`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// Every pair of depth and resolution is as likely; also told of what was not drawn.
    Uniform,
    /// A pair is the likelier, the greater depth times resolution is.
    Weighted,
}

impl Draw {
    /// The remarks that a measurement of such a draw carries, so that reports can tell the two apart.
    pub fn flags(self) -> Vec<String> {
        match self {
            Self::Uniform => Vec::new(),
            Self::Weighted => vec!["draw:weighted".to_owned()],
        }
    }
}

/// Draws in a row that bring nothing new, after which a space counts as used up.
const REPEATS: usize = 100_000;

/// The first `count` draws of which `is_new` is told for the first time that they are, as they are drawn; fewer, where the space has
/// no more.
pub fn distinct<'a>(
    sampler: Sampler<'a>,
    count: usize,
    mut is_new: impl FnMut(&Architecture) -> bool + 'a,
) -> impl Iterator<Item = Architecture> + 'a {
    let mut repeats = 0;
    let drawn = sampler.map_while(move |architecture| {
        if repeats >= REPEATS {
            return None;
        }
        let fresh = is_new(&architecture);
        repeats = if fresh { 0 } else { repeats + 1 };
        Some(fresh.then_some(architecture))
    });
    drawn.flatten().take(count)
}

/// The first `uniform` and the first `weighted` architectures of a seed's two sequences, each architecture once. Asking for
/// more of either later keeps those that were there. A small space may have fewer.
pub fn plan(space: &SearchSpace, seed: u64, uniform: usize, weighted: usize) -> Vec<(Draw, Architecture)> {
    let mut all = Vec::new();
    visit_plan(space, seed, uniform, weighted, &mut |draw, architecture| {
        all.push((draw, architecture));
    });
    all
}

/// As [`plan`], each as it is drawn.
pub fn visit_plan(
    space: &SearchSpace,
    seed: u64,
    uniform: usize,
    weighted: usize,
    visit: &mut dyn FnMut(Draw, Architecture),
) {
    let mut seen = BTreeSet::new();
    for (sampler, count, draw) in [
        (Sampler::new(space, seed), uniform, Draw::Uniform),
        (Sampler::weighted(space, seed), weighted, Draw::Weighted),
    ] {
        let drawn = distinct(sampler, count, |architecture| seen.insert(architecture.row().to_vec()));
        drawn.for_each(|architecture| visit(draw, architecture));
    }
}

/// What a campaign measures; finished ones count in.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// New ones, drawn uniformly and weighted.
    Fresh {
        /// The seed of both sequences of draws.
        seed: u64,
        /// How many are drawn uniformly.
        uniform: usize,
        /// How many are drawn weighted, beside those.
        weighted: usize,
    },
    /// Some of replicate 0 again, for the noise floor.
    Again {
        /// The replicate of the new measurements, 1 or more.
        replicate: u32,
        /// How many are measured again.
        count: usize,
    },
    /// These ones.
    These {
        /// The replicate of the measurements.
        replicate: u32,
        /// They are measured in this order.
        architectures: &'a [Architecture],
    },
    /// Architectures of a space that says nothing of networks, each with its network.
    Exported {
        /// The replicate of the measurements.
        replicate: u32,
        /// They are measured in this order.
        architectures: &'a [(Architecture, GivenNetwork)],
    },
    /// Networks of no space.
    Networks {
        /// The replicate of the measurements.
        replicate: u32,
        /// They are measured in this order.
        networks: &'a [GivenNetwork],
    },
}

impl Wanted<'_> {
    /// The replicate of the measurements.
    pub fn replicate(&self) -> u32 {
        match self {
            Self::Fresh { .. } => 0,
            Self::Again { replicate, .. }
            | Self::These { replicate, .. }
            | Self::Exported { replicate, .. }
            | Self::Networks { replicate, .. } => *replicate,
        }
    }

    /// Whether it is architectures whose networks are built here.
    pub(super) fn needs_networks(&self) -> bool {
        !matches!(self, Self::Networks { .. } | Self::Exported { .. })
    }

    /// Whether it is architectures of a space.
    pub fn is_of_space(&self) -> bool {
        !matches!(self, Self::Networks { .. })
    }

    /// What is measured in the replicate. Repetitions take those of replicate 0 in the order of their digests: another order.
    pub fn candidates(
        &self,
        store: &dyn Registry,
        hardware: &HardwareName,
        space: &SearchSpace,
    ) -> Result<Vec<Candidate>, MeasureError> {
        let plain = |architecture| Candidate::architecture(architecture, Draw::Uniform.flags());
        let (replicate, count) = match *self {
            Self::Fresh {
                seed,
                uniform,
                weighted,
            } => {
                let (drawn, asked) = (plan(space, seed, uniform, weighted), uniform + weighted);
                return match drawn.len() {
                    available if available < asked => Err(MeasureError::SpaceTooSmall { available, asked }),
                    _ => {
                        let drawn = drawn.into_iter();
                        Ok(drawn
                            .map(|(draw, one)| Candidate::architecture(one, draw.flags()))
                            .collect())
                    }
                };
            }
            Self::These { architectures, .. } => {
                return Ok(architectures.iter().cloned().map(plain).collect());
            }
            Self::Exported { architectures, .. } => {
                let candidate = |(architecture, network): &(Architecture, GivenNetwork)| Candidate {
                    subject: Subject::Exported(architecture.clone(), network.clone()),
                    flags: Vec::new(),
                };
                return Ok(architectures.iter().map(candidate).collect());
            }
            Self::Networks { networks, .. } => {
                let candidate = |network: &GivenNetwork| Candidate {
                    subject: Subject::Network(network.clone()),
                    flags: Vec::new(),
                };
                return Ok(networks.iter().map(candidate).collect());
            }
            Self::Again { replicate, count } => (replicate, count),
        };
        let first = store.measurements_without_samples(hardware, space.name(), Some(0))?;
        if first.len() < count {
            return Err(MeasureError::NothingToRepeat {
                replicate,
                available: first.len(),
                asked: count,
            });
        }
        let architectures = first
            .iter()
            .filter_map(|m| Some(plain(space.architecture_from_text(&m.architecture).ok()?)));
        Ok(architectures.take(count).collect())
    }
}

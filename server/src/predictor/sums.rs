//! Predictions by look-up, of regressors whose predictions follow from sums over the parts of a network: of each part they are asked
//! once, and networks have their parts in common.

use std::ops::{Add, AddAssign};
use std::sync::{PoisonError, RwLock};

use lglp_sdk::plugin::Shape;

use crate::networks::{Parts, Walks};
use crate::plugins::{EncoderInstance, FittedInstance, Matrix, PluginError, Spread, Summed, SumsLengths};

/// Parts that are asked for at a time.
const AT_ONCE: usize = 256;

/// Memory that numbers for spreads take at most, bytes.
const MOST_MEMORY: usize = 32 << 20;

/// What a regressor tells of each part.
pub(super) struct Sums {
    lengths: SumsLengths,
    values: PerPart<f64>,
    spreads: PerPart<f32>,
    /// The first step of each part.
    firsts: PerPart<f32>,
}

/// As many numbers of each part, in the order in which parts are numbered.
struct PerPart<T> {
    length: usize,
    numbers: RwLock<Vec<T>>,
}

/// Who is asked.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub parts: &'a Parts,
    pub encoder: &'a EncoderInstance,
    pub regressor: &'a FittedInstance,
}

impl Sums {
    /// `None` where predictions do not follow from sums, or nothing tells operators.
    pub fn of(encoder: &EncoderInstance, regressor: &FittedInstance) -> Result<Option<Self>, PluginError> {
        if !encoder.reads_operators() || encoder.shape().is_empty() {
            return Ok(None);
        }
        let lengths = regressor.sums_lengths()?;
        Ok(lengths.map(|lengths| Self {
            lengths,
            values: PerPart::new(lengths.values),
            spreads: PerPart::new(lengths.spreads),
            firsts: PerPart::new(encoder.shape().width),
        }))
    }

    /// Whether it tells the spreads of these networks, too.
    pub fn tells_spreads(&self, walks: &Walks) -> bool {
        let bytes = walks.known() * self.lengths.spreads * size_of::<f32>();
        self.lengths.spreads > 0 && bytes <= MOST_MEMORY
    }

    /// Predicts networks, in the unit of the targets; spreads are empty where they are not asked for.
    pub fn predict(&self, walks: &Walks, asked: Asked<'_>, with_spreads: bool) -> Result<Spread, PluginError> {
        let Asked { encoder, regressor, .. } = asked;
        self.firsts.learn(walks, asked, |encoded| {
            let steps = encoded.data.chunks_exact(encoded.shape.len());
            Ok(steps.flat_map(|steps| &steps[..encoded.shape.width]).copied().collect())
        })?;
        self.values
            .learn(walks, asked, |encoded| regressor.sums(encoded, self.lengths))?;
        let mut spreads = None;
        if with_spreads {
            self.spreads
                .learn(walks, asked, |encoded| regressor.spread_sums(encoded, self.lengths))?;
            spreads = Some(self.spreads.sums(walks.iter()));
        }
        let summed = Summed {
            firsts: Matrix {
                data: self.firsts.sums(walks.iter().map(|parts| &parts[..1])),
                rows: walks.len(),
                shape: Shape {
                    steps: 1,
                    width: encoder.shape().width,
                },
            },
            values: self.values.sums(walks.iter()),
            spreads,
        };
        regressor.predict_sums(&summed, self.lengths)
    }
}

impl<T: Copy + Default + Add<Output = T> + AddAssign> PerPart<T> {
    fn new(length: usize) -> Self {
        Self {
            length,
            numbers: RwLock::default(),
        }
    }

    fn parts(&self) -> usize {
        self.numbers.read().unwrap_or_else(PoisonError::into_inner).len() / self.length
    }

    /// Asks for the numbers of all parts up to those of some networks. Nothing is locked meanwhile: a plugin may take its time, or
    /// not come back.
    fn learn(
        &self,
        walks: &Walks,
        asked: Asked<'_>,
        ask: impl Fn(&Matrix) -> Result<Vec<T>, PluginError>,
    ) -> Result<(), PluginError> {
        let mut begin = self.parts();
        while begin < walks.known() {
            let end = walks.known().min(begin + AT_ONCE);
            let operators: Vec<_> = (begin..end).map(|part| asked.parts.operators(part)).collect();
            let encoded = asked.encoder.encode_parts(operators.into_iter())?;
            let new = ask(&encoded.expect("it reads operators"))?;
            let mut numbers = self.numbers.write().unwrap_or_else(PoisonError::into_inner);
            // Another thread may have asked for the same meanwhile.
            let known = numbers.len().saturating_sub(begin * self.length);
            numbers.extend(new.iter().skip(known));
            begin = numbers.len() / self.length;
        }
        Ok(())
    }

    /// The sums over the parts of each network.
    fn sums<'a>(&self, networks: impl Iterator<Item = &'a [u32]>) -> Vec<T> {
        let numbers = self.numbers.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = Vec::with_capacity(networks.size_hint().0 * self.length);
        for parts in networks {
            let begin = all.len();
            all.resize(begin + self.length, T::default());
            for part in parts {
                let part = &numbers[*part as usize * self.length..][..self.length];
                all[begin..]
                    .iter_mut()
                    .zip(part)
                    .for_each(|(sum, number)| *sum += *number);
            }
        }
        all
    }
}

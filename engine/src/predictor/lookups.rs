//! Predictions by look-up, of regressors whose predictions follow from sums over the parts of a network: of each part they are asked
//! once, and networks have their parts in common.

use std::ops::{Add, AddAssign};
use std::sync::{PoisonError, RwLock};

use lglp_sdk::plugin::Shape;
use lglp_sdk::{Sampler, SearchSpace};

use super::ROWS_PER_UNIT;
use crate::host::{EncoderInstance, FittedInstance, Matrix, PluginError, Spread, Summed, SumsLengths};
use crate::networks::{self, Parts, Walks};

/// Memory that is kept of each kind of number, bytes.
const MOST_MEMORY: usize = 32 << 20;

/// Memory of the encoded parts that are asked for at a time, bytes.
const ENCODED_AT_ONCE: usize = 1 << 20;

/// Networks that are predicted in two ways, by look-up and as wholes.
const COMPARED: usize = 16;

/// How far both may lie apart, relatively: sums in another order differ in the last digits, and those of spreads are of `f32`.
const VALUES_TOLERANCE: f64 = 1e-6;
const SPREADS_TOLERANCE: f64 = 1e-2;

/// What a regressor tells of each part.
pub(super) struct Lookups {
    lengths: SumsLengths,
    values: PerPart<f64>,
    spreads: PerPart<f32>,
    /// The first step of each stem.
    firsts: PerPart<f32>,
}

/// What a model is made of, to be asked.
#[derive(Clone, Copy)]
pub(super) struct Model<'a> {
    pub parts: &'a Parts,
    pub encoder: &'a EncoderInstance,
    pub regressor: &'a FittedInstance,
}

impl Lookups {
    /// `None` where predictions do not follow from sums over parts, the regressor reads no operators, or networks begin with none.
    pub(super) fn of(
        space: &SearchSpace,
        encoder: &EncoderInstance,
        extractor: Option<&FittedInstance>,
        regressor: &FittedInstance,
    ) -> Result<Option<Self>, PluginError> {
        if extractor.is_some()
            || !encoder.reads_operators()
            || encoder.shape().is_empty()
            || space.chain().is_some_and(|chain| chain.network.stem.is_empty())
        {
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

    /// Predicts some networks by look-up and as wholes: a plugin that offers sums must mean the same by both.
    ///
    /// # Errors
    /// `Failed`, telling both predictions of a network.
    pub(super) fn compare(&self, space: &SearchSpace, model: Model<'_>) -> Result<(), PluginError> {
        let some = networks::some(space, Sampler::new(space, 0), COMPARED);
        if some.is_empty() {
            return Ok(());
        }
        let Some(walks) = model.parts.walks(some.iter()) else {
            return Ok(());
        };
        let Some(alone) = self.predict(&walks, model, false)? else {
            return Ok(());
        };
        let inputs = model.encoder.encode(some.iter())?;
        let whole = model.regressor.predict(&inputs)?;
        compare(model, "predicts", &alone.predicted, &whole, VALUES_TOLERANCE)?;
        if self.lengths.spreads == 0 {
            return Ok(());
        }
        let (Some(summed), Some(whole)) = (
            self.predict(&walks, model, true)?,
            model.regressor.predict_spread(&inputs)?,
        ) else {
            return Ok(());
        };
        compare(model, "predicts", &summed.predicted, &whole.predicted, VALUES_TOLERANCE)?;
        let what = "tells a spread of";
        compare(model, what, &summed.spreads, &whole.spreads, SPREADS_TOLERANCE)
    }

    /// Predicts networks, in the unit of the targets, with spreads where they are asked for and among what it tells. `None` where there is
    /// no room for all that is to be known, or where the regressor fails: then whole networks say what it is that fails.
    pub(super) fn predict(
        &self,
        walks: &Walks,
        model: Model<'_>,
        with_spreads: bool,
    ) -> Result<Option<Spread>, PluginError> {
        match self.sum(walks, model, with_spreads && self.lengths.spreads > 0) {
            Err(PluginError::Failed { .. } | PluginError::NotOffered { .. }) => Ok(None),
            told => told,
        }
    }

    fn sum(&self, walks: &Walks, model: Model<'_>, with_spreads: bool) -> Result<Option<Spread>, PluginError> {
        let Model { encoder, regressor, .. } = model;
        let stems = || walks.iter().map(|parts| &parts[..1]);
        self.firsts.learn(stems(), model, |encoded| {
            let rows = encoded.data.chunks_exact(encoded.shape.len());
            Ok(rows.flat_map(|steps| &steps[..encoded.shape.width]).copied().collect())
        })?;
        self.values
            .learn(walks.iter(), model, |encoded| regressor.sums(encoded, self.lengths))?;
        let mut spreads = None;
        if with_spreads {
            self.spreads.learn(walks.iter(), model, |encoded| {
                regressor.spread_sums(encoded, self.lengths)
            })?;
            spreads = Some(self.spreads.sums(walks.iter()));
        }
        let (Some(firsts), Some(values), Some(spreads)) = (
            self.firsts.sums(stems()),
            self.values.sums(walks.iter()),
            spreads.map_or(Some(None), |spreads| spreads.map(Some)),
        ) else {
            return Ok(None);
        };
        let shape = Shape {
            steps: 1,
            width: encoder.shape().width,
        };
        let firsts = Matrix {
            data: firsts,
            rows: walks.networks(),
            shape,
        };
        let summed = Summed {
            firsts,
            values,
            spreads,
        };
        regressor.predict_sums(&summed, self.lengths).map(Some)
    }
}

fn compare(model: Model<'_>, what: &str, summed: &[f64], whole: &[f64], tolerance: f64) -> Result<(), PluginError> {
    // Beside the others' mean nothing is small by itself.
    let mean = whole.iter().map(|value| value.abs()).sum::<f64>() / whole.len() as f64;
    let apart = summed.iter().zip(whole).find(|(summed, whole)| {
        let near = (**summed - **whole).abs() <= tolerance * whole.abs().max(mean * 1e-3);
        !near && (summed.is_finite() || whole.is_finite())
    });
    let Some((summed, whole)) = apart else { return Ok(()) };
    Err(PluginError::Failed {
        component: model.regressor.name().to_owned(),
        message: format!("it {what} {whole} for a network, and {summed} by the sums over its parts"),
    })
}

/// So many numbers of each part that was asked for.
struct PerPart<T> {
    length: usize,
    known: RwLock<Known<T>>,
}

#[derive(Default)]
struct Known<T> {
    /// By the number of a part: where its numbers stand, from 1; 0 where they are not known.
    places: Vec<u32>,
    numbers: Vec<T>,
}

impl<T: Copy + Default + Add<Output = T> + AddAssign> PerPart<T> {
    fn new(length: usize) -> Self {
        Self {
            length,
            known: RwLock::default(),
        }
    }

    /// Asks for the numbers of those parts of some networks that are not known, as far as there is room. Nothing is locked meanwhile:
    /// a plugin may take its time, or not come back.
    fn learn<'a>(
        &self,
        networks: impl Iterator<Item = &'a [u32]>,
        model: Model<'_>,
        ask: impl Fn(&Matrix) -> Result<Vec<T>, PluginError>,
    ) -> Result<(), PluginError> {
        let mut missing: Vec<u32> = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            let room = MOST_MEMORY / (self.length * size_of::<T>());
            if known.numbers.len() / self.length >= room {
                return Ok(());
            }
            networks
                .flatten()
                .filter(|part| known.place(**part).is_none())
                .copied()
                .collect()
        };
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort_unstable();
        missing.dedup();
        let row = model.encoder.shape().len() * size_of::<f32>();
        for parts in missing.chunks((ENCODED_AT_ONCE / row).clamp(1, ROWS_PER_UNIT)) {
            let operators = parts.iter().map(|part| model.parts.operators(*part));
            let told = ask(&model.encoder.encode_parts(operators)?)?;
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.numbers.reserve_exact(told.len());
            for (part, told) in parts.iter().zip(told.chunks_exact(self.length)) {
                known.add(*part, told);
            }
        }
        Ok(())
    }

    /// The sums over the parts of each network; `None` where one is not known.
    fn sums<'a>(&self, networks: impl Iterator<Item = &'a [u32]>) -> Option<Vec<T>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = Vec::with_capacity(networks.size_hint().0 * self.length);
        let mut places = Vec::new();
        for parts in networks {
            places.clear();
            for part in parts {
                places.push(known.place(*part)?);
            }
            let begin = all.len();
            all.resize(begin + self.length, T::default());
            let sums = &mut all[begin..];
            let of = |place: &usize| &known.numbers[place * self.length..][..self.length];
            // Four at a time: less is written, and more is on its way from memory at once.
            let (fours, rest) = places.as_chunks::<4>();
            for [a, b, c, d] in fours {
                let parts = of(a).iter().zip(of(b)).zip(of(c)).zip(of(d));
                for (sum, (((a, b), c), d)) in sums.iter_mut().zip(parts) {
                    *sum += (*a + *b) + (*c + *d);
                }
            }
            for place in rest {
                sums.iter_mut().zip(of(place)).for_each(|(sum, number)| *sum += *number);
            }
        }
        Some(all)
    }
}

impl<T: Copy> Known<T> {
    /// Where the numbers of a part stand, where they are known.
    fn place(&self, part: u32) -> Option<usize> {
        let place = *self.places.get(part as usize)?;
        (place > 0).then(|| place as usize - 1)
    }

    /// Adds the numbers of a part, unless another thread has asked for the same meanwhile.
    fn add(&mut self, part: u32, numbers: &[T]) {
        if self.place(part).is_some() {
            return;
        }
        if self.places.len() <= part as usize {
            self.places.resize(part as usize + 1, 0);
        }
        self.numbers.extend_from_slice(numbers);
        self.places[part as usize] = (self.numbers.len() / numbers.len()) as u32;
    }
}

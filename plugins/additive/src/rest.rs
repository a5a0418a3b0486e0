//! What belongs to no operator of a network: a constant, and what its resolution takes more or less than others.

use crate::parts::Parts;

/// What a part of a prediction has of both stages, and of what is not known of the coefficients.
#[derive(Clone)]
pub(crate) struct Share {
    pub first: f64,
    pub second: f64,
    /// `R` times its columns.
    pub half: Vec<f32>,
}

impl Share {
    /// What so much of each of some columns makes.
    fn of(parts: &Parts, columns: impl Iterator<Item = (usize, f64)>) -> Self {
        let mut share = Self {
            first: 0.0,
            second: 0.0,
            half: vec![0.0; parts.columns.len()],
        };
        columns.for_each(|(at, entry)| share.add(parts, at, entry));
        share
    }

    fn add(&mut self, parts: &Parts, at: usize, entry: f64) {
        self.first += entry * parts.first[at];
        self.second += entry * parts.second[at];
        let column = parts.root.col(at).iter();
        let entries = self.half.iter_mut().zip(column);
        entries.for_each(|(half, root)| *half += (entry * root) as f32);
    }
}

/// What belongs to no operator.
pub(crate) struct Rest {
    /// Milliseconds, the same for every network.
    pub constant: Share,
    /// Relative to the scale of a network, by resolution, pixels.
    resolutions: Vec<(u32, Share)>,
    /// Of a resolution that was not seen: nothing.
    unseen: Share,
}

impl Rest {
    pub(crate) fn new(parts: &Parts) -> Self {
        // Each resolution has a column of its own, less what all have in common.
        let common = Share::of(parts, parts.columns.less_shares());
        let with = |(pixels, at)| {
            let mut own = common.clone();
            own.add(parts, at, 1.0);
            (pixels, own)
        };
        Self {
            constant: Share::of(parts, [parts.columns.constant()].into_iter()),
            resolutions: parts.columns.resolutions().map(with).collect(),
            unseen: Share::of(parts, std::iter::empty()),
        }
    }

    pub(crate) fn of_resolution(&self, pixels: Option<u32>) -> &Share {
        let known = self.resolutions.iter().find(|(known, _)| Some(*known) == pixels);
        known.map_or(&self.unseen, |(_, share)| share)
    }
}

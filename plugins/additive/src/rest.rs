//! What belongs to no operator of a network: a constant, and what its resolution takes more or less than others.

use crate::model::Parts;

/// What a part of a prediction has of both stages, and of what is not known of the coefficients.
pub struct Share {
    pub first: f64,
    pub second: f64,
    /// `R` times its columns.
    pub half: Vec<f32>,
}

impl Share {
    fn of(parts: &Parts, columns: impl Iterator<Item = (usize, f64)>) -> Self {
        let (mut first, mut second) = (0.0, 0.0);
        let mut half = vec![0.0; parts.columns.len()];
        for (at, entry) in columns {
            first += entry * parts.first[at];
            second += entry * parts.second[at];
            let column = parts.root.col(at).iter();
            half.iter_mut()
                .zip(column)
                .for_each(|(half, root)| *half += entry * root);
        }
        Self {
            first,
            second,
            half: half.into_iter().map(|half| half as f32).collect(),
        }
    }
}

/// What belongs to no operator.
pub struct Rest {
    /// Milliseconds, the same for every network.
    pub constant: Share,
    /// Relative to the scale of a network, by resolution, pixels.
    resolutions: Vec<(u32, Share)>,
    /// Of a resolution that was not seen: nothing.
    unseen: Share,
}

impl Rest {
    pub fn new(parts: &Parts) -> Self {
        let of_resolution = |pixels| Share::of(parts, parts.columns.of_resolution(pixels));
        let resolutions = parts
            .columns
            .resolutions()
            .map(|pixels| (pixels, of_resolution(pixels)));
        Self {
            constant: Share::of(parts, [parts.columns.constant()].into_iter()),
            resolutions: resolutions.collect(),
            unseen: Share::of(parts, std::iter::empty()),
        }
    }

    pub fn of_resolution(&self, pixels: u32) -> &Share {
        let known = self.resolutions.iter().find(|(known, _)| *known == pixels);
        known.map_or(&self.unseen, |(_, share)| share)
    }
}

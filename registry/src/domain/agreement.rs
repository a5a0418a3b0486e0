//! Agreement: how far the predictions of a candidate lie from those of production, for the same live requests.

use serde::{Deserialize, Serialize};

use super::finite;
use crate::Result;

/// How many of the architectures that differ most are kept.
pub(crate) const MOST_DIFFERENT: usize = 10;

/// Predictions of two versions for the same live requests. Differences are relative to production's prediction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Agreement {
    /// The version that was production.
    pub production: u32,
    /// The version that was the shadow.
    pub candidate: u32,
    /// Predictions compared.
    pub n: u64,
    /// Mean difference: above 0 where the candidate predicts longer latencies.
    pub mean_relative: f64,
    /// Mean size of a difference.
    pub mean_absolute_relative: f64,
    /// The largest size of a difference.
    pub max_absolute_relative: f64,
    /// How many predictions differ by at most 5 %.
    pub within_5: u64,
    /// How many predictions differ by at most 10 %.
    pub within_10: u64,
    /// Predictions not compared, since too many waited.
    pub dropped: u64,
    /// Predictions not compared, since the candidate failed on them.
    pub failed: u64,
    // `MOST_DIFFERENT` of them.
    /// The 10 architectures that differ most, those first.
    pub most_different: Vec<Disagreement>,
}

/// An architecture on which two versions differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Disagreement {
    /// Canonical text.
    pub architecture: String,
    /// Production's prediction, milliseconds.
    pub production_ms: f64,
    /// The candidate's prediction, milliseconds.
    pub candidate_ms: f64,
}

impl Disagreement {
    /// The size of the difference, relative to production's prediction.
    fn size(&self) -> f64 {
        relative(self.production_ms, self.candidate_ms).abs()
    }
}

fn relative(production_ms: f64, candidate_ms: f64) -> f64 {
    // Bad regressors predict latencies below zero: longer is above zero all the same.
    (candidate_ms - production_ms) / production_ms.abs()
}

impl Agreement {
    /// Two versions of which nothing was compared yet.
    pub fn between(production: u32, candidate: u32) -> Self {
        Self {
            production,
            candidate,
            ..Self::default()
        }
    }

    /// Compares one prediction, and returns the size of the difference; `None` where there is no comparing these
    /// numbers, which counts as a failure. `architecture` gives the canonical text.
    pub fn compare(
        &mut self,
        architecture: impl FnOnce() -> String,
        production_ms: f64,
        candidate_ms: f64,
    ) -> Option<f64> {
        let difference = relative(production_ms, candidate_ms);
        if !difference.is_finite() {
            self.failed += 1;
            return None;
        }
        let size = difference.abs();
        self.n += 1;
        let n = self.n as f64;
        self.mean_relative += (difference - self.mean_relative) / n;
        self.mean_absolute_relative += (size - self.mean_absolute_relative) / n;
        self.max_absolute_relative = self.max_absolute_relative.max(size);
        self.within_5 += u64::from(size <= 0.05);
        self.within_10 += u64::from(size <= 0.1);
        let least = self.most_different.last().map_or(0.0, Disagreement::size);
        if self.most_different.len() < MOST_DIFFERENT || size > least {
            self.keep(Disagreement {
                architecture: architecture(),
                production_ms,
                candidate_ms,
            });
        }
        Some(size)
    }

    /// Adds what was compared of the same two versions elsewhere.
    pub fn merge(&mut self, other: &Self) {
        let n = self.n.saturating_add(other.n);
        if n > 0 {
            let weight = other.n as f64 / n as f64;
            self.mean_relative += (other.mean_relative - self.mean_relative) * weight;
            self.mean_absolute_relative += (other.mean_absolute_relative - self.mean_absolute_relative) * weight;
        }
        self.n = n;
        self.max_absolute_relative = self.max_absolute_relative.max(other.max_absolute_relative);
        self.within_5 = self.within_5.saturating_add(other.within_5);
        self.within_10 = self.within_10.saturating_add(other.within_10);
        self.dropped = self.dropped.saturating_add(other.dropped);
        self.failed = self.failed.saturating_add(other.failed);
        for one in &other.most_different {
            self.keep(one.clone());
        }
    }

    /// Keeps an architecture among those that differ most. One that is asked for again and again takes one place.
    fn keep(&mut self, new: Disagreement) {
        if self
            .most_different
            .iter()
            .any(|old| old.architecture == new.architecture)
        {
            return;
        }
        let place = self.most_different.partition_point(|old| old.size() >= new.size());
        self.most_different.insert(place, new);
        self.most_different.truncate(MOST_DIFFERENT);
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid), naming the field.
    pub fn check(&self) -> Result<()> {
        finite("mean_relative", self.mean_relative)?;
        finite("mean_absolute_relative", self.mean_absolute_relative)?;
        finite("max_absolute_relative", self.max_absolute_relative)?;
        for one in &self.most_different {
            finite("most_different.production_ms", one.production_ms)?;
            finite("most_different.candidate_ms", one.candidate_ms)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(pairs: &[(f64, f64)]) -> Agreement {
        let mut agreement = Agreement::between(1, 2);
        for (index, (production_ms, candidate_ms)) in pairs.iter().enumerate() {
            agreement.compare(|| format!("{index}/{production_ms}"), *production_ms, *candidate_ms);
        }
        agreement
    }

    #[test]
    fn merging_parts_is_comparing_the_whole() {
        let pairs: Vec<(f64, f64)> = (1..=40_u32)
            .map(|i| (f64::from(i), f64::from(i) + f64::from(i % 7) - 3.0))
            .collect();
        let whole = compared(&pairs);
        let mut merged = Agreement::between(1, 2);
        for (index, pair) in pairs.iter().enumerate() {
            let mut one = Agreement::between(1, 2);
            one.compare(|| format!("{index}/{}", pair.0), pair.0, pair.1);
            merged.merge(&one);
        }
        assert!((merged.mean_relative - whole.mean_relative).abs() < 1e-12);
        assert!((merged.mean_absolute_relative - whole.mean_absolute_relative).abs() < 1e-12);
        merged.mean_relative = whole.mean_relative;
        merged.mean_absolute_relative = whole.mean_absolute_relative;
        assert_eq!(merged, whole);
        assert_eq!((whole.n, whole.most_different.len()), (40, MOST_DIFFERENT));
    }

    #[test]
    fn what_cannot_be_compared_is_a_failure() {
        let agreement = compared(&[(0.0, 1.0), (1.0, f64::NAN), (1.0, f64::INFINITY), (2.0, 2.05)]);
        assert_eq!((agreement.n, agreement.failed, agreement.within_5), (1, 3, 1));
        agreement.check().unwrap();
    }

    #[test]
    fn an_architecture_asked_for_twice_takes_one_place() {
        let mut agreement = Agreement::between(1, 2);
        for _ in 0..20 {
            agreement.compare(|| "net".to_owned(), 1.0, 3.0);
        }
        assert_eq!((agreement.n, agreement.most_different.len()), (20, 1));
    }
}

//! What the caller of a change expects to find.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state that a change is to be made of: it fails with [`Error::StaleGeneration`](crate::Error::StaleGeneration) on any other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Expected {
    /// The generation that the caller has seen; 0 is "none yet".
    Generation(u64),
    /// One of these.
    OneOf(Vec<u64>),
    /// Whatever is there, so long as it exists.
    Existing,
}

impl Expected {
    /// Whether this is what is there: a generation, or nothing.
    pub fn admits(&self, current: Option<u64>) -> bool {
        let generation = current.unwrap_or(0);
        match self {
            Self::Generation(seen) => *seen == generation,
            Self::OneOf(seen) => seen.contains(&generation),
            Self::Existing => current.is_some(),
        }
    }
}

impl From<u64> for Expected {
    fn from(seen: u64) -> Self {
        Self::Generation(seen)
    }
}

impl From<Vec<u64>> for Expected {
    fn from(seen: Vec<u64>) -> Self {
        match seen.as_slice() {
            [one] => Self::Generation(*one),
            _ => Self::OneOf(seen),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generation(seen) => seen.fmt(f),
            Self::OneOf(seen) => {
                let seen: Vec<String> = seen.iter().map(u64::to_string).collect();
                f.write_str(&seen.join(" or "))
            }
            Self::Existing => f.write_str("whichever there is"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_generation_0_and_does_not_exist() {
        for (expected, of_nothing, of_0, of_3) in [
            (Expected::Generation(0), true, true, false),
            (Expected::Generation(3), false, false, true),
            (Expected::OneOf(vec![2, 3]), false, false, true),
            (Expected::OneOf(vec![]), false, false, false),
            (Expected::Existing, false, true, true),
        ] {
            let admitted = [None, Some(0), Some(3)].map(|current| expected.admits(current));
            assert_eq!(admitted, [of_nothing, of_0, of_3], "{expected:?}");
        }
    }

    /// Requests are kept by their digests, for whoever repeats one: what was one number stays one.
    #[test]
    fn a_generation_is_a_number_in_json() {
        let json = |expected: Expected| serde_json::to_string(&expected).unwrap();
        assert_eq!(json(vec![3].into()), "3");
        assert_eq!(json(vec![1, 3].into()), "[1,3]");
        assert_eq!(json(Expected::Existing), "null");
    }
}

//! One tree as the text gives it.

use crate::error::FormatError;
use crate::lines::Field;

/// What a split does with inputs that are missing, of which it has a notion of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// None is; NaN counts as zero.
    None,
    /// Zero and NaN are.
    Zero,
    /// NaN is.
    Nan,
}

/// Inputs up to the threshold go left.
#[derive(Clone, Debug)]
pub(crate) struct Split {
    pub feature: u32,
    pub threshold: f64,
    pub missing: Missing,
    /// Whether missing inputs go left.
    pub default_left: bool,
    /// Left and right.
    pub children: [Child; 2],
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Child {
    Split(usize),
    Leaf(usize),
}

/// A binary tree: every split but the first, which is the root, and every leaf is the child of one split that stands before it.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub splits: Vec<Split>,
    /// One value more than there are splits, all finite.
    pub leaves: Vec<f64>,
}

impl Split {
    /// Missing values and default of LightGBM's `decision_type`; `None` for a split by categories and for what has no meaning.
    pub(crate) fn decision(code: u8) -> Option<(Missing, bool)> {
        let missing = match code >> 2 {
            0 => Missing::None,
            1 => Missing::Zero,
            2 => Missing::Nan,
            _ => return None,
        };
        (code & 1 == 0).then_some((missing, code & 2 != 0))
    }
}

/// The children of each split, checked: splits lead to later ones, and to each split and leaf leads one way.
///
/// There are twice as many ways as splits, which is as many as there are splits but the root and leaves; so that each is
/// reached.
pub(crate) fn children(left: &Field<'_>, right: &Field<'_>, leaves: usize) -> Result<Vec<[Child; 2]>, FormatError> {
    let splits = leaves.saturating_sub(1);
    let (mut splits_seen, mut leaves_seen) = (vec![false; splits], vec![false; leaves]);
    let mut side = |field: &Field<'_>| -> Result<Vec<Child>, FormatError> {
        let codes: Vec<i32> = field.numbers(splits)?;
        let mut checked = |(parent, code): (usize, &i32)| {
            let (child, seen) = match usize::try_from(*code) {
                Ok(split) if split <= parent => {
                    return Err(field.error(format!("split {parent} leads back to split {split}")));
                }
                Ok(split) => (Child::Split(split), splits_seen.get_mut(split)),
                // LightGBM numbers leaves from -1 downwards.
                Err(_) => (Child::Leaf(!*code as usize), leaves_seen.get_mut(!*code as usize)),
            };
            match seen {
                None => Err(field.error(format!("split {parent} leads to {code}, which the tree does not have"))),
                Some(true) => Err(field.error(format!("split {parent} leads to {code}, to which another one leads"))),
                Some(seen) => {
                    *seen = true;
                    Ok(child)
                }
            }
        };
        codes.iter().enumerate().map(&mut checked).collect()
    };
    let (left, right) = (side(left)?, side(right)?);
    Ok(left.into_iter().zip(right).map(|(left, right)| [left, right]).collect())
}

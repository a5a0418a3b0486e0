//! The table of a model that was fitted on networks of no search space: next to none of their operators come again in others, so the table
//! has those that represent kernels, and those of the search space. What any other takes is worked out when it is asked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::columns::Columns;
use crate::cost::Cost;
use crate::operator::{Catalogue, Network};

/// Catalogue, columns and costs with the operators that a model keeps.
pub(crate) fn narrowed(
    catalogue: Catalogue,
    columns: Columns,
    cost: Cost,
    networks: &[Network],
) -> (Catalogue, Columns, Cost) {
    let searched = networks.iter().filter(|network| network.resolution.is_some());
    let searched = searched.flat_map(|network| network.operators.iter().map(|(number, _)| *number));
    let kept: BTreeSet<u32> = searched.chain(columns.pivots()).collect();
    let numbers: BTreeMap<u32, u32> = kept.iter().copied().zip(0..).collect();
    let operators = kept.iter().map(|number| catalogue.operators[*number as usize]);
    let narrow = Catalogue::of(operators.collect());
    (narrow, columns.renumbered(&numbers), cost.of_some(&kept))
}

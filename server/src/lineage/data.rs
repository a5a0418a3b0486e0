//! How the datasets of two versions differ.

use std::collections::{BTreeMap, BTreeSet};

use lglp_engine::train::{DataError, FrozenRow, Split, frozen_rows};
use lglp_openapi::lineage::{DataDifference, Relabelled};
use lglp_registry::{Amount, NewVersion, Registry};

use super::predictions::relative_difference;

/// Compares the rows that two versions were fitted on, by their architectures. `top` bounds what is listed.
pub(super) fn compare(
    store: &dyn Registry,
    a: &NewVersion,
    b: &NewVersion,
    top: usize,
) -> Result<DataDifference, DataError> {
    let (rows_a, rows_b) = (frozen_rows(store, &a.dataset)?, frozen_rows(store, &b.dataset)?);
    let (labels_a, labels_b) = (labels(&rows_a), labels(&rows_b));
    let shared = labels_a
        .iter()
        .filter_map(|(architecture, a)| Some((*architecture, *a, *labels_b.get(architecture)?)));
    let both = shared.clone().count();
    let latencies = |(architecture, a, b): (&str, Amount, Amount)| match (a, b) {
        (Amount::LatencyMs(a_ms), Amount::LatencyMs(b_ms)) if a_ms != b_ms => Some(Relabelled {
            architecture: architecture.to_owned(),
            a_ms,
            b_ms,
        }),
        _ => None,
    };
    let mut relabelled: Vec<Relabelled> = shared.filter_map(latencies).collect();
    let differs = |row: &Relabelled| relative_difference(row.a_ms, row.b_ms);
    relabelled.sort_by(|x, y| differs(y).total_cmp(&differs(x)));
    let count = relabelled.len();
    relabelled.truncate(top);
    let tested = tested(&rows_a, a).zip(tested(&rows_b, b));
    Ok(DataDifference {
        a: a.dataset.to_string(),
        b: b.dataset.to_string(),
        only_a: labels_a.len() - both,
        only_b: labels_b.len() - both,
        both,
        relabelled: count,
        most_relabelled: relabelled,
        tested_on_both: tested.map(|(a, b)| a.intersection(&b).count()),
    })
}

fn labels(rows: &[FrozenRow]) -> BTreeMap<&str, Amount> {
    rows.iter().map(|row| (row.architecture.as_str(), row.label)).collect()
}

/// The architectures of a version's test part, where it names its rows.
fn tested<'a>(rows: &'a [FrozenRow], content: &NewVersion) -> Option<BTreeSet<&'a str>> {
    let split = Split::of(content)?;
    let row = |at: &usize| rows.get(*at).map(|row| row.architecture.as_str());
    split.test.iter().map(row).collect()
}

//! The audit log in rows: measurements that were recorded one by one are one row.

use std::collections::{BTreeSet, VecDeque};

use lglp_registry::{AuditEntry, AuditFrom, AuditQuery, Change, HardwareName, Registry, Result};
use serde_json::Value;

/// Entries that are read at once.
const PAGE: usize = 1000;

/// Entries that are shown as one: a single one, or measurements of one hardware target and space that somebody recorded one
/// after the other.
pub(super) struct Run {
    pub first: AuditEntry,
    /// Number and time of the last, where there are several.
    pub last: Option<(u64, String)>,
    pub measured: Option<Measured>,
}

/// What a run of measurements has in all.
pub(super) struct Measured {
    pub count: usize,
    pub replicates: BTreeSet<u32>,
}

impl Run {
    fn new(entry: AuditEntry) -> Self {
        let measured = recorded(&entry).map(|(.., replicates, count)| Measured {
            count,
            replicates: replicates.clone(),
        });
        Self {
            first: entry,
            last: None,
            measured,
        }
    }

    /// Takes the next entry in, where it goes on with the same.
    fn goes_on_with(&mut self, next: &AuditEntry) -> bool {
        let (Some(measured), Some(before), Some(now)) = (&mut self.measured, recorded(&self.first), recorded(next))
        else {
            return false;
        };
        let same = (before.0, before.1) == (now.0, now.1);
        if !same || self.first.actor != next.actor || self.first.reason != next.reason {
            return false;
        }
        measured.replicates.extend(now.2);
        measured.count += now.3;
        self.last = Some((next.sequence, next.at.clone()));
        true
    }
}

/// As many rows as the query has for its limit: entries are read until there are, since many may be one row.
pub(super) fn read(store: &dyn Registry, query: AuditQuery) -> Result<Vec<Run>> {
    let AuditQuery {
        mut from,
        limit,
        filter,
    } = query;
    let mut entries: VecDeque<AuditEntry> = VecDeque::new();
    loop {
        let page = store.find_audit(&AuditQuery {
            from,
            limit: PAGE,
            filter: filter.clone(),
        })?;
        let (Some(first), Some(last)) = (page.first(), page.last()) else {
            break;
        };
        let (first, last) = (first.sequence, last.sequence);
        // The records before and after, which are large, are not shown.
        let page = page.into_iter().map(|entry| AuditEntry {
            before: Value::Null,
            after: Value::Null,
            ..entry
        });
        match from {
            AuditFrom::Sequence(_) => {
                entries.extend(page);
                from = AuditFrom::Sequence(last + 1);
            }
            AuditFrom::Before(_) => {
                page.rev().for_each(|entry| entries.push_front(entry));
                from = AuditFrom::Before(first);
            }
        }
        // One more than is asked for: the outermost may go on in the next page.
        if fold(entries.iter().cloned()).len() > limit {
            break;
        }
    }
    let mut runs = fold(entries);
    match from {
        AuditFrom::Sequence(_) => runs.truncate(limit),
        AuditFrom::Before(_) => drop(runs.drain(..runs.len().saturating_sub(limit))),
    }
    Ok(runs)
}

/// Folds entries, the oldest first.
fn fold(entries: impl IntoIterator<Item = AuditEntry>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for entry in entries {
        if !runs.last_mut().is_some_and(|run| run.goes_on_with(&entry)) {
            runs.push(Run::new(entry));
        }
    }
    runs
}

/// Hardware target, space, replicates and number of the measurements that an entry tells of.
fn recorded(entry: &AuditEntry) -> Option<(&HardwareName, &str, &BTreeSet<u32>, usize)> {
    match &entry.change {
        Change::MeasurementsRecorded {
            hardware,
            space,
            replicates,
            count,
            ..
        } => Some((hardware, space, replicates, *count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use lglp_registry::Digest;

    use super::*;

    fn entry(sequence: u64, actor: &str, hardware: &str, space: Option<&str>) -> AuditEntry {
        let hardware: HardwareName = hardware.parse().expect("a name");
        let change = match space {
            None => Change::HardwareCreated { hardware },
            Some(space) => Change::MeasurementsRecorded {
                hardware,
                space: space.to_owned(),
                replicates: [sequence as u32 % 2].into(),
                count: 2,
                digest: Digest::of(b"m"),
            },
        };
        AuditEntry {
            sequence,
            at: format!("2026-01-01T00:00:{sequence:02}Z"),
            actor: actor.to_owned(),
            reason: None,
            change,
            before: serde_json::Value::Null,
            after: serde_json::Value::Null,
            previous: Digest::zero(),
            hash: Digest::zero(),
        }
    }

    /// After `lglp measure --count 500` the newest 50 entries were 50 times "count 1", and nothing else was to be seen.
    #[test]
    fn measurements_recorded_one_by_one_are_one_row() {
        let entries = [
            entry(1, "ann", "cpu", None),
            entry(2, "ann", "cpu", Some("a")),
            entry(3, "ann", "cpu", Some("a")),
            entry(4, "ann", "cpu", Some("a")),
            entry(5, "bob", "cpu", Some("a")),
            entry(6, "bob", "cpu", Some("b")),
            entry(7, "bob", "gpu", Some("b")),
            entry(8, "bob", "gpu", None),
            entry(9, "bob", "gpu", None),
        ];
        let runs = fold(entries);
        let ends: Vec<_> = runs
            .iter()
            .map(|run| (run.first.sequence, run.last.as_ref().map(|last| last.0)))
            .collect();
        let expected = [
            (1, None),
            (2, Some(4)),
            (5, None),
            (6, None),
            (7, None),
            (8, None),
            (9, None),
        ];
        assert_eq!(ends, expected);
        let measured = runs[1].measured.as_ref().expect("measurements");
        assert_eq!((measured.count, &measured.replicates), (6, &[0, 1].into()));
    }
}

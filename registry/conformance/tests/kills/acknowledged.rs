//! Everything that children were told is written, and whether it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lglp_registry::prelude::*;
use lglp_registry::{Change, Digest, HolderInfo, SledStore};
use lglp_registry_conformance::fixtures::{SPACE, name};

use super::{BULK, Summary, production};

#[derive(Default)]
pub(crate) struct Acknowledged {
    ready: bool,
    measurements: BTreeSet<Digest>,
    blobs: BTreeSet<Digest>,
    versions: BTreeMap<u32, Digest>,
    aliases: BTreeMap<u64, u32>,
    bulks: BTreeSet<String>,
}

impl Acknowledged {
    /// Takes in a line of a child; whether it acknowledges something.
    pub(crate) fn note(&mut self, line: &str) -> bool {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["ack", "ready"] => self.ready = true,
            ["ack", "measurement", digest] => drop(self.measurements.insert(digest.parse().unwrap())),
            ["ack", "blob", digest] => drop(self.blobs.insert(digest.parse().unwrap())),
            ["ack", "version", number, digest] => {
                self.versions.insert(number.parse().unwrap(), digest.parse().unwrap());
            }
            ["ack", "alias", generation, version] => {
                self.aliases
                    .insert(generation.parse().unwrap(), version.parse().unwrap());
            }
            ["ack", "bulk", id] => drop(self.bulks.insert(id.to_owned())),
            ["ack" | "broken", ..] => panic!("the child said {line:?}"),
            _ => return false,
        }
        true
    }

    pub(crate) fn add_to(&self, summary: &mut Summary) {
        summary.measurements += self.measurements.len();
        summary.blobs += self.blobs.len();
        summary.versions += self.versions.len();
        summary.promotions += self.aliases.len();
        summary.bulks += self.bulks.len();
    }

    /// What was acknowledged and is not there, or is there by half.
    pub(crate) fn losses(&self, dir: &Path) -> Vec<String> {
        let mut losses = Vec::new();
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                losses.push(what.to_owned());
            }
        };
        let store = SledStore::open(dir, HolderInfo::default()).expect("the registry opens");
        let head = match store.verify_audit() {
            Ok(head) => head,
            Err(error) => return vec![error.to_string()],
        };
        let events = store.events(0, usize::MAX).unwrap();
        expect(events.len() as u64 == head.entries, "an event for every audit entry");
        let cpu = name("cpu");
        if store.hardware(&cpu).is_err() {
            expect(!self.ready, "the hardware target");
            return losses;
        }
        let measured = store.measured_digests(&cpu, SPACE, 0).unwrap();
        expect(measured.is_superset(&self.measurements), "a measurement");
        let read = store.measurements(&cpu, SPACE, Some(0)).unwrap();
        expect(measured.len() == read.len(), "a measurement reads back");
        let blobs = self.blobs.iter().all(|digest| store.get_blob(digest).is_ok());
        expect(blobs, "a blob");

        let versions = store.versions(&cpu).unwrap();
        let numbers = versions.iter().map(|version| version.version);
        expect(
            numbers.eq(1..=versions.len() as u32),
            "versions are numbered without a gap",
        );
        for (number, digest) in &self.versions {
            let found = versions.get(*number as usize - 1).map(|version| &version.digest);
            expect(found == Some(digest), &format!("version {number}"));
        }
        let changes: Vec<Change> = events.into_iter().map(|event| event.change).collect();
        self.check_aliases(&store, &changes, &mut expect);
        self.check_bulks(&store, &mut expect);
        losses
    }

    /// The alias, the audit log and the events tell one story.
    fn check_aliases(&self, store: &dyn Store, changes: &[Change], expect: &mut dyn FnMut(bool, &str)) {
        let moves: Vec<(u64, u32)> = changes
            .iter()
            .filter_map(|change| match change {
                Change::AliasMoved {
                    generation, version, ..
                } => Some((*generation, *version)),
                _ => None,
            })
            .collect();
        let generations = moves.iter().map(|(generation, _)| *generation);
        expect(generations.eq(1..=moves.len() as u64), "one winner for each generation");
        let alias = store.alias(&name("cpu"), &production()).ok();
        let alias = alias.map(|alias| (alias.generation, alias.version));
        expect(alias == moves.last().copied(), "production is where it moved last");
        let aliases = store.aliases(&name("cpu")).unwrap();
        expect(aliases.len() == usize::from(alias.is_some()), "one production");
        for (generation, version) in &self.aliases {
            let found = moves.get(*generation as usize - 1).map(|(_, version)| version);
            expect(found == Some(version), &format!("promotion {generation}"));
        }
    }

    /// A bulk is there wholly or not at all.
    fn check_bulks(&self, store: &dyn Store, expect: &mut dyn FnMut(bool, &str)) {
        let mut counts = BTreeMap::<String, usize>::new();
        for measurement in store.measurements(&name("cpu"), SPACE, Some(1)).unwrap() {
            let id = measurement.architecture.split(' ').nth(1).unwrap().to_owned();
            *counts.entry(id).or_default() += 1;
        }
        expect(counts.values().all(|count| *count == BULK), "a whole bulk");
        expect(self.bulks.iter().all(|id| counts.contains_key(id)), "a bulk");
    }
}

//! Whose job is next: start-time fair queuing, a job each. Each job gets a turn when it is created: the one that is on, or the
//! one after its creator's last. The lowest turn is leased first, and is on from then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Job;

/// The turns of the jobs that have not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Turns {
    /// The turn that is on.
    on: u64,
    /// The first that a creator may still have, where that is a later one.
    next: BTreeMap<String, u64>,
    /// The turn of each job.
    of: BTreeMap<u64, u64>,
}

impl Turns {
    /// Gives a new job its turn. What does a part of another job has that one's, which came already.
    pub(super) fn give(&mut self, job: &Job) {
        let of_parent = job.parent.and_then(|parent| self.of.get(&parent).copied());
        let turn = of_parent.unwrap_or_else(|| {
            let turn = self
                .next
                .get(&job.created_by)
                .map_or(self.on, |next| self.on.max(*next));
            self.next.insert(job.created_by.clone(), turn + 1);
            turn
        });
        self.of.insert(job.id, turn);
    }

    /// When a job is leased, among others: its turn, and its number. One from before there were turns goes first.
    pub(super) fn order(&self, job: &Job) -> (u64, u64) {
        (self.of.get(&job.id).copied().unwrap_or_default(), job.id)
    }

    /// Notes that a job is leased.
    pub(super) fn take(&mut self, job: &Job) {
        self.on = self.on.max(self.order(job).0);
        let on = self.on;
        self.next.retain(|_, next| *next > on);
    }

    /// Forgets the turns of jobs that have ended.
    pub(super) fn keep(&mut self, open: &[u64]) {
        self.of.retain(|job, _| open.contains(job));
    }
}

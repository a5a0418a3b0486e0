//! How long a process is waited for.

use std::time::Duration;

/// How long something may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub time: Duration,
    /// What says so in plugins.toml.
    pub setting: &'static str,
}

impl Limit {
    pub(super) fn new(time: Duration, setting: &'static str) -> Self {
        Self { time, setting }
    }
}

/// How long a call may take.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// Between two signs of life.
    pub limit: Limit,
    /// All in all, whatever signs there are.
    pub total: Limit,
    /// What it has once a fit is cancelled.
    pub cancelled: Duration,
}

impl Patience {
    /// That of a call which gives no signs of life.
    pub(super) fn of(time: Duration) -> Self {
        let limit = Limit::new(time, "deadline_s");
        Self {
            limit,
            total: limit,
            cancelled: time,
        }
    }
}

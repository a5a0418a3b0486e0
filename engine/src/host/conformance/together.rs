//! Calls of several threads at once.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use super::Subject;
use crate::host::PluginError;

/// Threads that call.
pub(super) const THREADS: usize = 8;

/// Percent of the time for which they do.
const SHARE: u32 = 5;

/// Whether something differs: each thread asks that of an input of its own, again and again, beside the others. One that panics counts as a
/// difference.
pub(super) fn any_differs<T: Sync>(
    subject: &Subject,
    inputs: &[T],
    differs: impl Fn(&T) -> Result<bool, PluginError> + Sync,
) -> Result<bool, PluginError> {
    let (begin, until) = (Barrier::new(inputs.len()), subject.limit * SHARE / 100);
    let asked = |input: &T| {
        begin.wait();
        let began = Instant::now();
        while began.elapsed() < until {
            if differs(input)? {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let results: Vec<Result<bool, PluginError>> = thread::scope(|scope| {
        let started: Vec<_> = inputs.iter().map(|input| scope.spawn(|| asked(input))).collect();
        let joined = started.into_iter().map(|one| one.join().unwrap_or(Ok(true)));
        joined.collect()
    });
    // The first error, or the first difference before it.
    for result in results {
        if result? {
            return Ok(true);
        }
    }
    Ok(false)
}

//! The rehearsal: before this process loads the plugins, a child does, all of them in the same order.
//!
//! Where nothing is wrong, that is all. Where the child ends or hangs, each file is tried in a child of its own, side by side,
//! so that many that hang cost no more than one; and those that came through are rehearsed again, since a plugin may load alone
//! and not beside another.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::trial::{Trial, try_out};
use crate::host::PluginError;
use crate::host::file::Opening;

/// Time to load a plugin. With libtorch it takes 0.2 s, and some seconds on a busy machine.
pub(in crate::host) const PATIENCE: Duration = Duration::from_secs(10);

/// The same in the first rehearsal, which decides nothing where it fails.
const IMPATIENCE: Duration = Duration::from_secs(3);

/// Time for all rehearsals together, after which what was not reached is left out.
const LIMIT: Duration = Duration::from_secs(30);

/// Whether each file can be loaded, and if not, why.
pub(in crate::host) fn rehearse(program: &Path, files: &[&Opening]) -> Vec<Result<(), PluginError>> {
    let first = try_out(program, files, IMPATIENCE);
    if first.cut_off.is_none() {
        return first.told;
    }
    let mut verdicts = alone(program, files);
    let began = Instant::now();
    loop {
        let candidates: Vec<usize> = (0..files.len()).filter(|file| verdicts[*file].is_ok()).collect();
        let openings: Vec<&Opening> = candidates.iter().map(|file| files[*file]).collect();
        let Trial { told, cut_off } = try_out(program, &openings, PATIENCE);
        let reached = told.len();
        for (file, outcome) in candidates.iter().zip(told) {
            verdicts[*file] = outcome;
        }
        let Some(why) = cut_off else { return verdicts };
        let reason = format!("after the plugins before it, though not alone: {why}");
        verdicts[candidates[reached]] = Err(PluginError::NotLoadable(reason));
        if began.elapsed() > LIMIT {
            for file in &candidates[reached + 1..] {
                let reason = "it was not tried out: others before it took too long".to_owned();
                verdicts[*file] = Err(PluginError::NotLoadable(reason));
            }
            return verdicts;
        }
    }
}

/// Tries each file in a child of its own, side by side.
fn alone(program: &Path, files: &[&Opening]) -> Vec<Result<(), PluginError>> {
    let verdict = |file: &Opening| {
        let Trial { mut told, cut_off } = try_out(program, &[file], PATIENCE);
        cut_off.map_or_else(|| told.pop().unwrap_or(Ok(())), Err)
    };
    thread::scope(|scope| {
        let trials: Vec<_> = files.iter().map(|file| scope.spawn(|| verdict(file))).collect();
        let lost = |_| Err(PluginError::NotLoadable("its trial did not end".into()));
        let verdicts = trials.into_iter().map(|trial| trial.join().unwrap_or_else(lost));
        verdicts.collect()
    })
}

//! The state of a device during some work.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use lglp_registry::{Conditions, GpuConditions};

use super::cpu::Cpu;
use super::nvml::Gpu;
use crate::measure::median;

/// Between two looks at a graphics processor.
const INTERVAL: Duration = Duration::from_millis(100);

/// What was seen of a graphics processor.
#[derive(Default)]
struct Seen {
    states: Vec<GpuConditions>,
    slowdowns: BTreeSet<String>,
}

/// Does the work. The processor is looked at before and after; the graphics processor all the while, on a thread of its
/// own, since one that a program has just left idles before the program starts and after it ends.
pub(super) fn during<T>(cpu: Option<&Cpu>, gpu: Option<&Gpu>, work: impl FnOnce() -> T) -> (T, Option<Conditions>) {
    let look = |cpu: &Cpu| (cpu.mhz(), cpu.slowdowns());
    let before = cpu.map(look);
    let (done, seen) = match gpu {
        None => (work(), None),
        Some(gpu) => {
            let (done, seen) = beside(gpu, work);
            (done, Some(seen))
        }
    };
    let after = cpu.map(look);
    let mut throttled = BTreeSet::new();
    let mut cpu_mhz = None;
    if let (Some((mhz_before, before)), Some((mhz_after, after))) = (before, after) {
        cpu_mhz = mhz_before.zip(mhz_after).map(|(before, after)| (before + after) / 2.0);
        throttled.extend(after.since(before));
    }
    let mut gpu = None;
    if let Some(seen) = seen {
        gpu = Some(summary(&seen.states));
        throttled.extend(seen.slowdowns);
    }
    let conditions = Conditions {
        cpu_mhz,
        gpu,
        throttled: throttled.into_iter().collect(),
    };
    (done, Some(conditions).filter(|c| *c != Conditions::default()))
}

fn beside<T>(gpu: &Gpu, work: impl FnOnce() -> T) -> (T, Seen) {
    let (stop, stopped) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let watcher = scope.spawn(move || {
            let mut seen = Seen::default();
            loop {
                seen.states.push(gpu.conditions());
                seen.slowdowns.extend(gpu.slowdowns());
                // The other end gone is the end of the work, whether it returned or panicked.
                if stopped.recv_timeout(INTERVAL) == Err(mpsc::RecvTimeoutError::Disconnected) {
                    return seen;
                }
            }
        });
        let done = {
            let _stop = stop;
            work()
        };
        (done, watcher.join().unwrap_or_default())
    })
}

/// Median clocks and power, the highest temperature.
fn summary(states: &[GpuConditions]) -> GpuConditions {
    let told = |fact: fn(&GpuConditions) -> Option<f64>| states.iter().filter_map(fact).collect::<Vec<f64>>();
    let typical = |values: Vec<f64>| (!values.is_empty()).then(|| median(&values));
    GpuConditions {
        sm_mhz: typical(told(|s| s.sm_mhz)),
        memory_mhz: typical(told(|s| s.memory_mhz)),
        temperature_c: told(|s| s.temperature_c).into_iter().reduce(f64::max),
        power_w: typical(told(|s| s.power_w)),
    }
}

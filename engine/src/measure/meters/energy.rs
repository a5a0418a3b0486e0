//! The energy of one run of a network, from a counter of everything that its device spends.
//!
//! It is gross: what else runs on the device is in it, and so is what the device spends on doing nothing.

use std::time::{Duration, Instant};

use super::Meter;
use crate::host::{NetworkInstance, PluginError};

/// Updates of a counter that a window is to hold: its ends are sharp to one of them.
const UPDATES: f64 = 10.0;

/// How long a network is run to tell its energy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Window {
    seconds: f64,
    most: f64,
}

/// Energy and runs of one call.
#[derive(Clone, Copy, Debug)]
struct Call {
    joules: f64,
    runs: usize,
}

impl Window {
    /// `seconds` long, or as long as the meter's counter needs; half as long as an attempt's budget where that is less.
    /// None where it is to be none.
    pub(crate) fn new(seconds: f64, budget_s: f64, meter: &Meter) -> Option<Self> {
        let least = UPDATES * meter.update_s();
        (seconds > 0.0).then(|| Self {
            seconds: seconds.min(budget_s / 2.0).max(least),
            most: budget_s.max(least),
        })
    }

    /// Joules of one run; none where the counter does not tell: it stands still, or cannot be read any more. `at_once`:
    /// runs at a time, as the runtime wants it; `run_ms`: how long one takes.
    pub(crate) fn joules(
        self,
        network: &mut NetworkInstance<'_>,
        meter: &Meter,
        at_once: usize,
        run_ms: f64,
    ) -> Result<Option<f64>, PluginError> {
        match at_once {
            1 => self.back_to_back(network, meter, run_ms),
            many => self.by_difference(network, meter, many, run_ms),
        }
    }

    /// Runs from one update of the counter to another. One run that is long beside an update waits for none.
    fn back_to_back(
        self,
        network: &mut NetworkInstance<'_>,
        meter: &Meter,
        run_ms: f64,
    ) -> Result<Option<f64>, PluginError> {
        let update_s = meter.update_s();
        let patience = match run_ms / 1e3 < UPDATES * update_s {
            true => Duration::from_secs_f64(2.0 * update_s),
            false => Duration::ZERO,
        };
        let (waiting, first) = (Instant::now(), meter.read());
        let mut start = first.clone();
        while start == first && waiting.elapsed() < patience {
            network.run()?;
            start = meter.read();
        }
        let window = Duration::from_secs_f64(self.seconds);
        let (began, mut runs, mut last) = (Instant::now(), 0, None);
        // In between the counter is left alone: the device would idle while it is read.
        loop {
            network.run()?;
            runs += 1;
            let elapsed = began.elapsed();
            if elapsed < window {
                continue;
            }
            let now = meter.read();
            let updated = last.as_ref().is_some_and(|last| *last != now);
            last = Some(now);
            if updated || elapsed >= window + patience {
                break;
            }
        }
        let joules = start.zip(last.flatten()).map(|(from, to)| meter.joules(&from, &to));
        Ok(joules.and_then(|joules| plausible(joules / runs as f64)))
    }

    /// Every call of such a runtime begins with a program that starts, whose energy is no run's: a long call less a
    /// short one is runs alone. What the start spends varies, so that the difference lasts as long as a start does.
    fn by_difference(
        self,
        network: &mut NetworkInstance<'_>,
        meter: &Meter,
        few: usize,
        run_ms: f64,
    ) -> Result<Option<f64>, PluginError> {
        let began = Instant::now();
        let short = call(network, meter, few)?;
        let start_s = began.elapsed().as_secs_f64() - few as f64 * run_ms / 1e3;
        let more = (self.seconds.max(start_s).min(self.most) * 1e3 / run_ms)
            .ceil()
            .max(1.0);
        let long = call(network, meter, few + more as usize)?;
        Ok(short.zip(long).and_then(|(short, long)| difference(short, long)))
    }
}

fn call(network: &mut NetworkInstance<'_>, meter: &Meter, runs: usize) -> Result<Option<Call>, PluginError> {
    let from = meter.read();
    let runs = network.run_many(runs)?.len();
    let joules = from.zip(meter.read()).map(|(from, to)| meter.joules(&from, &to));
    Ok(joules.map(|joules| Call { joules, runs }))
}

/// Joules of one run.
fn difference(short: Call, long: Call) -> Option<f64> {
    let runs = long.runs.checked_sub(short.runs).filter(|runs| *runs > 0)?;
    plausible((long.joules - short.joules) / runs as f64)
}

/// Something was spent.
fn plausible(joules: f64) -> Option<f64> {
    Some(joules).filter(|joules| joules.is_finite() && *joules > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(joules: f64, runs: usize) -> Call {
        Call { joules, runs }
    }

    #[test]
    fn what_a_start_spends_is_no_runs() {
        // A start of 500 J, and 2 J a run.
        assert_eq!(difference(of(520.0, 10), of(720.0, 110)), Some(2.0));
        assert_eq!(difference(of(520.0, 10), of(519.0, 110)), None, "noise of the start");
        assert_eq!(
            difference(of(520.0, 10), of(520.0, 110)),
            None,
            "a counter that stands still"
        );
        assert_eq!(
            difference(of(520.0, 10), of(720.0, 10)),
            None,
            "a runtime that makes as many runs as it likes"
        );
        assert_eq!(difference(of(520.0, 10), of(720.0, 9)), None);
    }
}

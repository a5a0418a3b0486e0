//! The paired protocol: a candidate's runs are interleaved with runs of a reference network, and the label is the
//! median ratio of the two times the reference's latency on the target.
//!
//! Why: shared machines have a fast and a slow state, minutes long, that no statistic of one network's times can see
//! through; the state hits both networks alike, so their ratio holds. Labels of absolute times repeat within 13 to 21 %,
//! paired ratios of processor times within about 2 %.

use std::time::{Duration, Instant};

use lglp_registry::Conditions;
use serde::{Deserialize, Serialize};

use super::meters::Device;
use super::statistics::{median, median_half_width};
use crate::host::{NetworkInstance, PluginError, TimedRun};

/// How one architecture is measured. Stored with every measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Protocol {
    /// Runs of the candidate before any counts, at least one.
    pub warm_up: usize,
    /// Time of the reference's runs between two runs of the candidate, relative to one of these: one run for short
    /// candidates, several for long ones, which a single short run would sample badly.
    pub reference_share: f64,
    /// Pairs at least, whatever the budget.
    pub least_pairs: usize,
    /// Pairs at most.
    pub most_pairs: usize,
    /// Half-width of the 95 % confidence interval of the median ratio, relative to it, at which measuring ends.
    pub precision: f64,
    /// Time for the pairs of one attempt, seconds; measuring ends there once it has the least number of pairs.
    pub budget_s: f64,
    /// Drift of the reference within one attempt (its slowest third to its fastest third) beyond which the attempt is
    /// marked and made again.
    pub drift_bound: f64,
    /// Half-width of the interval, relative to the ratio, beyond which an attempt is marked and made again.
    pub wide: f64,
    /// Attempts at most.
    pub attempts: usize,
    /// How long the candidate is run once more to tell its energy, where something counts it, seconds; 0 leaves it out.
    pub energy_window_s: f64,
}

/// Seconds that one attempt at one architecture may take.
const BUDGET_LIMIT_S: f64 = 600.0;

/// Runs of a network, of a kind, in one attempt.
const RUNS_LIMIT: usize = 10_000;

/// Attempts at one architecture.
const ATTEMPTS_LIMIT: usize = 100;

/// What is relative to a time or a ratio.
const SHARE_LIMIT: f64 = 100.0;

impl Protocol {
    /// The protocol with another budget, in seconds, as a job asks for it.
    ///
    /// # Errors
    /// `Invalid`, naming the job's parameter.
    pub fn within(budget_s: Option<f64>) -> lglp_registry::Result<Self> {
        let default = Self::default();
        let budget_s = budget_s.unwrap_or(default.budget_s);
        if budget_s > 0.0 && budget_s <= BUDGET_LIMIT_S {
            return Ok(Self { budget_s, ..default });
        }
        let reason = format!("expected more than 0 and at most {BUDGET_LIMIT_S} s, got {budget_s}");
        Err(lglp_registry::Error::invalid("parameters.budget_s", reason))
    }
}

impl Protocol {
    /// Whether what a server wants of this machine is within what measuring takes.
    ///
    /// # Errors
    /// The field, and what it may be.
    pub fn check(&self) -> Result<(), String> {
        let counts = [
            ("warm_up", self.warm_up, 0, RUNS_LIMIT),
            ("least_pairs", self.least_pairs, 1, RUNS_LIMIT),
            ("most_pairs", self.most_pairs, 1, RUNS_LIMIT),
            ("attempts", self.attempts, 1, ATTEMPTS_LIMIT),
        ];
        for (field, value, least, most) in counts {
            if !(least..=most).contains(&value) {
                return Err(format!("{field} is {value}; expected {least} to {most}"));
            }
        }
        let seconds = [("budget_s", self.budget_s), ("energy_window_s", self.energy_window_s)];
        let shares = [
            ("reference_share", self.reference_share),
            ("precision", self.precision),
            ("drift_bound", self.drift_bound),
            ("wide", self.wide),
        ];
        let limited = seconds.map(|(field, value)| (field, value, BUDGET_LIMIT_S));
        for (field, value, most) in limited
            .into_iter()
            .chain(shares.map(|(field, value)| (field, value, SHARE_LIMIT)))
        {
            if !(0.0..=most).contains(&value) {
                return Err(format!("{field} is {value}; expected 0 to {most}"));
            }
        }
        Ok(())
    }
}

impl Default for Protocol {
    fn default() -> Self {
        Self {
            warm_up: 1,
            reference_share: 0.15,
            least_pairs: 6,
            most_pairs: 30,
            precision: 0.01,
            budget_s: 5.0,
            drift_bound: 1.5,
            wide: 0.05,
            attempts: 2,
            energy_window_s: 0.5,
        }
    }
}

/// A run of the candidate between two groups of runs of the reference. A group stands by its mean, or by its median where one call
/// timed its runs; the mean of the two groups is given. Of runs that are timed together each has a pair with the same groups. Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Elapsed time of the candidate.
    pub wall_ms: f64,
    /// Processor time of the candidate; 0 where the runtime does not know it.
    pub cpu_ms: f64,
    /// Elapsed time of the reference.
    pub reference_wall_ms: f64,
    /// Processor time of the reference; 0 where the runtime does not know it.
    pub reference_cpu_ms: f64,
}

impl Pair {
    /// Candidate to reference: processor times where the runtime knows them, else elapsed times.
    pub fn ratio(&self) -> f64 {
        if self.cpu_ms > 0.0 && self.reference_cpu_ms > 0.0 {
            self.cpu_ms / self.reference_cpu_ms
        } else {
            self.wall_ms / self.reference_wall_ms
        }
    }
}

/// What came out of measuring one network.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedMeasurement {
    /// Every pair of the attempt that counts.
    pub pairs: Vec<Pair>,
    /// Median ratio of candidate to reference.
    pub ratio: f64,
    /// Half-width of the ratio's 95 % confidence interval, relative to the ratio.
    pub half_width: f64,
    /// Attempts made.
    pub attempts: usize,
    /// Whether the reference drifted beyond the bound also in the attempt that counts.
    pub drifted: bool,
    /// Whether the interval stayed wide also in the attempt that counts.
    pub wide: bool,
    /// Energy of one run of the candidate, joules, where the runtime tells; the median.
    pub energy_j: Option<f64>,
    /// The state of the device during the attempt that counts, where it tells.
    pub conditions: Option<Conditions>,
}

impl PairedMeasurement {
    /// Whether the device ran slower than it can, in the attempt that counts.
    pub fn throttled(&self) -> bool {
        self.conditions.as_ref().is_some_and(|c| !c.throttled.is_empty())
    }

    /// Whether times that are rounded to `resolution_ms` leave the ratio less exact than `precision`, relative to it. The reference
    /// is mostly the shorter one.
    pub fn is_coarse(&self, resolution_ms: f64, precision: f64) -> bool {
        let shorter = |pair: &Pair| pair.wall_ms.min(pair.reference_wall_ms);
        let shorter: Vec<f64> = self.pairs.iter().map(shorter).collect();
        resolution_ms > precision * median(&shorter)
    }

    /// What speaks against it; nothing where it was steady.
    fn faults(&self) -> usize {
        [self.drifted, self.throttled(), self.wide]
            .into_iter()
            .filter(|fault| *fault)
            .count()
    }

    /// Fewer faults first, then the narrower interval.
    fn is_better_than(&self, other: &Self) -> bool {
        let (own, others) = (self.faults(), other.faults());
        own < others || (own == others && self.half_width < other.half_width)
    }
}

impl Protocol {
    /// The name of the statistic that a label is.
    pub fn statistic(&self) -> &'static str {
        "median paired ratio x calibrated reference latency"
    }

    /// Measures a candidate against the reference on a device, with `at_once` runs at a time, as their runtime wants
    /// it. An attempt during which the machine changed its state or was slowed down, or whose interval stays wide, is
    /// made again; if all are such, the one with the fewest of these faults counts, and is marked. Before each run `goes_on` is asked.
    ///
    /// # Errors
    /// What the runtime fails by; `Cancelled` where it is not to go on.
    pub fn measure(
        &self,
        candidate: &mut NetworkInstance<'_>,
        reference: &mut NetworkInstance<'_>,
        at_once: usize,
        device: &Device,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<PairedMeasurement, PluginError> {
        let group = match at_once {
            1 => self.reference_runs(candidate, reference)?,
            // Such a runtime warms up by itself at every call, which is what makes calls dear.
            many => many,
        };
        steadiest(self.attempts, || {
            let (made, conditions) = device.watch(|| self.attempt(candidate, reference, at_once, group, goes_on));
            Ok(PairedMeasurement { conditions, ..made? })
        })
    }

    /// Warms both up, and says how many runs of the reference go between two of the candidate.
    fn reference_runs(
        &self,
        candidate: &mut NetworkInstance<'_>,
        reference: &mut NetworkInstance<'_>,
    ) -> Result<usize, PluginError> {
        for _ in 1..self.warm_up {
            candidate.run()?;
        }
        let (long, short) = (candidate.run()?.wall_ms, reference.run()?.wall_ms);
        Ok((self.reference_share * long / short).round().clamp(1.0, 16.0) as usize)
    }

    fn attempt(
        &self,
        candidate: &mut NetworkInstance<'_>,
        reference: &mut NetworkInstance<'_>,
        at_once: usize,
        group: usize,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<PairedMeasurement, PluginError> {
        let budget = Duration::from_secs_f64(self.budget_s);
        let started = Instant::now();
        let mut pairs = Vec::with_capacity(self.most_pairs);
        let mut energies = Vec::new();
        let mut before = reference_group(reference, at_once, group)?;
        let mut reference_times = vec![time(before)];
        loop {
            if !goes_on() {
                let component = "measuring".to_owned();
                return Err(PluginError::Cancelled { component });
            }
            let runs = candidate.run_many(at_once)?;
            let after = reference_group(reference, at_once, group)?;
            reference_times.push(time(after));
            energies.extend(runs.iter().filter_map(|run| run.energy_j));
            pairs.extend(runs.into_iter().map(|run| pair(run, before, after)));
            before = after;
            let ratios: Vec<f64> = pairs.iter().map(Pair::ratio).collect();
            let ratio = median(&ratios);
            let half_width = median_half_width(&ratios) / ratio;
            let enough = half_width <= self.precision || started.elapsed() >= budget;
            if pairs.len() >= self.most_pairs || (pairs.len() >= self.least_pairs && enough) {
                let drifted = drift(&reference_times) > self.drift_bound;
                return Ok(PairedMeasurement {
                    pairs,
                    ratio,
                    half_width,
                    attempts: 1,
                    drifted,
                    wide: half_width > self.wide,
                    energy_j: (!energies.is_empty()).then(|| median(&energies)),
                    conditions: None,
                });
            }
        }
    }
}

/// Makes attempts until one is steady, and returns it, or the best of them.
fn steadiest<E>(
    attempts: usize,
    mut attempt: impl FnMut() -> Result<PairedMeasurement, E>,
) -> Result<PairedMeasurement, E> {
    let mut best = attempt()?;
    for made in 2..=attempts {
        if best.faults() == 0 {
            break;
        }
        let next = attempt()?;
        if next.is_better_than(&best) {
            best = next;
        }
        best.attempts = made;
    }
    Ok(best)
}

/// What stands for a group of runs of the reference: their mean where they are few and short; their median where they come
/// from one call, since these begin slower now and then.
fn reference_group(network: &mut NetworkInstance<'_>, at_once: usize, runs: usize) -> Result<TimedRun, PluginError> {
    let runs = network.run_many(runs)?;
    let typical = |times: Vec<f64>| match at_once {
        1 => times.iter().sum::<f64>() / times.len() as f64,
        _ => median(&times),
    };
    Ok(TimedRun {
        wall_ms: typical(runs.iter().map(|run| run.wall_ms).collect()),
        cpu_ms: typical(runs.iter().map(|run| run.cpu_ms).collect()),
        energy_j: None,
    })
}

fn pair(run: TimedRun, before: TimedRun, after: TimedRun) -> Pair {
    Pair {
        wall_ms: run.wall_ms,
        cpu_ms: run.cpu_ms,
        reference_wall_ms: (before.wall_ms + after.wall_ms) / 2.0,
        reference_cpu_ms: (before.cpu_ms + after.cpu_ms) / 2.0,
    }
}

/// Slowest to fastest third of an attempt, by the median time of the reference.
fn drift(reference_times: &[f64]) -> f64 {
    let medians: Vec<f64> = reference_times
        .chunks(reference_times.len().div_ceil(3))
        .map(median)
        .collect();
    let slowest = medians.iter().copied().fold(f64::MIN, f64::max);
    let fastest = medians.iter().copied().fold(f64::MAX, f64::min);
    slowest / fastest
}

/// Processor time where the runtime knows it, else elapsed time.
pub(super) fn time(run: TimedRun) -> f64 {
    if run.cpu_ms > 0.0 { run.cpu_ms } else { run.wall_ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEADY: PairedMeasurement = PairedMeasurement {
        pairs: Vec::new(),
        ratio: 2.0,
        half_width: 0.01,
        attempts: 1,
        drifted: false,
        wide: false,
        energy_j: None,
        conditions: None,
    };

    fn throttled() -> PairedMeasurement {
        let conditions = Conditions {
            throttled: vec!["hw-thermal-slowdown".into()],
            ..Conditions::default()
        };
        PairedMeasurement {
            conditions: Some(conditions),
            ..STEADY
        }
    }

    /// What comes of these attempts, and how many of them were made.
    fn best(attempts: usize, made: Vec<PairedMeasurement>) -> (PairedMeasurement, usize) {
        let mut left = made.into_iter();
        let mut count = 0;
        let best = steadiest(attempts, || {
            count += 1;
            left.next().ok_or("one attempt too many")
        });
        (best.unwrap(), count)
    }

    #[test]
    fn a_steady_attempt_is_the_last() {
        assert_eq!(best(3, vec![STEADY]), (STEADY, 1));
        let (found, made) = best(3, vec![throttled(), STEADY]);
        assert_eq!((found.throttled(), found.attempts, made), (false, 2, 2));
    }

    #[test]
    fn of_unsteady_attempts_the_one_with_the_fewest_faults_counts() {
        let wide = PairedMeasurement {
            half_width: 0.2,
            wide: true,
            ..STEADY
        };
        let drifted = PairedMeasurement {
            drifted: true,
            ..throttled()
        };
        let (found, made) = best(3, vec![drifted, wide.clone(), throttled()]);
        assert_eq!(
            (found.throttled(), found.wide, made),
            (true, false, 3),
            "the narrower of two with one fault"
        );
        assert_eq!(found.attempts, 3);
        let (found, made) = best(0, vec![wide]);
        assert_eq!((found.attempts, made), (1, 1));
    }

    /// OpenVINO's `benchmark_app` tells 0.01 ms for anything up to 0.015 ms: labels repeated exactly, and were 50 % off.
    #[test]
    fn rounded_times_are_coarse_where_either_network_is_short() {
        let coarse = |wall_ms: f64, reference_wall_ms: f64, resolution_ms: f64| {
            let pair = Pair {
                wall_ms,
                cpu_ms: 0.0,
                reference_wall_ms,
                reference_cpu_ms: 0.0,
            };
            let measured = PairedMeasurement {
                pairs: vec![pair; 6],
                ..STEADY
            };
            measured.is_coarse(resolution_ms, 0.01)
        };
        assert!(coarse(0.02, 5.0, 0.01) && coarse(5.0, 0.99, 0.01));
        assert!(!coarse(5.0, 1.01, 0.01) && !coarse(0.2, 0.2, 0.001));
        assert!(!coarse(0.0001, 0.0001, 0.0), "a runtime that rounds nothing");
    }

    /// Measurements hold the protocol that they were taken by.
    #[test]
    fn a_protocol_of_before_is_read() {
        let before = r#"{"attempts":2,"budget_s":5.0,"drift_bound":1.5,"least_pairs":6,"most_pairs":30,"precision":0.01,
            "reference_share":0.15,"warm_up":1}"#;
        assert_eq!(serde_json::from_str::<Protocol>(before).unwrap(), Protocol::default());
    }
}

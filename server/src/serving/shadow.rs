//! The shadow: a crew of one thread of low priority on which candidates predict what production was asked, and are compared with it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lglp_engine::predictor::{ModelError, ServedModel};
use lglp_registry::{Agreement, Counting, Error, HardwareName};
use lglp_sdk::Architecture;

use super::counts::{Counts, PairLabels};
use crate::compute::{Crew, Lost, Unit};

/// Architectures that may wait to be compared; of what comes on top a request is dropped as a whole.
const WAITING_LIMIT: usize = 20_000;

/// Architectures to compare two versions on.
pub(super) struct Comparison {
    pub production: Arc<ServedModel>,
    pub candidate: Arc<ServedModel>,
    pub architectures: Vec<Architecture>,
    /// What production answered, milliseconds; `None` where the canary answered, so that production is still to predict.
    pub production_ms: Option<Vec<f64>>,
}

/// The hardware target, production's version and the candidate's.
type Pair = (HardwareName, u32, u32);

/// A model, and what it failed with.
type Failure<'a> = (&'a Arc<ServedModel>, ModelError);

/// What was compared since it was last added to the registry.
type Seen = BTreeMap<Pair, Agreement>;

/// What is done with models that fail.
type Failed = Box<dyn Fn(&Arc<ServedModel>, &ModelError) + Send + Sync>;

/// A handle of the crew.
pub(super) struct Shadow {
    store: Arc<dyn Counting>,
    shared: Arc<Shared>,
    crew: Crew,
}

struct Shared {
    counts: Counts,
    failed: Failed,
    seen: Mutex<Seen>,
    /// Apart from what was seen, which the thread of low priority locks: a request must not wait for that.
    dropped: Mutex<BTreeMap<Pair, u64>>,
    /// Architectures that wait or are being compared.
    waiting: AtomicUsize,
}

impl Shadow {
    /// Starts the thread; it calls `failed` with models that fail.
    pub(super) fn start(
        store: Arc<dyn Counting>,
        counts: Counts,
        deadline: Option<Duration>,
        failed: Failed,
    ) -> std::io::Result<Self> {
        let crew = Crew::start("shadow", 1, deadline)?;
        crew.yield_to_others();
        let shared = Arc::new(Shared {
            counts,
            failed,
            seen: Mutex::default(),
            dropped: Mutex::default(),
            waiting: AtomicUsize::new(0),
        });
        Ok(Self { store, shared, crew })
    }

    /// Has architectures compared some time, or drops them where too many wait. Never blocks.
    pub(super) fn offer(&self, comparison: Comparison) {
        let rows = comparison.architectures.len();
        if rows == 0 {
            return;
        }
        let fits = |waiting: usize| Some(waiting + rows).filter(|sum| *sum <= WAITING_LIMIT);
        let waiting = &self.shared.waiting;
        if waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
            .is_err()
        {
            self.shared.drop_rows(&comparison);
        } else {
            let shared = self.shared.clone();
            let unit = Compare {
                comparison,
                shared,
                ended: AtomicBool::new(false),
            };
            let place = self.crew.place(unit.comparison.candidate.account.clone());
            self.crew.submit(place, Arc::new(unit));
        }
    }

    /// Adds what was compared to the registry. Blocks; what cannot be written is kept for the next time.
    pub(super) fn flush(&self) {
        let dropped = std::mem::take(&mut *self.shared.dropped());
        for (pair, rows) in dropped {
            of_pair(&mut self.shared.seen(), pair).dropped += rows;
        }
        let seen = std::mem::take(&mut *self.shared.seen());
        for ((hardware, production, candidate), agreement) in seen {
            match self.store.add_agreement(&hardware, &agreement) {
                // Of a target that was deleted nothing is told.
                Ok(_) | Err(Error::NotFound { .. }) => {}
                Err(error) => {
                    tracing::warn!(%hardware, production, candidate, "cannot add what the shadow agreed on: {error}");
                    let pair = (hardware, production, candidate);
                    of_pair(&mut self.shared.seen(), pair).merge(&agreement);
                }
            }
        }
    }

    /// Compares nothing more; what waits is dropped.
    pub(super) fn stop(&self) {
        self.crew.stop();
        self.crew.abandon();
    }
}

/// A comparison to make.
struct Compare {
    comparison: Comparison,
    shared: Arc<Shared>,
    ended: AtomicBool,
}

impl Compare {
    /// Whether it ends now: it ends once, by its work or by being given up.
    fn ends(&self) -> bool {
        let first = !self.ended.swap(true, Ordering::Relaxed);
        if first {
            let rows = self.comparison.architectures.len();
            self.shared.waiting.fetch_sub(rows, Ordering::Relaxed);
        }
        first
    }
}

impl Unit for Compare {
    fn run(&self) {
        let latencies = self.comparison.latencies();
        if self.ends() {
            self.shared.compare(&self.comparison, latencies);
        }
    }

    fn fail(&self, lost: Lost) {
        if !self.ends() {
            return;
        }
        match lost {
            Lost::Overdue { .. } | Lost::Panicked => self.shared.fail_rows(&self.comparison),
            _ => self.shared.drop_rows(&self.comparison),
        }
    }
}

impl Comparison {
    fn pair(&self) -> Pair {
        let hardware = self.production.hardware.clone();
        (hardware, self.production.version, self.candidate.version)
    }

    fn labels(&self) -> PairLabels {
        PairLabels {
            hardware: self.production.hardware.to_string(),
            production: self.production.version,
            candidate: self.candidate.version,
        }
    }

    /// Predicts; a model that fails is named.
    fn latencies(&self) -> Result<(Vec<f64>, Vec<f64>), Failure<'_>> {
        let predict = |model: &Arc<ServedModel>| model.values(&self.architectures);
        let production = match &self.production_ms {
            Some(known) => known.clone(),
            None => predict(&self.production).map_err(|error| (&self.production, error))?,
        };
        let candidate = predict(&self.candidate).map_err(|error| (&self.candidate, error))?;
        Ok((production, candidate))
    }
}

impl Shared {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dropped(&self) -> std::sync::MutexGuard<'_, BTreeMap<Pair, u64>> {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn compare(&self, comparison: &Comparison, latencies: Result<(Vec<f64>, Vec<f64>), Failure<'_>>) {
        let labels = comparison.labels();
        self.counts.note_pair(&labels);
        let (production_ms, candidate_ms) = match latencies {
            Ok(latencies) => latencies,
            Err((model, error)) => {
                tracing::warn!(hardware = %model.hardware, version = model.version, "the shadow fails: {error}");
                (self.failed)(model, &error);
                self.fail_rows(comparison);
                return;
            }
        };
        let space = &comparison.production.space;
        let differences = self.counts.shadow_differences.get_or_create_owned(&labels);
        let mut agreement = Agreement::between(labels.production, labels.candidate);
        let latencies = production_ms.into_iter().zip(candidate_ms);
        for (architecture, (production_ms, candidate_ms)) in comparison.architectures.iter().zip(latencies) {
            let text = || space.canonical_text(architecture);
            match agreement.compare(text, production_ms, candidate_ms) {
                Some(size) => differences.observe(size),
                None => drop(self.counts.shadow_failed.get_or_create(&labels).inc()),
            }
        }
        of_pair(&mut self.seen(), comparison.pair()).merge(&agreement);
    }

    fn fail_rows(&self, comparison: &Comparison) {
        let rows = comparison.architectures.len() as u64;
        of_pair(&mut self.seen(), comparison.pair()).failed += rows;
        self.counts
            .shadow_failed
            .get_or_create(&comparison.labels())
            .inc_by(rows);
    }

    fn drop_rows(&self, comparison: &Comparison) {
        let rows = comparison.architectures.len() as u64;
        *self.dropped().entry(comparison.pair()).or_default() += rows;
        let labels = comparison.labels();
        self.counts.note_pair(&labels);
        self.counts.shadow_dropped.get_or_create(&labels).inc_by(rows);
    }
}

fn of_pair(seen: &mut Seen, pair: Pair) -> &mut Agreement {
    let (production, candidate) = (pair.1, pair.2);
    seen.entry(pair)
        .or_insert_with(|| Agreement::between(production, candidate))
}

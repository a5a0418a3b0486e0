//! Searching jobs. One that was cut off begins anew.

use lglp_engine::priority;
use lglp_engine::search::{Candidate, Score, Search};
use lglp_engine::train::cores;
use lglp_openapi::jobs::{SEARCH_LIMIT, SearchParameters, SearchScore};
use lglp_registry::{Error, HardwareName, Job, Result, canonical_json};
use serde_json::{Value, json};

use super::{JobError, Run, Services, Work};
use crate::serving::ModelRef;

/// Candidates of the front that the result itself has; the blob has all of them.
const SHOWN: usize = 12;

impl Work for SearchParameters {
    fn check(&self, hardware: &HardwareName, services: &Services) -> Result<()> {
        let refuse = |field: &str, reason: String| Err(Error::invalid(format!("parameters.{field}"), reason));
        services.store.hardware(hardware)?;
        if ModelRef::read(&self.model).is_none() {
            return refuse(
                "model",
                "expected an alias, like \"production\", or a version number, like 3".into(),
            );
        }
        if !(10..=SEARCH_LIMIT).contains(&self.candidates) {
            return refuse(
                "candidates",
                format!("expected 10 to {SEARCH_LIMIT}, got {}", self.candidates),
            );
        }
        match self.max_ms {
            Some(most) if !(most > 0.0 && most.is_finite()) => {
                refuse("max_ms", format!("expected milliseconds, more than 0, got {most}"))
            }
            _ => Ok(()),
        }
    }

    fn run(&self, job: &Job, services: &Services, run: &Run<'_>) -> Result<Value, JobError> {
        let reference = ModelRef::read(&self.model).unwrap_or_else(ModelRef::production);
        let model = services.serving.route_blocking(&job.hardware, &reference)?.model;
        let search = Search {
            model: &model,
            most_ms: self.max_ms,
            upper: self.upper,
            candidates: self.candidates,
            seed: self.seed,
            // Predictions go on beside it.
            threads: (cores() - 1).max(1),
        };
        // Requests come first.
        priority::lower();
        let mut score = match self.score {
            SearchScore::Macs => Score::Macs,
            SearchScore::Parameters => Score::Parameters,
        };
        let of = self.candidates as u64;
        let found = search.run(&mut score, &mut |done| {
            run.progress(done as u64, of, "architectures".into());
            !run.is_stopped()
        })?;
        let front = services.store.put_blob(&canonical_json(&found.front)?)?;
        Ok(json!({
            "version": model.version, "runtime": model.runtime, "batch_size": model.batch_size, "score": self.score, "candidates": found.candidates, "seconds": found.seconds,
            "found": found.front.len(), "front": front, "some": some(&found.front),
        }))
    }
}

/// Some of the front, evenly from end to end.
fn some(front: &[Candidate]) -> Vec<&Candidate> {
    let count = front.len().min(SHOWN);
    let place = |at: usize| at * front.len().saturating_sub(1) / (count - 1).max(1);
    (0..count).map(|at| &front[place(at)]).collect()
}

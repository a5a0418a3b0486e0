//! Measuring jobs. They need no checkpoint: a campaign skips what is measured.

use lglp_openapi::jobs::{MEASURE_LIMIT, MeasureParameters};
use lglp_registry::{Error, HardwareName, Job, Result};
use serde_json::{Value, json};

use super::{JobError, Run, Tools, Work};
use crate::measure::{BATCHES, Campaign, CampaignEvent, Protocol, Setup, Wanted};
use crate::plugins::Kind;

/// How a new target is to measure.
fn setup(parameters: &MeasureParameters) -> Setup {
    Setup {
        runtime: parameters.runtime.clone(),
        settings: parameters.settings.clone(),
        batch: parameters.batch_size,
    }
}

impl Work for MeasureParameters {
    fn check(&self, hardware: &HardwareName, tools: &Tools) -> Result<()> {
        let refuse = |field: &str, reason: String| Err(Error::invalid(format!("parameters.{field}"), reason));
        if let Err(unknown) = tools.spaces.get(&self.space) {
            return refuse("space", unknown.to_string());
        }
        if !(1..=MEASURE_LIMIT).contains(&self.count) {
            return refuse("count", format!("expected 1 to {MEASURE_LIMIT}, got {}", self.count));
        }
        if self.weighted > MEASURE_LIMIT {
            return refuse(
                "weighted",
                format!("expected at most {MEASURE_LIMIT}, got {}", self.weighted),
            );
        }
        if self.weighted > 0 && self.round > 0 {
            return refuse(
                "weighted",
                "weighted draws are new architectures: of round 0 only".into(),
            );
        }
        if !BATCHES.contains(&self.batch_size) {
            return refuse(
                "batch_size",
                format!("expected 1 to {}, got {}", BATCHES.end(), self.batch_size),
            );
        }
        Protocol::within(self.budget_s)?;
        let is_new = matches!(tools.store.hardware(hardware), Err(Error::NotFound { .. }));
        if is_new && let Err(missing) = tools.host.component(Kind::Runtime, &self.runtime) {
            return refuse("runtime", missing.to_string());
        }
        Ok(())
    }

    fn run(&self, job: &Job, tools: &Tools, run: &Run<'_>) -> Result<Value, JobError> {
        let campaign = Campaign {
            store: &*tools.store,
            host: &tools.host,
            space: tools.spaces.get(&self.space)?,
            spaces: &tools.spaces,
            hardware: &job.hardware,
            actor: &job.created_by,
            setup: Some(setup(self)),
            protocol: Protocol::within(self.budget_s)?,
            wanted: match self.round {
                0 => Wanted::Fresh {
                    seed: self.seed,
                    uniform: self.count,
                    weighted: self.weighted,
                },
                round => Wanted::Again {
                    round,
                    count: self.count,
                },
            },
        };
        let of = (self.count + self.weighted) as u64;
        let mut done = 0;
        let mut progress = |event| match event {
            CampaignEvent::Calibrating { done, of } => {
                run.progress(done as u64, of as u64, "calibrating the reference network".into());
            }
            CampaignEvent::Resuming { done: before } => {
                done = before as u64;
                run.progress(done, of, format!("{before} measured before"));
            }
            CampaignEvent::Measured { latency_ms, half_width } => {
                done += 1;
                run.progress(done, of, format!("{latency_ms:.1} ms +- {:.1} %", 100.0 * half_width));
            }
        };
        let summary = campaign.run(&mut progress, &|| run.is_stopped())?;
        Ok(json!(summary))
    }
}

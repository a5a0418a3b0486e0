//! Jobs: training, measuring and searching that the server does in the background.
//!
//! A job is a record of the registry, which says how it got there and how it ended ([`lglp_registry::Job`]). Here is what
//! each kind does (one file a kind, and one line in `kind`), who does it (`executor.rs`: threads of the server;
//! `leasing.rs`: workers on other machines, `sharing.rs`: several of them one job), what the work tells meanwhile (`run.rs`),
//! and who hears it (`feed.rs`).

mod by_workers;
mod error;
mod executor;
mod feed;
mod leasing;
mod measure;
mod onboard;
mod plans;
mod run;
mod search;
mod sharing;
mod train;
mod validate;

pub use error::JobError;
pub use executor::Jobs;
pub(crate) use feed::JobLabels;
pub use feed::Listener;
pub(crate) use leasing::WORKER_LEASE_S;
pub use plans::Plans;
pub use run::Run;
pub(crate) use sharing::IN_HAND;
pub use train::{quantity, wanted};
pub use validate::selection;

use std::path::PathBuf;
use std::sync::Arc;

use lglp_engine::host::PluginHost;
use lglp_engine::spaces::Spaces;
use lglp_openapi::jobs::{MeasureParameters, OnboardParameters, SearchParameters, TrainParameters, ValidateParameters};
use lglp_registry::{Error, HardwareName, Job, JobKind, NewJob, Result, Store};
use lglp_sdk::Excerpt;
use lglp_sdk::excerpt::MESSAGE;
use lglp_sdk::strict::Strict;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serde_path_to_error::Segment;

use crate::serving::Serving;

/// Jobs that may wait, unless told otherwise.
pub const QUEUE_LIMIT: usize = 64;

/// What the work of jobs needs.
pub struct Services {
    /// The registry: jobs, measurements, versions.
    pub store: Arc<dyn Store>,
    /// The plugins.
    pub host: Arc<PluginHost>,
    /// The search spaces that there are here.
    pub spaces: Arc<Spaces>,
    /// Loaded models, for what a job asks of versions.
    pub serving: Arc<Serving>,
    /// Folder of the recipes.
    pub recipes: PathBuf,
    /// What measuring jobs measure.
    pub plans: Plans,
}

/// The work of one kind of job; implemented for its parameters.
pub trait Work: Serialize + DeserializeOwned {
    /// Refuses what can never succeed, when the job is created.
    ///
    /// # Errors
    /// `Invalid` naming a field of `parameters`; `NotFound` for the hardware target.
    fn check(&self, hardware: &HardwareName, tools: &Services) -> Result<()>;

    /// Does it, from where a process that went away had left it. Ends early with [`JobError::Stopped`] where
    /// `Run::is_stopped` says so.
    ///
    /// # Errors
    /// Why the job fails.
    fn run(&self, job: &Job, tools: &Services, run: &Run<'_>) -> Result<Value, JobError>;
}

/// The work of a kind of job, whatever its parameters are.
struct Kind {
    check: fn(Value, &HardwareName, &Services) -> Result<Value>,
    run: fn(&Job, &Services, &Run<'_>) -> Result<Value, JobError>,
}

/// The work of each kind.
fn kind(kind: JobKind) -> Result<Kind> {
    match kind {
        JobKind::Train => Ok(Kind::of::<TrainParameters>()),
        JobKind::Measure => Ok(Kind::of::<MeasureParameters>()),
        JobKind::Validate => Ok(Kind::of::<ValidateParameters>()),
        JobKind::Onboard => Ok(Kind::of::<OnboardParameters>()),
        JobKind::Search => Ok(Kind::of::<SearchParameters>()),
        other => Err(Error::invalid(
            "kind",
            format!("{other} is nothing that this server does"),
        )),
    }
}

impl Kind {
    fn of<W: Work>() -> Self {
        Self {
            check: |parameters, hardware, tools| {
                let work: W = parse(parameters)?;
                work.check(hardware, tools)?;
                Ok(json!(work))
            },
            run: |job, tools, run| parse::<W>(job.parameters.clone())?.run(job, tools, run),
        }
    }
}

/// Checks a job that is to be created, and fills in the defaults of its parameters.
///
/// # Errors
/// `Invalid` naming the field; `NotFound` for the hardware target.
pub fn check(new: NewJob, tools: &Services) -> Result<NewJob> {
    let parameters = (kind(new.kind)?.check)(new.parameters, &new.hardware, tools)?;
    Ok(NewJob { parameters, ..new })
}

/// Reads parameters; an error names the field.
fn parse<W: Work>(parameters: Value) -> Result<W> {
    let parameters = if parameters.is_null() { json!({}) } else { parameters };
    serde_path_to_error::deserialize(Strict::closed(parameters)).map_err(|error| {
        let step = |segment: &Segment| match segment {
            Segment::Seq { index } => format!(".{index}"),
            Segment::Unknown => String::new(),
            named => format!(".{named}"),
        };
        let path: String = error.path().iter().map(step).collect();
        let place = format!("parameters{path}");
        Error::invalid(place, Excerpt::within(error.into_inner(), MESSAGE).to_string())
    })
}

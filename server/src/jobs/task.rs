//! What a job does: its kind and the parameters of that kind.

use lglp_openapi::jobs::{MeasureParameters, OnboardParameters, SearchParameters, TrainParameters, ValidateParameters};
use lglp_registry::{Error, HardwareName, Job, JobKind, NewJob, Result};
use lglp_sdk::Excerpt;
use lglp_sdk::excerpt::MESSAGE;
use lglp_sdk::strict::Strict;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serde_path_to_error::Segment;

use super::{JobError, Run, Services};

/// The work of one kind of job; implemented for its parameters.
pub trait Work {
    /// Refuses what can never succeed, when the job is created.
    ///
    /// # Errors
    /// `Invalid` naming a field of `parameters`; `NotFound` for the hardware target.
    fn check(&self, hardware: &HardwareName, services: &Services) -> Result<()>;

    /// Does it, from where a process that went away had left it. Ends early with [`JobError::Stopped`] where
    /// `Run::is_stopped` says so.
    ///
    /// # Errors
    /// Why the job fails.
    fn run(&self, job: &Job, services: &Services, run: &Run<'_>) -> Result<Value, JobError>;
}

/// What a job does.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Task {
    Train(TrainParameters),
    Measure(MeasureParameters),
    Validate(ValidateParameters),
    Onboard(OnboardParameters),
    Search(SearchParameters),
}

impl Task {
    /// What a job that was taken does.
    ///
    /// # Errors
    /// `Invalid` naming the field, which a job of another version of the program may have.
    pub(super) fn of(job: &Job) -> Result<Self> {
        Self::read(job.kind, job.parameters.clone())
    }

    fn read(kind: JobKind, parameters: Value) -> Result<Self> {
        match kind {
            JobKind::Train => parse(parameters).map(Self::Train),
            JobKind::Measure => parse(parameters).map(Self::Measure),
            JobKind::Validate => parse(parameters).map(Self::Validate),
            JobKind::Onboard => parse(parameters).map(Self::Onboard),
            JobKind::Search => parse(parameters).map(Self::Search),
            other => Err(Error::invalid(
                "kind",
                format!("{other} is nothing that this server does"),
            )),
        }
    }

    fn work(&self) -> &dyn Work {
        match self {
            Self::Train(parameters) => parameters,
            Self::Measure(parameters) => parameters,
            Self::Validate(parameters) => parameters,
            Self::Onboard(parameters) => parameters,
            Self::Search(parameters) => parameters,
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// Why the job fails.
    pub(super) fn run(&self, job: &Job, services: &Services, run: &Run<'_>) -> Result<Value, JobError> {
        self.work().run(job, services, run)
    }
}

/// Checks a job that is to be created, and fills in the defaults of its parameters.
///
/// # Errors
/// `Invalid` naming the field; `NotFound` for the hardware target.
pub fn check(new: NewJob, services: &Services) -> Result<NewJob> {
    let task = Task::read(new.kind, new.parameters)?;
    task.work().check(&new.hardware, services)?;
    let parameters = json!(task);
    Ok(NewJob { parameters, ..new })
}

/// Reads parameters; an error names the field.
pub(super) fn parse<P: DeserializeOwned>(parameters: Value) -> Result<P> {
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

//! Why a job ends without a result.

use lglp_engine::host::PluginError;
use lglp_engine::measure::MeasureError;
use lglp_engine::onboard::OnboardError;
use lglp_engine::predictor::RecipeError;
use lglp_engine::search::SearchError;
use lglp_engine::spaces::{SpaceError, UnknownSpace};
use lglp_engine::train::{DataError, KeepError, TrainError};
use lglp_engine::validate::ValidateError;
use lglp_registry::{HardwareName, JobState};

use crate::serving::ServingError;

/// Why a job ends without a result. All but a stop make it fail, with the error's text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// It needs what another job does first: it is queued again.
    #[error("it waits for another job")]
    Waiting,
    /// The job that it needs came to nothing.
    #[error("job {job}, which was to measure for it, is {state}{}", reason.as_ref().map_or_else(String::new, |r| format!(": {r}")))]
    Needed {
        /// Number of the job that was needed.
        job: u64,
        /// How that one ended.
        state: JobState,
        /// Its error, where it has one.
        reason: Option<String>,
    },
    /// The network that labels of the target are relative to is not known here.
    #[error("the reference network of `{hardware}` belongs to no search space here, or to another definition of one")]
    UnknownReference {
        /// The target whose labels are relative to it.
        hardware: HardwareName,
    },
    /// It was to be cancelled, or the server stops.
    #[error("stopped")]
    Stopped,
    /// The registry cannot be read or written, or refuses.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
    /// It names a search space that is not there.
    #[error(transparent)]
    UnknownSpace(#[from] UnknownSpace),
    /// It names no search space, and the target does not tell which is meant; or it names one that is not there.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// Its recipe cannot be read or used.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// There are no data to train on, or they do not fit the space.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Training failed, otherwise than by being cancelled.
    #[error(transparent)]
    Train(TrainError),
    /// What was fitted could not be saved or recorded.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// Measuring failed. What was measured before is recorded.
    #[error(transparent)]
    Measure(MeasureError),
    /// A validation gave no report, for another reason than measuring.
    #[error(transparent)]
    Validate(ValidateError),
    /// Onboarding failed in another way than measuring or training.
    #[error(transparent)]
    Onboard(OnboardError),
    /// The version that is to be asked is not there, or cannot be used.
    #[error(transparent)]
    Serving(#[from] ServingError),
    /// The search ended without a result.
    #[error(transparent)]
    Search(SearchError),
    /// What the job had kept to go on with cannot be read.
    #[error("its checkpoint cannot be read: {0}")]
    Checkpoint(serde_json::Error),
    /// A fault of this program.
    #[error("the work panicked: {0}")]
    Panicked(String),
}

impl From<TrainError> for JobError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Plugin(PluginError::Cancelled { .. }) => Self::Stopped,
            error => Self::Train(error),
        }
    }
}

impl From<OnboardError> for JobError {
    fn from(error: OnboardError) -> Self {
        match error {
            OnboardError::Train(error) => error.into(),
            OnboardError::Measure(error) => error.into(),
            error => Self::Onboard(error),
        }
    }
}

impl From<SearchError> for JobError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Stopped => Self::Stopped,
            error => Self::Search(error),
        }
    }
}

impl From<ValidateError> for JobError {
    fn from(error: ValidateError) -> Self {
        match error {
            ValidateError::Measure(error) => error.into(),
            error => Self::Validate(error),
        }
    }
}

impl From<MeasureError> for JobError {
    fn from(error: MeasureError) -> Self {
        match error {
            MeasureError::Stopped => Self::Stopped,
            error => Self::Measure(error),
        }
    }
}

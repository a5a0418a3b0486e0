//! The work of a prediction, in units of the crew's.

use std::ops::Range;
use std::sync::Arc;

use lglp_engine::predictor::ROWS_PER_UNIT;
use lglp_engine::spaces::Spaces;

use super::super::problem::{ApiError, FAULTS_LISTED};
use super::answer::response;
use super::binary::binary;
use super::body::{PredictBody, Read};
use super::small::Small;
use super::source::Source;
use crate::compute::{Lost, Turn};
use crate::serving::{Answered, Route, Serving};

/// Architectures that are read at once: in a fraction of a millisecond as they mostly are, in some where they are not.
const READ_AT_ONCE: usize = 256;

/// A request, and what answers it.
pub(super) struct Prediction {
    pub(super) serving: Arc<Serving>,
    pub(super) spaces: Arc<Spaces>,
    pub(super) route: Route,
    pub(super) request: PredictBody,
    /// Architectures of the request.
    pub(super) rows: usize,
    /// Whether its architectures are read in less time than it takes to hand them to another thread.
    pub(super) is_short: bool,
}

/// An answer that is ready to be sent.
pub(super) struct Served {
    pub(super) body: Vec<u8>,
    /// The version that the request leads to.
    pub(super) version: u32,
    /// Predictions by the version that made them.
    pub(super) counts: Vec<(u32, u64)>,
}

impl Prediction {
    /// All of it: in one unit where it is small, else in units for reading, predicting and writing, one after the other.
    pub(super) async fn run(self, turn: &Turn) -> Result<Served, ApiError> {
        self.request.check_space(&self.route.model, &self.spaces)?;
        let rows = self.rows;
        if self.is_short && rows <= ROWS_PER_UNIT && Small::suits(&self.route) {
            return self.small(turn).await;
        }
        let work = Arc::new(self);
        let account = &work.route.model.account;
        if rows <= ROWS_PER_UNIT {
            return once_more(&work, async || {
                let work = work.clone();
                let all = move || {
                    let read = work.read(0..rows)?;
                    let answered = work.serving.answer(&work.route, &read.architectures)?;
                    work.write(&read, answered)
                };
                turn.run(account, rows, all).await?
            })
            .await;
        }
        let reading = work.clone();
        // What does not fit the space is no reason to stop reading: all faults are told at once.
        let read = turn
            .each(account, (rows, READ_AT_ONCE), move |part| {
                Ok::<_, ApiError>(reading.read(part))
            })
            .await?;
        let read = Arc::new(whole(read)?);
        let answered = once_more(&work, async || {
            let (work, read) = (work.clone(), read.clone());
            let at_once = work.route.model.rows_at_once();
            turn.each(account, (read.architectures.len(), at_once), move |part| {
                Ok::<_, ApiError>(work.serving.answer(&work.route, &read.architectures[part])?)
            })
            .await
        })
        .await?;
        let answered = answered.into_iter().flatten().collect();
        let account = account.clone();
        turn.run(&account, ROWS_PER_UNIT, move || work.write(&read, answered))
            .await?
    }

    /// A request that may be predicted together with others.
    async fn small(self, turn: &Turn) -> Result<Served, ApiError> {
        let read = self.read(0..self.rows)?;
        let rows = read.architectures.len();
        let (unit, answer) = Small::new(self.serving.clone(), self.route.clone(), read.architectures.clone());
        turn.submit_unit(&self.route.model.account, rows, unit);
        let answered = answer.await.unwrap_or_else(|_| Err(Lost::Unwanted.into()))?;
        self.write(&read, answered)
    }

    fn read(&self, part: Range<usize>) -> Result<Read, ApiError> {
        self.request.architectures(&self.route.model.space, &self.spaces, part)
    }

    fn write(&self, read: &Read, answered: Vec<Answered>) -> Result<Served, ApiError> {
        self.serving.compare(&self.route, &read.architectures, &answered);
        let version = self.route.model.version;
        let by_model = answered.iter().filter(|a| a.version == version).count();
        let canary = self.route.canary.as_ref().map(|canary| canary.version);
        let by_canary = canary.map(|version| (version, (answered.len() - by_model) as u64));
        let counts = [(version, by_model as u64)].into_iter().chain(by_canary).collect();
        let body = match self.request.architectures {
            Source::Rows(_) => binary(&answered, &read.faults),
            Source::Texts(_) => {
                let json = serde_json::to_vec(&response(&self.route, answered, &read.faults));
                json.map_err(|e| ApiError::internal(e.to_string()))?
            }
        };
        Ok(Served { body, version, counts })
    }
}

/// Does it again where the canary may have been what did not come back: it is in quarantine then, and leaves the answer to
/// production.
async fn once_more<T>(work: &Prediction, attempt: impl AsyncFn() -> Result<T, ApiError>) -> Result<T, ApiError> {
    match attempt().await {
        Err(error) if error.is_overdue() && work.route.canary.is_some() => attempt().await,
        other => other,
    }
}

/// Puts parts together, or their faults.
fn whole(parts: Vec<Result<Read, ApiError>>) -> Result<Read, ApiError> {
    let mut whole = Read::default();
    let mut faults = Vec::new();
    for part in parts {
        match part {
            Ok(part) => {
                whole.architectures.extend(part.architectures);
                whole.faults.extend(part.faults);
            }
            Err(error) => match error.into_faults() {
                Ok(more) => faults.extend(more),
                Err(other) => return Err(other),
            },
        }
    }
    if faults.is_empty() {
        return Ok(whole);
    }
    faults.truncate(FAULTS_LISTED);
    Err(ApiError::invalid_request(faults))
}

//! Reads that take long: few at once, few that wait, so that they take neither threads nor memory from the rest.

use std::sync::Arc;

use actix_web::web;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::State;
use super::answer::Answer;
use super::budget::{Budget, Charge};
use super::caller::Caller;
use super::extract::blocking;
use super::problem::ApiError;

/// How many run at once.
const AT_ONCE: usize = 2;

/// How many may run or wait, of all callers.
const PLACES: usize = 64;

/// The budget of such reads.
pub struct HeavyReads {
    places: Budget,
    running: Arc<Semaphore>,
}

impl Default for HeavyReads {
    fn default() -> Self {
        Self {
            places: Budget::new(PLACES),
            running: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

/// Leave to run; held by the work itself, which may go on after whoever asked has gone.
pub struct Leave {
    _place: Charge,
    _running: OwnedSemaphorePermit,
}

impl HeavyReads {
    /// Waits for its turn.
    ///
    /// # Errors
    /// 429 where too many wait.
    pub async fn leave(&self, caller: &Caller) -> Result<Leave, ApiError> {
        let busy = |_| ApiError::too_many("too many long reads are waiting; try again in some seconds");
        let mut place = self.places.charge_to(caller.name.clone());
        place.grow(1).map_err(busy)?;
        Ok(Leave {
            _place: place,
            _running: self.turn().await?,
        })
    }

    /// Waits for its turn, however many wait: for what is under way already, such as the next page of a list.
    ///
    /// # Errors
    /// None, as long as the server runs.
    pub async fn turn(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let running = self.running.clone().acquire_owned().await;
        running.map_err(|e| ApiError::internal(e.to_string()))
    }
}

/// Does work that takes long when its turn has come.
pub(super) async fn heavy<T, E>(
    state: &web::Data<State>,
    caller: &Caller,
    work: impl FnOnce(&State) -> Result<T, E> + Send + 'static,
) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    let leave = state.heavy.leave(caller).await?;
    let state = state.clone();
    blocking(move || {
        let _leave = leave;
        work(&state)
    })
    .await
}

/// As [`heavy`], with what comes out as JSON.
pub(super) async fn heavy_json<T, E>(
    state: &web::Data<State>,
    caller: &Caller,
    work: impl FnOnce(&State) -> Result<T, E> + Send + 'static,
) -> Result<Answer<T>, ApiError>
where
    T: Serialize,
    E: Into<ApiError>,
{
    let json = heavy(state, caller, |state| {
        let found = work(state).map_err(Into::into)?;
        serde_json::to_vec(&found).map_err(|e| ApiError::internal(e.to_string()))
    });
    Ok(Answer::written(json.await?))
}

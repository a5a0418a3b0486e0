//! Reads that take long: few at once, few that wait, so that they take neither threads nor memory from the rest.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::State;
use super::extract::blocking;
use super::memory::{Charge, Memory};
use super::problem::ApiError;

/// How many run at once, and how many may wait for them.
const AT_ONCE: usize = 2;
const WAITING: usize = 32;

/// Bytes of their answers that may be held at once: a reader may be slow.
const ANSWERS: usize = 512 << 20;

/// The budget of such reads.
pub struct HeavyReads {
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
    answers: Memory,
}

impl Default for HeavyReads {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            running: Arc::new(Semaphore::new(AT_ONCE)),
            answers: Memory::new(ANSWERS),
        }
    }
}

/// Leave to run; held by the work itself, which may go on after whoever asked has gone.
pub struct Leave {
    _place: OwnedSemaphorePermit,
    _running: OwnedSemaphorePermit,
}

impl HeavyReads {
    /// Waits for its turn.
    ///
    /// # Errors
    /// 429 where too many wait.
    pub async fn leave(&self) -> Result<Leave, ApiError> {
        let busy = |_| ApiError::too_many("too many long reads are waiting; try again in some seconds");
        let place = self.places.clone().try_acquire_owned().map_err(busy)?;
        let running = self.running.clone().acquire_owned().await;
        Ok(Leave {
            _place: place,
            _running: running.map_err(|e| ApiError::internal(e.to_string()))?,
        })
    }

    /// A body that counts among the answers until it is sent.
    ///
    /// # Errors
    /// 429 where too much is being sent; a single one is always taken.
    pub fn answer(&self, bytes: Vec<u8>) -> Result<Answer, ApiError> {
        let mut charge = self.answers.charge();
        charge
            .grow(bytes.len().min(ANSWERS))
            .map_err(|_| ApiError::too_many("too many large answers are being sent; try again in some seconds"))?;
        Ok(Answer {
            bytes: bytes.into(),
            _charge: charge,
        })
    }
}

/// Does work that takes long when its turn has come.
pub async fn heavy<T, E>(
    state: &web::Data<State>,
    work: impl FnOnce(&State) -> Result<T, E> + Send + 'static,
) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    let leave = state.heavy.leave().await?;
    let state = state.clone();
    blocking(move || {
        let _leave = leave;
        work(&state)
    })
    .await
}

/// As [`heavy`], with what comes out as JSON.
pub async fn heavy_json<T, E>(
    state: &web::Data<State>,
    work: impl FnOnce(&State) -> Result<T, E> + Send + 'static,
) -> Result<HttpResponse, ApiError>
where
    T: Serialize,
    E: Into<ApiError>,
{
    let json = heavy(state, |state| {
        let found = work(state).map_err(Into::into)?;
        serde_json::to_vec(&found).map_err(|e| ApiError::internal(e.to_string()))
    });
    let answer = state.heavy.answer(json.await?)?;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(answer))
}

/// A body that is accounted for.
pub struct Answer {
    bytes: web::Bytes,
    _charge: Charge,
}

impl MessageBody for Answer {
    type Error = <web::Bytes as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.bytes.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        Pin::new(&mut self.bytes).poll_next(context)
    }
}

//! [`Turn`]: a request's place among those that compute.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};
use lglp_engine::predictor::ROWS_PER_UNIT;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::asked::Asked;
use super::{Account, Crew, Lost, Place, Unit};

/// Rows that may wait for each thread, about half a minute of work where a unit takes [`super::USUAL_UNIT`]; what is no larger than a unit is not counted out.
const ROWS_PER_THREAD: usize = 50_000;

/// Where requests ask for a turn.
pub struct Desk {
    crew: Arc<Crew>,
    places: Arc<Semaphore>,
    /// Rows that wait, those that take longer counted several times, and how many may.
    rows: Arc<AtomicUsize>,
    most_rows: usize,
}

/// Too much waits already.
#[derive(Debug, thiserror::Error)]
#[error("too many predictions are waiting; try again in a second, or send several architectures in one request")]
pub struct Full;

/// A request's place. Dropping it gives the place back, and drops what it has waiting.
pub struct Turn {
    crew: Arc<Crew>,
    number: u64,
    /// Rows that were handed out so far.
    got: AtomicU64,
    gone: AtomicBool,
    most_rows: usize,
    rows: Arc<AtomicUsize>,
    /// Of these, how many are this request's.
    expected: AtomicUsize,
    _place: OwnedSemaphorePermit,
}

impl Desk {
    /// So many requests may wait or compute at once.
    pub fn new(crew: Arc<Crew>, places: usize) -> Self {
        Self {
            most_rows: crew.size().saturating_mul(ROWS_PER_THREAD),
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            rows: Arc::default(),
            crew,
        }
    }

    /// Takes a place.
    ///
    /// # Errors
    /// [`Full`] where all are taken.
    pub fn turn(&self) -> Result<Turn, Full> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| Full)?;
        Ok(Turn {
            number: self.crew.number(),
            crew: self.crew.clone(),
            got: AtomicU64::new(0),
            gone: AtomicBool::new(false),
            most_rows: self.most_rows,
            rows: self.rows.clone(),
            expected: AtomicUsize::new(0),
            _place: place,
        })
    }

    /// Rows that wait or are being predicted, those that take longer counted several times.
    pub fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// Answers what waits; what runs ends with the unit that it is in.
    pub fn stop(&self) {
        self.crew.stop();
    }

    /// Answers what runs still, after [`Self::stop`].
    pub(crate) fn abandon(&self) {
        self.crew.abandon();
    }
}

impl Turn {
    /// Says how many rows are to come; each counts `times`, since it takes as often as long as others.
    ///
    /// # Errors
    /// [`Full`] where too many wait already. A request of one unit passes between the others, and is always taken.
    pub fn expect(&self, rows: usize, times: usize) -> Result<(), Full> {
        let counted = rows.saturating_mul(times);
        let fits = |waiting: usize| {
            let sum = waiting.saturating_add(counted);
            (rows <= ROWS_PER_UNIT || waiting == 0 || sum <= self.most_rows).then_some(sum)
        };
        let updated = self.rows.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        updated.map_err(|_| Full)?;
        self.expected.fetch_add(counted, Ordering::Relaxed);
        Ok(())
    }

    /// Has work done that counts as so many rows; its time is charged to the account.
    pub async fn run<T: Send + 'static>(
        &self,
        account: &Account,
        rows: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Lost> {
        let answer = self.submit(account, rows, work);
        answer.await.unwrap_or(Err(Lost::Unwanted))
    }

    /// As [`Self::run`], for a thread that may block.
    pub(crate) fn run_blocking<T: Send + 'static>(
        &self,
        account: &Account,
        rows: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Lost> {
        let answer = self.submit(account, rows, work);
        answer.blocking_recv().unwrap_or(Err(Lost::Unwanted))
    }

    /// Does work on parts of `0..rows` of so many rows, several at once, and gives what comes out in their order. The first error ends it.
    pub async fn each<T, E>(
        &self,
        account: &Account,
        (rows, at_once): (usize, usize),
        work: impl Fn(Range<usize>) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<Vec<T>, E>
    where
        T: Send + 'static,
        E: From<Lost> + Send + 'static,
    {
        let work = Arc::new(work);
        let parts = stream::iter(parts(rows, at_once)).map(|part| {
            let work = work.clone();
            async move { self.run(account, part.len(), move || work(part)).await? }
        });
        // One more than threads: so none waits for this request's next unit.
        parts.buffered(self.crew.size() + 1).try_collect().await
    }

    /// Ends what runs for the request with the unit that it is in: whoever asked has gone.
    pub fn give_up(&self) {
        self.gone.store(true, Ordering::Release);
        self.crew.forget(self.number);
    }

    fn submit<T: Send + 'static>(
        &self,
        account: &Account,
        rows: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> oneshot::Receiver<Result<T, Lost>> {
        // What is logged there is known to be this request's.
        let span = tracing::Span::current();
        let (unit, answer) = Asked::new(move || span.in_scope(work));
        self.submit_unit(account, rows, Arc::new(unit));
        answer
    }

    /// Has a unit done that counts as so many rows. Once the request is given up it is dropped, which whoever waits for it sees.
    pub(crate) fn submit_unit(&self, account: &Account, rows: usize, unit: Arc<dyn Unit>) {
        if !self.gone.load(Ordering::Acquire) {
            let got = self.got.fetch_add(rows as u64, Ordering::Relaxed);
            let (account, request) = (account.clone(), self.number);
            self.crew.submit(Place { account, request, got }, unit);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.give_up();
        self.rows.fetch_sub(*self.expected.get_mut(), Ordering::Relaxed);
    }
}

/// The parts of `0..rows` that make a unit each, of so many rows.
pub(crate) fn parts(rows: usize, at_once: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows)
        .step_by(at_once)
        .map(move |first| first..rows.min(first + at_once))
}

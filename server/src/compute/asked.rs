//! Units that somebody waits for.

use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use super::{Lost, Unit};

/// Work that somebody waits for.
pub(super) struct Asked<T, F> {
    work: Mutex<Option<F>>,
    answer: Mutex<Option<oneshot::Sender<Result<T, Lost>>>>,
}

impl<T, F> Asked<T, F> {
    /// The unit, and where its answer comes out.
    pub(super) fn new(work: F) -> (Self, oneshot::Receiver<Result<T, Lost>>) {
        let (answer, receiver) = oneshot::channel();
        let unit = Self {
            work: Mutex::new(Some(work)),
            answer: Mutex::new(Some(answer)),
        };
        (unit, receiver)
    }

    fn answer(&self, answer: Result<T, Lost>) {
        let sender = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = sender {
            // Whoever has gone hears nothing.
            let _ = sender.send(answer);
        }
    }
}

impl<T: Send + 'static, F: FnOnce() -> T + Send + 'static> Unit for Asked<T, F> {
    fn run(&self) {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(work) = work {
            self.answer(Ok(work()));
        }
    }

    fn fail(&self, lost: Lost) {
        self.answer(Err(lost));
    }

    fn is_wanted(&self) -> bool {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        answer.as_ref().is_some_and(|sender| !sender.is_closed())
    }
}

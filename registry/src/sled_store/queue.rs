//! The queue of those who want to write.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::{Error, Result};

/// Writers that may wait at once. Each of them keeps a thread, of which a server has several hundred; a commit takes
/// milliseconds.
const WAITING: usize = 64;

/// Writers go one after the other; those that would wait behind too many others are sent away.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    over: Condvar,
}

#[derive(Debug, Default)]
struct State {
    taken: bool,
    waiting: usize,
}

/// The right to write, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Queue);

impl Queue {
    /// Waits until nobody else writes.
    ///
    /// # Errors
    /// [`Error::Busy`].
    pub(super) fn turn(&self) -> Result<Turn<'_>> {
        let mut state = self.state();
        if state.taken && state.waiting >= WAITING {
            return Err(Error::Busy { waiting: WAITING });
        }
        state.waiting += 1;
        let waited = self.over.wait_while(state, |state| state.taken);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        state.taken = true;
        Ok(Turn(self))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state().taken = false;
        self.0.over.notify_one();
    }
}

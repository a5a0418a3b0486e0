//! The memory that bodies may take, all requests together: whoever asks for more than is left is told to come again.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is counted in: a semaphore has too few permits for bytes.
const GRAIN: usize = 1 << 10;

/// A budget of memory.
#[derive(Clone)]
pub struct Memory {
    grains: Arc<Semaphore>,
    bytes: usize,
}

/// A part of a budget, given back when it is dropped.
pub struct Charge {
    memory: Memory,
    taken: Option<OwnedSemaphorePermit>,
    /// Bytes that were asked for so far.
    bytes: usize,
}

/// Why nothing is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is not as much left.
    Busy,
    /// There is not as much in all.
    TooMuch,
}

impl Memory {
    pub fn new(bytes: usize) -> Self {
        Self {
            grains: Arc::new(Semaphore::new(bytes / GRAIN)),
            bytes,
        }
    }

    /// Nothing yet.
    pub fn charge(&self) -> Charge {
        Charge {
            memory: self.clone(),
            taken: None,
            bytes: 0,
        }
    }

    /// Whether so much is left now.
    pub fn has(&self, bytes: usize) -> bool {
        self.grains.available_permits() >= bytes / GRAIN
    }
}

impl Charge {
    /// Takes so many bytes more.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Refused> {
        let sum = self.bytes.saturating_add(bytes);
        if sum > self.memory.bytes {
            return Err(Refused::TooMuch);
        }
        let more = sum.div_ceil(GRAIN) - self.bytes.div_ceil(GRAIN);
        let more = u32::try_from(more).map_err(|_| Refused::TooMuch)?;
        let taken = self.memory.grains.clone().try_acquire_many_owned(more);
        let taken = taken.map_err(|_| Refused::Busy)?;
        match &mut self.taken {
            Some(before) => before.merge(taken),
            None => self.taken = Some(taken),
        }
        self.bytes = sum;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_given_back() {
        let memory = Memory::new(10 * GRAIN);
        let mut first = memory.charge();
        first.grow(100).expect("there is enough");
        first.grow(6 * GRAIN).expect("there is enough");
        let mut second = memory.charge();
        assert_eq!(second.grow(4 * GRAIN), Err(Refused::Busy));
        assert_eq!(second.grow(11 * GRAIN), Err(Refused::TooMuch));
        drop(first);
        second.grow(10 * GRAIN).expect("all of it is there again");
    }
}

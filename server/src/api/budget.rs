//! Budgets of bytes or places, which requests share. Nobody may hold more of one than is left for the others: whoever comes first
//! gets half at most, a second one half of the rest, so that something is always left for one who has nothing yet (a dynamic threshold, as
//! switches divide their buffers: Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::{HttpMessage as _, HttpRequest};

use super::caller::Caller;

/// A budget of so many units: bytes, or places.
#[derive(Clone)]
pub struct Budget(Arc<Shared>);

struct Shared {
    units: usize,
    books: Mutex<Books>,
}

/// Who holds what.
#[derive(Default)]
struct Books {
    held: usize,
    /// Units of each owner; whoever has none is not in it.
    owners: HashMap<String, usize>,
}

/// A part of a budget, given back when it is dropped.
pub struct Charge {
    budget: Budget,
    owner: String,
    units: usize,
}

/// Why nothing is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is not as much left, or the owner holds its share already.
    Busy,
    /// There is never as much for one.
    TooMuch,
}

impl Budget {
    /// A budget of so many units, of which one owner gets half at most.
    pub fn new(units: usize) -> Self {
        let books = Mutex::default();
        Self(Arc::new(Shared { units, books }))
    }

    /// Nothing yet, for whoever makes a request.
    pub fn charge(&self, request: &HttpRequest) -> Charge {
        let caller = request.extensions().get::<Caller>().map(|caller| caller.name.clone());
        self.charge_to(caller.unwrap_or_default())
    }

    /// Nothing yet, for an owner.
    pub(crate) fn charge_to(&self, owner: String) -> Charge {
        Charge {
            budget: self.clone(),
            owner,
            units: 0,
        }
    }

    /// Units that one owner gets at most, while there is no other.
    pub fn most(&self) -> usize {
        self.0.units / 2
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Charge {
    /// Whether so many units more would be given now.
    ///
    /// # Errors
    /// Why not.
    pub fn may_grow(&self, units: usize) -> Result<(), Refused> {
        self.allowed(&self.budget.books(), units)
    }

    /// Takes so many units more.
    ///
    /// # Errors
    /// Why it gets none; what it has it keeps.
    pub fn grow(&mut self, units: usize) -> Result<(), Refused> {
        let mut books = self.budget.books();
        self.allowed(&books, units)?;
        books.held += units;
        match books.owners.get_mut(&self.owner) {
            Some(own) => *own += units,
            None => drop(books.owners.insert(self.owner.clone(), units)),
        }
        drop(books);
        self.units += units;
        Ok(())
    }

    /// Holds so many units in all, in the place of what it held.
    ///
    /// # Errors
    /// Why it gets them not; it has none then.
    pub fn hold(&mut self, units: usize) -> Result<(), Refused> {
        self.give_back();
        self.grow(units)
    }

    fn give_back(&mut self) {
        let mut books = self.budget.books();
        books.held -= self.units;
        if let Some(own) = books.owners.get_mut(&self.owner) {
            *own -= self.units;
            if *own == 0 {
                books.owners.remove(&self.owner);
            }
        }
        self.units = 0;
    }

    fn allowed(&self, books: &Books, units: usize) -> Result<(), Refused> {
        if self.units.saturating_add(units) > self.budget.most() {
            return Err(Refused::TooMuch);
        }
        let own = books.owners.get(&self.owner).copied().unwrap_or(0) + units;
        let left = self.budget.0.units.saturating_sub(books.held + units);
        (own <= left).then_some(()).ok_or(Refused::Busy)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_given_back() {
        let budget = Budget::new(1000);
        let mut first = budget.charge_to("ann".into());
        first.grow(100).expect("there is enough");
        first.grow(400).expect("there is enough");
        assert_eq!(first.grow(1), Err(Refused::TooMuch));
        let mut second = budget.charge_to("ann".into());
        assert_eq!(second.grow(1), Err(Refused::Busy), "one owner has its share");
        drop(first);
        second.grow(500).expect("all of it is there again");
        drop(second);
        assert!(budget.books().owners.is_empty());
    }

    #[test]
    fn something_is_left_for_whoever_comes_next() {
        let budget = Budget::new(1 << 20);
        let mut held = Vec::new();
        for owner in 0..8 {
            let mut charge = budget.charge_to(owner.to_string());
            while charge.grow(1024).is_ok() {}
            assert!(charge.units > 0, "owner {owner} got nothing");
            held.push(charge);
        }
    }
}

//! Which unit comes next.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Unit;

/// Every so many units the one that has waited longest comes next: else many small requests could hold up a large one
/// for ever.
const OLDEST_EVERY: u64 = 8;

/// Units that wait. The one of the request that got least so far goes first, those of equals in the order in which they
/// came: requests of one unit pass between those of larger ones, which share what is left.
#[derive(Default)]
pub(super) struct Queue {
    /// By what their request got before, and by the order in which they came.
    units: BTreeMap<(u64, u64), Waiting>,
    /// What their request got before, by the order in which they came.
    ages: BTreeMap<u64, u64>,
    came: u64,
    taken: u64,
}

struct Waiting {
    request: u64,
    unit: Arc<dyn Unit>,
}

impl Queue {
    /// Adds a unit of a request that got so many rows before.
    pub(super) fn push(&mut self, request: u64, got: u64, unit: Arc<dyn Unit>) {
        self.came += 1;
        self.units.insert((got, self.came), Waiting { request, unit });
        self.ages.insert(self.came, got);
    }

    pub(super) fn pop(&mut self) -> Option<Arc<dyn Unit>> {
        self.taken += 1;
        let oldest = || self.ages.first_key_value().map(|(came, got)| (*got, *came));
        let least = || self.units.first_key_value().map(|(key, _)| *key);
        let key = if self.taken.is_multiple_of(OLDEST_EVERY) {
            oldest()
        } else {
            least()
        }?;
        self.take(key)
    }

    /// Takes out what a request has waiting.
    pub(super) fn remove(&mut self, request: u64) -> Vec<Arc<dyn Unit>> {
        let of_request = self.units.iter().filter(|(_, waiting)| waiting.request == request);
        let keys: Vec<(u64, u64)> = of_request.map(|(key, _)| *key).collect();
        keys.into_iter().filter_map(|key| self.take(key)).collect()
    }

    pub(super) fn drain(&mut self) -> Vec<Arc<dyn Unit>> {
        self.ages.clear();
        std::mem::take(&mut self.units)
            .into_values()
            .map(|waiting| waiting.unit)
            .collect()
    }

    fn take(&mut self, key: (u64, u64)) -> Option<Arc<dyn Unit>> {
        self.ages.remove(&key.1);
        self.units.remove(&key).map(|waiting| waiting.unit)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::Lost;
    use super::*;

    /// Writes down that it ran.
    struct Named(&'static str, Arc<Mutex<Vec<&'static str>>>);

    impl Unit for Named {
        fn run(&self) {
            self.1.lock().expect("no panic").push(self.0);
        }

        fn fail(&self, _: Lost) {}
    }

    /// The order in which units come out that are put in as (request, what it got, name).
    fn order(units: &[(u64, u64, &'static str)]) -> Vec<&'static str> {
        let (mut queue, ran) = (Queue::default(), Arc::default());
        for (request, got, name) in units {
            queue.push(*request, *got, Arc::new(Named(name, Arc::clone(&ran))));
        }
        while let Some(unit) = queue.pop() {
            unit.run();
        }
        drop(queue);
        Arc::into_inner(ran)
            .expect("no unit is left")
            .into_inner()
            .expect("no panic")
    }

    #[test]
    fn a_small_request_passes_between_the_units_of_large_ones_which_share() {
        let units = [
            (1, 64, "a1"),
            (1, 128, "a2"),
            (2, 64, "b1"),
            (2, 128, "b2"),
            (3, 0, "single"),
        ];
        assert_eq!(order(&units), ["single", "a1", "b1", "a2", "b2"]);
    }

    #[test]
    fn a_large_request_is_not_held_up_for_ever() {
        let mut units = vec![(1, 640, "large")];
        units.extend((2..30).map(|request| (request, 0, "single")));
        let at = order(&units).iter().position(|name| *name == "large");
        assert_eq!(at, Some(OLDEST_EVERY as usize - 1));
    }

    #[test]
    fn what_a_request_has_waiting_goes_with_it() {
        let (mut queue, ran) = (Queue::default(), Arc::default());
        for (request, name) in [(1, "a"), (2, "b"), (1, "c")] {
            queue.push(request, 0, Arc::new(Named(name, Arc::clone(&ran))));
        }
        assert_eq!(queue.remove(1).len(), 2);
        queue.pop().expect("one is left").run();
        assert!(queue.pop().is_none());
        assert_eq!(*ran.lock().expect("no panic"), ["b"]);
    }
}

//! Which unit comes next.
//!
//! Accounts share the time of the threads as start-time fair queueing has it: the unit of the account that got least time
//! goes next, and one that comes anew begins where the others stand. So what a version of a model takes long for is waited
//! for by its own requests, and not by those of others. Within an account the request that got least rows goes first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Unit;

/// Every so many units of an account the one that has waited longest comes next: else many small requests could hold up a
/// large one for ever.
const OLDEST_EVERY: u64 = 8;

/// Units behind the one that comes next that are asked whether they go with it.
const ASKED: usize = 64;

/// Who is charged for the time of a unit: by its name, a version of a hardware target.
pub(crate) type Account = Arc<str>;

/// A unit's place among others.
pub struct Place {
    pub account: Account,
    pub request: u64,
    /// Rows that the request got before.
    pub got: u64,
}

/// Units that wait.
#[derive(Default)]
pub(super) struct Queue {
    lines: BTreeMap<Account, Line>,
    /// Units that have come so far.
    came: u64,
    /// Time that the account had got whose unit was taken last.
    clock: Duration,
}

/// Units of an account.
#[derive(Default)]
struct Line {
    /// Time that it got, or a little more: what came anew began where the others stood.
    got: Duration,
    /// Time of its last unit: what the next one is charged until its own is known.
    usual: Duration,
    /// Units that were taken and have not ended.
    running: usize,
    /// By what their request got before, and by the order in which they came.
    units: BTreeMap<(u64, u64), Waiting>,
    /// What their request got before, by the order in which they came.
    ages: BTreeMap<u64, u64>,
    taken: u64,
}

struct Waiting {
    request: u64,
    unit: Arc<dyn Unit>,
}

/// A unit that was taken, to be settled once it has ended.
pub(super) struct Taken {
    pub(super) unit: Arc<dyn Unit>,
    account: Account,
    charged: Duration,
}

impl Queue {
    /// Adds a unit.
    pub(super) fn push(&mut self, place: Place, unit: Arc<dyn Unit>) {
        let Place { account, request, got } = place;
        self.came += 1;
        let line = self.lines.entry(account).or_default();
        if line.is_idle() {
            line.got = line.got.max(self.clock);
        }
        line.units.insert((got, self.came), Waiting { request, unit });
        line.ages.insert(self.came, got);
    }

    pub(super) fn pop(&mut self) -> Option<Taken> {
        let waiting = self.lines.iter_mut().filter(|(_, line)| !line.units.is_empty());
        let next = waiting.min_by_key(|(_, line)| (line.got, line.ages.first_key_value().map(|(came, _)| *came)));
        let (account, line) = next?;
        self.clock = self.clock.max(line.got);
        let taken = Taken {
            unit: line.pop()?,
            account: account.clone(),
            charged: line.usual,
        };
        line.got += taken.charged;
        line.running += 1;
        Some(taken)
    }

    /// Charges what a unit took; `None` where it was not run.
    pub(super) fn settle(&mut self, taken: &Taken, took: Option<Duration>) {
        if let Some(line) = self.lines.get_mut(&taken.account) {
            line.got = line.got.saturating_sub(taken.charged) + took.unwrap_or_default();
            line.usual = took.unwrap_or(line.usual);
            line.running = line.running.saturating_sub(1);
        }
        // Where nobody waits nobody is behind.
        if self.lines.values().all(Line::is_idle) {
            self.lines.clear();
            self.clock = Duration::ZERO;
        }
        let clock = self.clock;
        self.lines.retain(|_, line| !line.is_idle() || line.got > clock);
    }

    /// Takes out what a request has waiting.
    pub(super) fn remove(&mut self, request: u64) -> Vec<Arc<dyn Unit>> {
        self.lines.values_mut().flat_map(|line| line.remove(request)).collect()
    }

    pub(super) fn drain(&mut self) -> Vec<Arc<dyn Unit>> {
        let lines = std::mem::take(&mut self.lines).into_values();
        lines
            .flat_map(|line| line.units.into_values())
            .map(|waiting| waiting.unit)
            .collect()
    }
}

impl Line {
    fn is_idle(&self) -> bool {
        self.units.is_empty() && self.running == 0
    }

    fn pop(&mut self) -> Option<Arc<dyn Unit>> {
        self.taken += 1;
        let oldest = || self.ages.first_key_value().map(|(came, got)| (*got, *came));
        let least = || self.units.first_key_value().map(|(key, _)| *key);
        let key = if self.taken.is_multiple_of(OLDEST_EVERY) {
            oldest()
        } else {
            least()
        }?;
        let unit = self.take(key)?;
        let behind = self.units.iter().take(ASKED);
        let with: Vec<(u64, u64)> = behind
            .filter(|(_, waiting)| unit.take_on(&waiting.unit))
            .map(|(key, _)| *key)
            .collect();
        with.into_iter().for_each(|key| drop(self.take(key)));
        Some(unit)
    }

    fn remove(&mut self, request: u64) -> Vec<Arc<dyn Unit>> {
        let of_request = self.units.iter().filter(|(_, waiting)| waiting.request == request);
        let keys: Vec<(u64, u64)> = of_request.map(|(key, _)| *key).collect();
        keys.into_iter().filter_map(|key| self.take(key)).collect()
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

    /// A unit that is put in: account, request, what that got, name.
    type Put = (&'static str, u64, u64, &'static str);

    fn filled(units: &[Put]) -> (Queue, Arc<Mutex<Vec<&'static str>>>) {
        let (mut queue, ran) = (Queue::default(), Arc::default());
        for (account, request, got, name) in units {
            let (account, request, got) = (Account::from(*account), *request, *got);
            queue.push(Place { account, request, got }, Arc::new(Named(name, Arc::clone(&ran))));
        }
        (queue, ran)
    }

    /// The order in which units come out, each of which takes as many milliseconds as `took` says of its name.
    fn order(units: &[Put], took: impl Fn(&str) -> u64) -> Vec<&'static str> {
        let (mut queue, ran) = filled(units);
        while let Some(taken) = queue.pop() {
            taken.unit.run();
            let name = *ran.lock().expect("no panic").last().expect("it ran");
            queue.settle(&taken, Some(Duration::from_millis(took(name))));
        }
        ran.lock().expect("no panic").clone()
    }

    #[test]
    fn a_small_request_passes_between_the_units_of_large_ones_which_share() {
        let units = [
            ("", 1, 64, "a1"),
            ("", 1, 128, "a2"),
            ("", 2, 64, "b1"),
            ("", 2, 128, "b2"),
            ("", 3, 0, "single"),
        ];
        assert_eq!(order(&units, |_| 1), ["single", "a1", "b1", "a2", "b2"]);
    }

    #[test]
    fn a_large_request_is_not_held_up_for_ever() {
        let mut units = vec![("", 1, 640, "large")];
        units.extend((2..30).map(|request| ("", request, 0, "single")));
        let at = order(&units, |_| 1).iter().position(|name| *name == "large");
        assert_eq!(at, Some(OLDEST_EVERY as usize - 1));
    }

    #[test]
    fn what_takes_long_is_waited_for_by_its_own_account() {
        let mut units: Vec<Put> = (0..20).map(|request| ("slow", request, 0, "slow")).collect();
        units.extend((20..220).map(|request| ("quick", request, 0, "quick")));
        let order = order(&units, |name| if name == "slow" { 100 } else { 1 });
        let slow = order[..200].iter().filter(|name| **name == "slow").count();
        assert_eq!(slow, 2, "as much time for either");
    }

    #[test]
    fn an_account_that_comes_anew_has_no_more_claims_than_those_that_are_there() {
        let (mut queue, ran) = filled(&[("old", 1, 0, "old"), ("old", 2, 0, "old"), ("old", 3, 0, "old")]);
        let step = |queue: &mut Queue| {
            let taken = queue.pop().expect("one waits");
            taken.unit.run();
            queue.settle(&taken, Some(Duration::from_secs(1)));
        };
        step(&mut queue);
        step(&mut queue);
        for request in 4..7 {
            let account = Account::from("new");
            queue.push(
                Place {
                    account,
                    request,
                    got: 0,
                },
                Arc::new(Named("new", ran.clone())),
            );
        }
        (0..4).for_each(|_| step(&mut queue));
        assert_eq!(ran.lock().expect("no panic")[2..], ["new", "old", "new", "new"]);
        assert!(queue.lines.is_empty(), "nobody waits");
    }

    /// Takes on whatever comes behind it, and counts that.
    struct Greedy(Mutex<usize>);

    impl Unit for Greedy {
        fn run(&self) {}

        fn fail(&self, _: Lost) {}

        fn take_on(&self, _: &Arc<dyn Unit>) -> bool {
            *self.0.lock().expect("no panic") += 1;
            true
        }
    }

    #[test]
    fn a_unit_takes_on_those_of_its_account_that_wait() {
        let (mut queue, ran) = filled(&[("own", 2, 5, "a"), ("other", 3, 0, "b"), ("own", 4, 5, "c")]);
        let greedy = Arc::new(Greedy(Mutex::default()));
        let place = |request| Place {
            account: Account::from("own"),
            request,
            got: 0,
        };
        queue.push(place(5), greedy.clone());
        queue.push(place(6), Arc::new(Named("d", ran.clone())));
        let first = queue.pop().expect("one waits");
        first.unit.run();
        queue.settle(&first, Some(Duration::from_millis(1)));
        assert_eq!(*greedy.0.lock().expect("no panic"), 3);
        queue.pop().expect("the other account's is left").unit.run();
        assert!(queue.pop().is_none());
        assert_eq!(*ran.lock().expect("no panic"), ["b"]);
    }

    #[test]
    fn what_a_request_has_waiting_goes_with_it() {
        let (mut queue, ran) = filled(&[("", 1, 0, "a"), ("", 2, 0, "b"), ("", 1, 0, "c")]);
        assert_eq!(queue.remove(1).len(), 2);
        queue.pop().expect("one is left").unit.run();
        assert!(queue.pop().is_none());
        assert_eq!(*ran.lock().expect("no panic"), ["b"]);
    }
}

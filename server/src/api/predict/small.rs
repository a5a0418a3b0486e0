//! Small requests: those for one version that wait at the same time are predicted in one call, which costs most models much less than as
//! many calls. Nobody waits for others to come.

use std::any::Any;
use std::iter::once;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lglp_engine::predictor::ROWS_PER_UNIT;
use lglp_sdk::Architecture;
use tokio::sync::oneshot;
use tracing::Span;

use super::super::problem::ApiError;
use crate::compute::{Lost, Unit};
use crate::serving::{Answered, Route, Serving};

type Answer = Result<Vec<Answered>, ApiError>;

/// The architectures of a request that are to be predicted.
pub(super) struct Small {
    serving: Arc<Serving>,
    route: Route,
    architectures: Vec<Architecture>,
    answer: Mutex<Option<oneshot::Sender<Answer>>>,
    /// Others that are answered by the same call.
    with: Mutex<Vec<Arc<Small>>>,
    span: Span,
}

impl Small {
    /// Whether a route's requests may share calls: what one makes of a plugin must not be another's fault, so that a plugin in processes of
    /// its own, which may be ended, is called for each alone; and a canary chooses by architecture.
    pub(super) fn suits(route: &Route) -> bool {
        route.canary.is_none() && !route.model.runs_apart()
    }

    /// The unit, and where its answer comes out.
    pub(super) fn new(
        serving: Arc<Serving>,
        route: Route,
        architectures: Vec<Architecture>,
    ) -> (Arc<Self>, oneshot::Receiver<Answer>) {
        let (answer, receiver) = oneshot::channel();
        let small = Self {
            serving,
            route,
            architectures,
            answer: Mutex::new(Some(answer)),
            with: Mutex::default(),
            span: Span::current(),
        };
        (Arc::new(small), receiver)
    }

    fn rows(&self) -> usize {
        let with = locked(&self.with);
        self.architectures.len() + with.iter().map(|other| other.architectures.len()).sum::<usize>()
    }

    fn tell(&self, answer: Answer) {
        if let Some(sender) = locked(&self.answer).take() {
            // Whoever has gone hears nothing.
            let _ = sender.send(answer);
        }
    }

    /// Answers several by one call; not at all where that fails.
    fn answer_together(&self, all: &[&Small]) -> bool {
        let architectures: Vec<Architecture> = all.iter().flat_map(|one| one.architectures.iter().cloned()).collect();
        let Ok(answered) = self.serving.answer(&self.route, &architectures) else {
            return false;
        };
        let mut answered = answered.into_iter();
        for one in all {
            one.tell(Ok(answered.by_ref().take(one.architectures.len()).collect()));
        }
        true
    }
}

impl Unit for Small {
    fn run(&self) {
        let with = locked(&self.with).clone();
        let all: Vec<&Small> = once(self).chain(with.iter().map(|other| &**other)).collect();
        let wanted: Vec<&Small> = all.into_iter().filter(|one| one.is_wanted()).collect();
        if wanted.len() > 1 && self.answer_together(&wanted) {
            return;
        }
        // Each alone: what cannot be predicted costs no other its answer.
        for one in wanted.into_iter().filter(|one| one.is_wanted()) {
            let answer = one
                .span
                .in_scope(|| self.serving.answer(&one.route, &one.architectures));
            one.tell(answer.map_err(ApiError::from));
        }
    }

    fn fail(&self, lost: Lost) {
        let with = locked(&self.with).clone();
        for one in once(self).chain(with.iter().map(|other| &**other)) {
            one.tell(Err(lost.clone().into()));
        }
    }

    fn is_wanted(&self) -> bool {
        locked(&self.answer).as_ref().is_some_and(|sender| !sender.is_closed())
    }

    fn take_on(&self, other: &Arc<dyn Unit>) -> bool {
        let other: Arc<dyn Any + Send + Sync> = other.clone();
        let Ok(other) = other.downcast::<Self>() else {
            return false;
        };
        let (own, theirs) = (&self.route, &other.route);
        let fits = Arc::ptr_eq(&own.model, &theirs.model)
            && own.coverage.to_bits() == theirs.coverage.to_bits()
            && self.rows() + other.architectures.len() <= ROWS_PER_UNIT;
        if fits {
            locked(&self.with).push(other);
        }
        fits
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

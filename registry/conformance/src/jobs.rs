use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::fixtures::{name, new_job, places, worker};
use super::{Check, conflict, invalid, not_found};
use lglp_registry::{
    Admission, Error, JOB_ATTEMPTS, Job, JobFilter, JobKind, JobOutcome, JobState, LeaseRequest, NewJob, Progress,
    Result, Store,
};

pub(super) const CHECKS: &[Check] = &[
    ("a job goes from the queue to its result", lives),
    ("jobs are numbered, and created once for each key", created_once),
    ("the queue is bounded", bounded),
    ("one creator leaves places for the others", shared),
    ("creators take turns", in_turns),
    ("no text of a job is larger than it may be", limited),
    ("jobs are listed by target and state, newest first", listed),
    (
        "a queued job is cancelled at once, a running one by whoever works on it",
        cancelled,
    ),
    (
        "the oldest job goes first, one that measures at a time on each device",
        leased_in_order,
    ),
    ("of eight threads that want one job exactly one gets it", race),
    ("a process gets only what it can do", capable),
    ("a stale holder changes nothing", fenced),
    (
        "a job that is given back is queued again, with its checkpoint",
        released,
    ),
    (
        "jobs of a process that went away are queued again, three times at most",
        requeued,
    ),
    (
        "a lease that runs out is taken away, one that is renewed is not",
        expires,
    ),
];

const TRAIN: &[JobKind] = &[JobKind::Train];
const MEASURING: &[JobKind] = &[JobKind::Measure, JobKind::Validate];

fn create(store: &dyn Store, kind: JobKind) -> u64 {
    store.create_job(&new_job(kind), None, places(100)).unwrap().id
}

#[track_caller]
fn lease(store: &dyn Store, holder: &str, kinds: &[JobKind]) -> Job {
    store.lease_job(&worker(holder, kinds)).unwrap().expect("a job waits")
}

#[track_caller]
fn stale<T: std::fmt::Debug>(result: Result<T>) {
    assert!(matches!(result, Err(Error::StaleLease { .. })), "{result:?}");
}

#[track_caller]
fn ended<T: std::fmt::Debug>(result: Result<T>) -> JobState {
    match result {
        Err(Error::JobEnded { state, .. }) => state,
        other => panic!("expected a job that has ended, got {other:?}"),
    }
}

fn progress(done: u64) -> Progress {
    Progress {
        done,
        of: 10,
        note: "halfway".to_owned(),
    }
}

fn numbers(jobs: &[Job]) -> Vec<u64> {
    jobs.iter().map(|job| job.id).collect()
}

fn lives(store: &dyn Store) {
    let new = new_job(JobKind::Train);
    let job = store.create_job(&new, None, places(1)).unwrap();
    assert_eq!((job.id, job.kind, job.state), (1, JobKind::Train, JobState::Queued));
    assert_eq!(
        (&job.parameters, job.created_by.as_str()),
        (&new.parameters, new.creator.as_str())
    );
    assert_eq!(store.job(1).unwrap(), job);
    let running = lease(store, "laptop", TRAIN);
    assert_eq!((running.state, running.attempts), (JobState::Running, 1));
    assert!(running.started_at.is_some());
    let held = running.lease.unwrap();
    assert_eq!((held.holder.to_string().as_str(), held.fencing), ("laptop", 1));
    let told = store.heartbeat_job(1, 1, Some(&progress(5))).unwrap();
    assert_eq!(told.progress, Some(progress(5)));
    assert_eq!(
        store.heartbeat_job(1, 1, None).unwrap().progress,
        Some(progress(5)),
        "a heartbeat without progress keeps what was told"
    );
    let result = json!({"version": 3});
    let done = store.finish_job(1, 1, &JobOutcome::Succeeded(result.clone())).unwrap();
    assert_eq!(
        (done.state, &done.result, &done.lease),
        (JobState::Succeeded, &Some(result), &None)
    );
    assert!(done.finished_at.is_some());
    assert_eq!(store.job(1).unwrap(), done);
    assert_eq!(store.lease_job(&worker("laptop", TRAIN)).unwrap(), None);
    create(store, JobKind::Train);
    lease(store, "laptop", TRAIN);
    let failed = store.finish_job(2, 1, &JobOutcome::Failed("too few".into())).unwrap();
    assert_eq!(
        (failed.state, failed.error.as_deref(), failed.result),
        (JobState::Failed, Some("too few"), None)
    );
    assert_eq!(not_found(store.job(3)), ("job", "3".to_owned()));
    not_found(store.job(0));
}

fn created_once(store: &dyn Store) {
    let new = new_job(JobKind::Measure);
    let first = store.create_job(&new, Some("key"), places(1)).unwrap();
    assert_eq!(
        store.create_job(&new, Some("key"), places(1)).unwrap(),
        first,
        "a repetition is answered also where the queue is full"
    );
    assert_eq!(store.create_job(&new, Some("other"), places(9)).unwrap().id, 2);
    assert_eq!(store.create_job(&new, None, places(9)).unwrap().id, 3);
    let another = NewJob {
        parameters: json!({}),
        ..new.clone()
    };
    assert_eq!(conflict(store.create_job(&another, Some("key"), places(9))), "content");
    assert_eq!(invalid(store.create_job(&new, Some(""), places(9))), "idempotency_key");
    let nobody = NewJob {
        creator: String::new(),
        ..new
    };
    assert_eq!(invalid(store.create_job(&nobody, None, places(9))), "creator");
    assert_eq!(store.jobs(&JobFilter::default(), 9).unwrap().len(), 3);
}

fn bounded(store: &dyn Store) {
    let new = new_job(JobKind::Train);
    let create = || store.create_job(&new, None, places(2));
    create().unwrap();
    create().unwrap();
    assert!(matches!(create(), Err(Error::QueueFull { limit: 2 })));
    lease(store, "laptop", TRAIN);
    assert_eq!(create().unwrap().id, 3, "a running job waits no more");
    assert!(matches!(create(), Err(Error::QueueFull { .. })));
    store.cancel_job(2, "ann").unwrap();
    assert_eq!(create().unwrap().id, 4);
}

fn of(creator: &str) -> NewJob {
    NewJob {
        creator: creator.to_owned(),
        ..new_job(JobKind::Train)
    }
}

fn shared(store: &dyn Store) {
    let create = |creator: &str| store.create_job(&of(creator), None, Admission::Fair { places: 8 });
    let fill = |creator: &str| {
        std::iter::repeat_with(|| create(creator))
            .take_while(Result::is_ok)
            .count()
    };
    assert_eq!(fill("ann"), 4, "half of the places");
    assert!(matches!(
        create("ann"),
        Err(Error::ShareTaken {
            waiting: 4,
            free: 4,
            ..
        })
    ));
    assert_eq!(
        (fill("bob"), fill("cid"), fill("dan")),
        (2, 1, 1),
        "half of what is left, each"
    );
    assert!(matches!(create("eve"), Err(Error::QueueFull { limit: 8 })));
    for id in [1, 2] {
        store.cancel_job(id, "ann").unwrap();
    }
    create("eve").expect("a place is free");
    let first = create("ann");
    assert!(
        matches!(
            first,
            Err(Error::ShareTaken {
                waiting: 2,
                free: 1,
                ..
            })
        ),
        "{first:?}"
    );
    let part = NewJob {
        parent: Some(3),
        ..of("ann")
    };
    store.create_job(&part, None, Admission::Part).unwrap();
    let any = Admission::Any { places: 9 };
    assert!(matches!(
        store.create_job(&of("ann"), None, any).unwrap().state,
        JobState::Queued
    ));
}

fn in_turns(store: &dyn Store) {
    let create = |creator: &str| store.create_job(&of(creator), None, places(99)).unwrap().id;
    let take = || {
        let job = lease(store, "laptop", TRAIN);
        store.finish_job(job.id, job.attempts, &JobOutcome::Cancelled).unwrap();
        job.created_by
    };
    for _ in 0..6 {
        create("ann");
    }
    create("bob");
    create("bob");
    assert_eq!(
        [take(), take(), take(), take(), take()],
        ["ann", "bob", "ann", "bob", "ann"]
    );
    // Whoever comes again and again has a turn as the others, not each.
    create("bob");
    let again = || {
        let taken = take();
        create(if taken == "ann" { "bob" } else { &taken });
        taken
    };
    let taken = [again(), again(), again(), again()];
    assert_eq!(taken.iter().filter(|name| *name == "ann").count(), 2, "{taken:?}");
    // What was begun before goes first.
    let begun = lease(store, "laptop", TRAIN);
    store.release_job(begun.id, begun.attempts).unwrap();
    create("cid");
    assert_eq!(lease(store, "laptop", TRAIN).id, begun.id);
}

fn limited(store: &dyn Store) {
    let large = "x".repeat(1 << 20);
    let with = |parameters| NewJob {
        parameters,
        ..new_job(JobKind::Train)
    };
    assert_eq!(
        invalid(store.create_job(&with(json!(large)), None, places(9))),
        "parameters"
    );
    store.create_job(&with(json!({})), None, places(9)).unwrap();
    let job = lease(store, "laptop", TRAIN);
    let note = Progress {
        note: large.clone(),
        ..progress(1)
    };
    assert_eq!(
        invalid(store.heartbeat_job(job.id, job.attempts, Some(&note))),
        "progress.note"
    );
    assert_eq!(
        invalid(store.checkpoint_job(job.id, job.attempts, &json!(large))),
        "checkpoint"
    );
    let end = |outcome| store.finish_job(job.id, job.attempts, &outcome);
    assert_eq!(invalid(end(JobOutcome::Failed(large.clone()))), "error");
    assert_eq!(invalid(end(JobOutcome::Succeeded(json!([large, large])))), "result");
    let job = end(JobOutcome::failed(large.clone())).unwrap();
    assert!(
        job.error.is_some_and(|error| error.len() < 5_000),
        "its beginning is kept"
    );
}

fn listed(store: &dyn Store) {
    for kind in [JobKind::Train, JobKind::Measure, JobKind::Train] {
        create(store, kind);
    }
    let gpu = NewJob {
        hardware: name("gpu"),
        ..new_job(JobKind::Train)
    };
    store.create_job(&gpu, None, places(9)).unwrap();
    lease(store, "laptop", TRAIN);
    let list = |hardware: Option<&str>, state, limit| {
        let hardware = hardware.map(name);
        numbers(&store.jobs(&JobFilter { hardware, state }, limit).unwrap())
    };
    assert_eq!(list(None, None, 9), [4, 3, 2, 1]);
    assert_eq!(list(None, None, 2), [4, 3]);
    assert_eq!(list(Some("cpu"), None, 9), [3, 2, 1]);
    assert_eq!(list(None, Some(JobState::Queued), 9), [4, 3, 2]);
    assert_eq!(list(Some("cpu"), Some(JobState::Running), 9), [1]);
    assert_eq!(list(Some("npu"), None, 9), [0; 0]);
}

fn cancelled(store: &dyn Store) {
    create(store, JobKind::Train);
    create(store, JobKind::Train);
    assert_eq!(invalid(store.cancel_job(1, "")), "actor");
    assert_eq!(store.cancel_job(1, "bob").unwrap().state, JobState::Cancelled);
    assert_eq!(ended(store.cancel_job(1, "bob")), JobState::Cancelled);
    assert_eq!(lease(store, "laptop", TRAIN).id, 2);
    assert!(!store.heartbeat_job(2, 1, None).unwrap().cancel_requested);
    for _ in 0..2 {
        let asked = store.cancel_job(2, "bob").unwrap();
        assert_eq!((asked.state, asked.cancel_requested), (JobState::Running, true));
    }
    assert!(store.heartbeat_job(2, 1, None).unwrap().cancel_requested);
    let done = store.finish_job(2, 1, &JobOutcome::Cancelled).unwrap();
    assert_eq!((done.state, done.result, done.error), (JobState::Cancelled, None, None));
    assert_eq!(ended(store.cancel_job(2, "bob")), JobState::Cancelled);
    not_found(store.cancel_job(3, "bob"));
    create(store, JobKind::Train);
    lease(store, "laptop", TRAIN);
    store.cancel_job(3, "bob").unwrap();
    assert_eq!(
        store.requeue_jobs(Some(&"laptop".parse().unwrap())).unwrap()[0].state,
        JobState::Cancelled,
        "a job that was to be cancelled is not begun again"
    );
}

fn leased_in_order(store: &dyn Store) {
    for kind in [
        JobKind::Measure,
        JobKind::Validate,
        JobKind::Train,
        JobKind::Train,
        JobKind::Measure,
    ] {
        create(store, kind);
    }
    let all = [TRAIN, MEASURING].concat();
    let next = |holder: &str, kinds: &[JobKind]| store.lease_job(&worker(holder, kinds)).unwrap().map(|job| job.id);
    assert_eq!(next("laptop", MEASURING), Some(1));
    assert_eq!(
        next("laptop", &[JobKind::Validate]),
        None,
        "the device is being measured on"
    );
    assert_eq!(next("laptop", &all), Some(3), "training does not measure");
    assert_eq!(next("laptop", &all), None, "one training at a time");
    assert_eq!(next("board", MEASURING), Some(2), "another device");
    store.finish_job(1, 1, &JobOutcome::Cancelled).unwrap();
    assert_eq!(next("laptop", &all), Some(5));
    store.finish_job(3, 1, &JobOutcome::Cancelled).unwrap();
    assert_eq!(next("laptop", &all), Some(4));
    assert_eq!(next("tower", &all), None);
}

fn race(store: &dyn Store) {
    create(store, JobKind::Measure);
    let leased: Vec<Option<Job>> = thread::scope(|scope| {
        let racer = |holder: String| scope.spawn(move || store.lease_job(&worker(&holder, MEASURING)).unwrap());
        let threads: Vec<_> = (0..8).map(|i| racer(format!("board-{i}"))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(leased.iter().flatten().count(), 1);
}

fn capable(store: &dyn Store) {
    create(store, JobKind::Measure);
    assert_eq!(store.lease_job(&worker("laptop", TRAIN)).unwrap(), None);
    assert_eq!(store.lease_job(&worker("laptop", &[])).unwrap(), None);
    let only = |target: &str| LeaseRequest {
        hardware: Some(BTreeSet::from([name(target)])),
        ..worker("laptop", MEASURING)
    };
    assert_eq!(store.lease_job(&only("gpu")).unwrap(), None);
    assert_eq!(store.lease_job(&only("cpu")).unwrap().unwrap().id, 1);
    let faulty = [
        (
            "device",
            LeaseRequest {
                device: String::new(),
                ..only("cpu")
            },
        ),
        (
            "seconds",
            LeaseRequest {
                seconds: 0,
                ..only("cpu")
            },
        ),
    ];
    for (field, request) in faulty {
        assert_eq!(invalid(store.lease_job(&request)), field);
    }
}

/// Nothing that a holder does whose lease is over has an effect.
#[track_caller]
fn refused(store: &dyn Store, id: u64, fencing: u64) {
    let before = store.job(id).unwrap();
    stale(store.heartbeat_job(id, fencing, Some(&progress(1))));
    stale(store.checkpoint_job(id, fencing, &json!(1)));
    stale(store.finish_job(id, fencing, &JobOutcome::Succeeded(json!(1))));
    stale(store.release_job(id, fencing));
    assert_eq!(store.job(id).unwrap(), before);
}

fn fenced(store: &dyn Store) {
    create(store, JobKind::Measure);
    refused(store, 1, 0);
    refused(store, 1, 1);
    lease(store, "laptop", MEASURING);
    refused(store, 1, 2);
    store.requeue_jobs(Some(&"laptop".parse().unwrap())).unwrap();
    refused(store, 1, 1);
    let again = lease(store, "board", MEASURING);
    assert_eq!(again.lease.unwrap().fencing, 2);
    refused(store, 1, 1);
    store.finish_job(1, 2, &JobOutcome::Succeeded(json!(2))).unwrap();
    refused(store, 1, 2);
    not_found(store.heartbeat_job(2, 1, None));
    not_found(store.checkpoint_job(2, 1, &json!(1)));
    not_found(store.finish_job(2, 1, &JobOutcome::Cancelled));
    not_found(store.release_job(2, 1));
}

fn released(store: &dyn Store) {
    create(store, JobKind::Train);
    let first = lease(store, "laptop", TRAIN);
    store.checkpoint_job(1, 1, &json!("half")).unwrap();
    let waiting = store.release_job(1, 1).unwrap();
    assert_eq!((waiting.state, &waiting.lease), (JobState::Queued, &None));
    create(store, JobKind::Train);
    let again = lease(store, "laptop", TRAIN);
    assert_eq!(
        (again.id, again.attempts, again.lost),
        (1, 2, 0),
        "it kept its place in the queue"
    );
    assert_eq!(
        (&again.checkpoint, &again.started_at),
        (&json!("half"), &first.started_at)
    );
    store.cancel_job(1, "ann").unwrap();
    assert_eq!(store.release_job(1, 2).unwrap().state, JobState::Cancelled);
}

fn requeued(store: &dyn Store) {
    for kind in [JobKind::Measure, JobKind::Train, JobKind::Train] {
        create(store, kind);
    }
    for lost in 1..=JOB_ATTEMPTS {
        assert_eq!(lease(store, "laptop", MEASURING).id, 1);
        assert_eq!(lease(store, "tower", TRAIN).id, 2);
        assert_eq!(store.requeue_jobs(None).unwrap(), [], "nobody is known to be gone");
        let back = store.requeue_jobs(Some(&"laptop".parse().unwrap())).unwrap();
        assert_eq!(numbers(&back), [1], "of that holder alone");
        assert_eq!(back[0].lost, lost);
        let expected = if lost < JOB_ATTEMPTS {
            JobState::Queued
        } else {
            JobState::Failed
        };
        assert_eq!(back[0].state, expected);
        store.release_job(2, u64::from(lost)).unwrap();
    }
    let given_up = store.job(1).unwrap();
    assert!(given_up.error.unwrap().contains("given up"));
    assert_eq!(store.job(2).unwrap().lost, 0, "what is given back is not lost");
    store.verify_audit().unwrap();
}

fn expires(store: &dyn Store) {
    create(store, JobKind::Measure);
    create(store, JobKind::Train);
    let short = |kinds: &[JobKind]| LeaseRequest {
        seconds: 2,
        ..worker("laptop", kinds)
    };
    store.lease_job(&short(MEASURING)).unwrap().unwrap();
    store.lease_job(&short(TRAIN)).unwrap().unwrap();
    for _ in 0..5 {
        thread::sleep(Duration::from_millis(500));
        store.heartbeat_job(2, 1, None).unwrap();
    }
    assert_eq!(numbers(&store.requeue_jobs(None).unwrap()), [1]);
    stale(store.heartbeat_job(1, 1, None));
    store.heartbeat_job(2, 1, None).unwrap();
}

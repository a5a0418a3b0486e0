use serde_json::json;

use super::fixtures::{measurement, name, new_hardware, new_job, new_worker, places, worker};
use super::{Check, invalid, not_found};
use lglp_registry::{
    Accepted, Error, JOB_ATTEMPTS, Job, JobKind, JobOutcome, LeaseHolder, LeaseRequest, NewHardware, NewJob, NewWorker,
    Quota, Result, SignOfLife, Store,
};

pub(super) const CHECKS: &[Check] = &[
    ("a worker registers, is seen, signs off and comes back", lives),
    ("of one name there is one process", one_process),
    (
        "a worker and the target that it brings are registered together, or not",
        with_target,
    ),
    ("a machine that differs is confirmed once, with a reason", confirmed),
    ("of each architecture the first measurement is recorded", first_counts),
    ("measurements under a lease that is over are refused", fenced),
    ("a job that gets on is not given up", gets_on),
    ("a job waits for those that it needs", waits),
    ("leases are renewed after the registry was away", renewed),
];

const MEASURE: &[JobKind] = &[JobKind::Measure];

/// A target, a worker for it, and a job that the worker has leased.
fn ready(store: &dyn Store) -> (NewWorker, Job) {
    store.put_hardware(&new_hardware("cpu"), "ann").unwrap();
    let new = new_worker("box", "cpu");
    let registered = store.register_worker(&new, None, Quota::NONE, "ann").unwrap();
    store.create_job(&new_job(JobKind::Measure), None, places(9)).unwrap();
    let request = LeaseRequest {
        holder: registered.holder(),
        device: "box".to_owned(),
        ..worker("box", MEASURE)
    };
    let job = store.lease_job(&request).unwrap().expect("a job waits");
    (new, job)
}

#[track_caller]
fn stale<T: std::fmt::Debug>(result: Result<T>) {
    assert!(matches!(result, Err(Error::StaleInstance { .. })), "{result:?}");
}

fn lives(store: &dyn Store) {
    let new = new_worker("box", "cpu");
    assert_eq!(
        not_found(store.register_worker(&new, None, Quota::NONE, "ann")).0,
        "hardware target"
    );
    store.put_hardware(&new_hardware("cpu"), "ann").unwrap();
    let registered = store.register_worker(&new, None, Quota::NONE, "ann").unwrap();
    assert_eq!((registered.measured, registered.signed_off), (0, false));
    assert_eq!(store.worker(&new.name).unwrap(), registered);
    assert_eq!(store.workers().unwrap(), std::slice::from_ref(&registered));
    let sign = SignOfLife {
        clock_skew_s: Some(-2.5),
        reference_ratio: Some(1.25),
    };
    let seen = store.see_worker(&new.name, &new.instance, sign).unwrap();
    assert_eq!((seen.clock_skew_s, seen.reference_ratio), (-2.5, Some(1.25)));
    let again = store
        .see_worker(&new.name, &new.instance, SignOfLife::default())
        .unwrap();
    assert_eq!((again.clock_skew_s, again.reference_ratio), (-2.5, Some(1.25)));
    assert!(store.sign_off_worker(&new.name, &new.instance).unwrap().signed_off);
    stale(store.see_worker(&new.name, &new.instance, sign));
    assert!(
        !store
            .register_worker(&new, None, Quota::NONE, "ann")
            .unwrap()
            .signed_off
    );
    let odd = SignOfLife {
        clock_skew_s: Some(f64::NAN),
        reference_ratio: None,
    };
    assert_eq!(invalid(store.see_worker(&new.name, &new.instance, odd)), "sent_at");
    let nameless = NewWorker {
        instance: "short".to_owned(),
        ..new
    };
    assert_eq!(
        invalid(store.register_worker(&nameless, None, Quota::NONE, "ann")),
        "instance"
    );
}

fn one_process(store: &dyn Store) {
    let (first, job) = ready(store);
    let entries = store.audit(1, 99).unwrap().len();
    let second = NewWorker {
        instance: "another0instance".to_owned(),
        ..first.clone()
    };
    store.register_worker(&second, None, Quota::NONE, "ann").unwrap();
    assert_eq!(
        store.audit(1, 99).unwrap().len(),
        entries,
        "a new process of the same machine is nothing new"
    );
    stale(store.see_worker(&first.name, &first.instance, SignOfLife::default()));
    stale(store.sign_off_worker(&first.name, &first.instance));
    let gone = job.lease.unwrap().holder;
    assert_eq!(store.requeue_jobs(Some(&gone)).unwrap().len(), 1);
    let moved = NewWorker {
        fingerprint: json!({"cpu": "another"}),
        ..second
    };
    store.register_worker(&moved, None, Quota::NONE, "ann").unwrap();
    assert!(store.audit(1, 99).unwrap().len() > entries, "another machine is");
}

fn with_target(store: &dyn Store) {
    let (new, target) = (new_worker("box", "cpu"), new_hardware("cpu"));
    let register =
        |new: &NewWorker, target: &NewHardware, quota| store.register_worker(new, Some(target), quota, "ann");
    let nothing = || {
        assert_eq!(not_found(store.hardware(&target.name)).0, "hardware target");
        assert_eq!(store.audit(1, 9).unwrap(), []);
    };
    let faulty = NewWorker {
        instance: "short".to_owned(),
        ..new.clone()
    };
    assert_eq!(invalid(register(&faulty, &target, Quota::NONE)), "instance");
    nothing();
    let faulty = NewHardware {
        runtime: String::new(),
        ..target.clone()
    };
    assert_eq!(invalid(register(&new, &faulty, Quota::NONE)), "setup.runtime");
    nothing();
    for (targets, workers, what) in [(0, 1, "hardware targets"), (1, 0, "workers")] {
        let refused = register(&new, &target, Quota { targets, workers });
        assert!(matches!(refused, Err(Error::QuotaReached { what: told, .. }) if told == what));
        nothing();
    }
    let of_another = new_hardware("gpu");
    assert_eq!(not_found(register(&new, &of_another, Quota::NONE)).0, "hardware target");
    nothing();
    let one = Quota { targets: 1, workers: 1 };
    assert_eq!(register(&new, &target, one).unwrap().registered_by, "ann");
    assert_eq!(store.hardware(&target.name).unwrap().settings, target.settings);
    assert_eq!(store.audit(1, 9).unwrap().len(), 2);
    register(&new, &target, one).expect("what is there is not created again");
    store.verify_audit().unwrap();
}

fn confirmed(store: &dyn Store) {
    let (new, _) = ready(store);
    let confirm = |reason| store.confirm_worker(&new.name, "ann", reason);
    assert_eq!(invalid(confirm("a new cooler")), "worker");
    let other = NewWorker {
        fingerprint: json!({"cpu": "another"}),
        difference: Some("cpu".to_owned()),
        ..new.clone()
    };
    store.register_worker(&other, None, Quota::NONE, "ann").unwrap();
    assert_eq!(invalid(confirm("")), "reason");
    assert_eq!(confirm("a new cooler").unwrap().difference, None);
    let target = store.hardware(&name("cpu")).unwrap();
    assert_eq!(target.confirmed, [json!({"cpu": "another"})]);
    assert_eq!(target.fingerprint, new_hardware("cpu").fingerprint);
    let last = store.audit(1, 99).unwrap().pop().unwrap();
    assert_eq!(last.reason.as_deref(), Some("a new cooler"));
    store.verify_audit().unwrap();
    assert_eq!(store.put_hardware(&new_hardware("cpu"), "ann").unwrap(), target);
}

fn first_counts(store: &dyn Store) {
    let (new, job) = ready(store);
    let first = measurement(&name("cpu"), "a", 0);
    let mut other = first.clone();
    other.latency_ms *= 2.0;
    let second = measurement(&name("cpu"), "b", 0);
    let record = |measured: &[_]| store.record_leased(job.id, job.attempts, measured, "box").unwrap();
    let (accepted, known) = (1, 0);
    assert_eq!(record(std::slice::from_ref(&first)), Accepted { accepted, known });
    assert_eq!(
        record(&[other, second.clone()]),
        Accepted { accepted: 1, known: 1 },
        "one that is measured already stays as it is"
    );
    assert_eq!(
        record(&[first.clone(), second.clone()]),
        Accepted { accepted: 0, known: 2 }
    );
    let recorded = store.measurements(&name("cpu"), &first.space, None).unwrap();
    assert!(recorded.len() == 2 && recorded.contains(&first) && recorded.contains(&second));
    let counted = store.worker(&new.name).unwrap();
    assert_eq!((counted.measured, counted.recent.len()), (2, 2));
    store.verify_audit().unwrap();
}

fn fenced(store: &dyn Store) {
    let (_, job) = ready(store);
    let measured = [measurement(&name("cpu"), "a", 0)];
    let elsewhere = [measurement(&name("gpu"), "a", 0)];
    assert_eq!(
        invalid(store.record_leased(job.id, job.attempts, &elsewhere, "box")),
        "measurements.0.hardware"
    );
    store.release_job(job.id, job.attempts).unwrap();
    for fencing in [job.attempts, job.attempts + 1] {
        let result = store.record_leased(job.id, fencing, &measured, "box");
        assert!(matches!(result, Err(Error::StaleLease { .. })), "{result:?}");
    }
    assert!(
        store
            .measured_digests(&name("cpu"), &measured[0].space, 0)
            .unwrap()
            .is_empty()
    );
}

/// A worker that was killed time and again, each time after a measurement, lost its job for good at the third kill.
fn gets_on(store: &dyn Store) {
    let (_, mut job) = ready(store);
    let request = worker("box", MEASURE);
    for round in 0..2 * JOB_ATTEMPTS {
        let measured = [measurement(&name("cpu"), &format!("a{round}"), 0)];
        store.record_leased(job.id, job.attempts, &measured, "box").unwrap();
        let holder = job.lease.unwrap().holder;
        assert_eq!(store.requeue_jobs(Some(&holder)).unwrap().len(), 1);
        job = store.lease_job(&request).unwrap().expect("it is queued again");
    }
    assert_eq!(job.lost, 1);
}

fn waits(store: &dyn Store) {
    store.put_hardware(&new_hardware("cpu"), "ann").unwrap();
    let parent = store.create_job(&new_job(JobKind::Validate), None, places(9)).unwrap();
    let needed = NewJob {
        parent: Some(parent.id),
        ..new_job(JobKind::Measure)
    };
    let child = store.create_job(&needed, None, places(9)).unwrap();
    assert_eq!(child.parent, Some(parent.id));
    let kinds = [JobKind::Measure, JobKind::Validate];
    let leased = store.lease_job(&worker("box", &kinds)).unwrap().expect("the child");
    assert_eq!(leased.id, child.id);
    assert_eq!(store.lease_job(&worker("other", &kinds)).unwrap(), None);
    let done = JobOutcome::Succeeded(json!({}));
    store.finish_job(child.id, leased.attempts, &done).unwrap();
    let leased = store.lease_job(&worker("other", &kinds)).unwrap().expect("the parent");
    assert_eq!(leased.id, parent.id);
}

fn renewed(store: &dyn Store) {
    let (_, job) = ready(store);
    let before = job.lease.unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    store.renew_leases_except(&before.holder).unwrap();
    assert_eq!(store.job(job.id).unwrap().lease.as_ref(), Some(&before));
    store.renew_leases_except(&LeaseHolder::Server).unwrap();
    let after = store.job(job.id).unwrap().lease.expect("it is still leased");
    assert!(after.expires_at > before.expires_at && after.fencing == before.fencing);
}

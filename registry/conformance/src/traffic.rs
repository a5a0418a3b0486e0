use std::sync::{Arc, Mutex};
use std::thread;

use super::fixtures::{name, predicting_energy, promote, ready_for_versions, rollback};
use super::{Check, invalid, not_found};
use lglp_registry::{
    Agreement, AliasMove, Change, Digest, Error, Expected, HardwareName, NewDataset, NewVersion, Result, SetTraffic,
    Share, Store, Traffic,
};

pub(super) const CHECKS: &[Check] = &[
    ("traffic is set from the generation that its setter saw", set),
    ("traffic goes to aliases that exist, in shares", refused),
    ("traffic goes to versions of production's space", same_space),
    ("traffic goes to versions that predict latency", latency_alone),
    ("of eight threads that set traffic from one generation one wins", race),
    ("what shadows agreed on adds up, by pair of versions", agreements),
    ("watchers are told of every change, once it can be read", watched),
];

/// A target with versions 1 and 2: `production` and `candidate`.
fn two_aliases(store: &dyn Store) -> HardwareName {
    let cpu = name("cpu");
    let new = ready_for_versions(store, &cpu);
    for _ in 0..2 {
        store.create_version(&cpu, &new, None).unwrap();
    }
    store.move_alias(&cpu, &promote(1, 0)).unwrap();
    store.move_alias(&cpu, &candidate(2, 0)).unwrap();
    cpu
}

fn candidate(version: u32, expected_generation: u64) -> AliasMove {
    AliasMove {
        alias: "candidate".parse().unwrap(),
        ..promote(version, expected_generation)
    }
}

fn share(alias: &str, share: f64) -> Option<Share> {
    let alias = alias.parse().unwrap();
    Some(Share { alias, share })
}

fn request(canary: Option<Share>, shadow: Option<Share>, expected_generation: u64) -> SetTraffic {
    SetTraffic {
        canary,
        shadow,
        expected_generation: expected_generation.into(),
        actor: "ann".to_owned(),
        reason: "try it".to_owned(),
    }
}

#[track_caller]
fn stale(result: Result<Traffic>) -> u64 {
    match result {
        Err(Error::StaleGeneration { current, .. }) => current,
        other => panic!("expected a stale generation, got {other:?}"),
    }
}

fn set(store: &dyn Store) {
    let cpu = two_aliases(store);
    assert_eq!(store.traffic(&cpu).unwrap(), Traffic::default());
    let tenth = share("candidate", 0.1);
    let order = request(tenth.clone(), share("candidate", 1.0), 0);
    // What was never divided is there all the same: it is production's as a whole.
    let whichever = SetTraffic {
        expected_generation: Expected::Existing,
        ..order.clone()
    };
    let first = store.set_traffic(&cpu, &whichever).unwrap();
    assert_eq!((first.generation, first.set_by.as_deref()), (1, Some("ann")));
    assert_eq!((&first.canary, &first.shadow), (&order.canary, &order.shadow));
    assert_eq!(store.traffic(&cpu).unwrap(), first);
    assert_eq!(stale(store.set_traffic(&cpu, &order)), 1);
    let ended = store.set_traffic(&cpu, &request(None, None, 1)).unwrap();
    assert_eq!((ended.generation, ended.canary, ended.shadow), (2, None, None));

    let entries = store.audit(0, 100).unwrap();
    let [.., begun, over] = entries.as_slice() else {
        panic!("two entries, {entries:?}")
    };
    assert_eq!((begun.actor.as_str(), begun.reason.as_deref()), ("ann", Some("try it")));
    assert!(begun.before.is_null() && begun.after["canary"]["share"] == 0.1);
    assert_eq!(
        (&over.before, &over.after["canary"]),
        (&begun.after, &serde_json::Value::Null)
    );
    let change = Change::TrafficSet {
        hardware: cpu,
        generation: 1,
        canary: tenth,
        shadow: share("candidate", 1.0),
    };
    assert_eq!(begun.change, change);
    store.verify_audit().unwrap();
}

fn refused(store: &dyn Store) {
    not_found(store.traffic(&name("cpu")));
    not_found(store.set_traffic(&name("cpu"), &request(None, None, 0)));
    let cpu = two_aliases(store);
    for bad in [0.0, -0.1, 1.000_1, f64::NAN, f64::INFINITY] {
        let canary = request(share("candidate", bad), None, 0);
        assert_eq!(invalid(store.set_traffic(&cpu, &canary)), "canary.share");
    }
    let itself = request(None, share("production", 0.5), 0);
    assert_eq!(invalid(store.set_traffic(&cpu, &itself)), "shadow.alias");
    let nowhere = request(None, share("nowhere", 0.5), 0);
    assert_eq!(
        not_found(store.set_traffic(&cpu, &nowhere)),
        ("alias", "nowhere".to_owned())
    );
    let nobody = SetTraffic {
        actor: String::new(),
        ..request(None, None, 0)
    };
    assert_eq!(invalid(store.set_traffic(&cpu, &nobody)), "actor");
    assert_eq!(store.traffic(&cpu).unwrap(), Traffic::default());
}

fn same_space(store: &dyn Store) {
    let cpu = two_aliases(store);
    let other = "ofa-mobilenetv3".to_owned();
    let dataset = NewDataset {
        space: other.clone(),
        ..super::fixtures::new_dataset()
    };
    let dataset = store.freeze_dataset(&cpu, &dataset, b"other").unwrap().digest;
    let new = NewVersion {
        space: other,
        space_digest: Digest::of(b"other"),
        dataset,
        ..ready_for_versions(store, &cpu)
    };
    let version = store.create_version(&cpu, &new, None).unwrap().version;
    store.move_alias(&cpu, &candidate(version, 1)).unwrap();
    let canary = request(share("candidate", 0.5), None, 0);
    assert_eq!(invalid(store.set_traffic(&cpu, &canary)), "canary.alias");
}

/// However an alias that takes part comes to such a version.
fn latency_alone(store: &dyn Store) {
    let cpu = two_aliases(store);
    let energy = predicting_energy(&ready_for_versions(store, &cpu));
    let version = store.create_version(&cpu, &energy, None).unwrap().version;
    let to_candidate = |generation| request(share("candidate", 0.5), None, generation);
    store.set_traffic(&cpu, &to_candidate(0)).unwrap();
    assert_eq!(invalid(store.move_alias(&cpu, &candidate(version, 1))), "version");

    store.set_traffic(&cpu, &request(None, None, 1)).unwrap();
    store.move_alias(&cpu, &candidate(version, 1)).unwrap();
    assert_eq!(invalid(store.set_traffic(&cpu, &to_candidate(2))), "canary.alias");

    store.move_alias(&cpu, &candidate(2, 2)).unwrap();
    store.set_traffic(&cpu, &to_candidate(2)).unwrap();
    let mut back = rollback(None);
    back.alias = "candidate".parse().unwrap();
    assert_eq!(invalid(store.roll_back(&cpu, &back)), "version");
}

fn race(store: &dyn Store) {
    let cpu = two_aliases(store);
    for generation in 0..5 {
        let order = request(share("candidate", 0.5), None, generation);
        let results: Vec<_> = thread::scope(|scope| {
            let racer = || scope.spawn(|| store.set_traffic(&cpu, &order));
            let threads: Vec<_> = (0..8).map(|_| racer()).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        for result in lost {
            assert_eq!(stale(result), generation + 1);
        }
    }
    store.verify_audit().unwrap();
}

fn agreements(store: &dyn Store) {
    not_found(store.add_agreement(&name("cpu"), &Agreement::between(1, 2)));
    let cpu = two_aliases(store);
    let entries = store.verify_audit().unwrap();
    let mut seen = Agreement::between(1, 2);
    seen.compare(|| "a".to_owned(), 10.0, 11.0);
    seen.compare(|| "b".to_owned(), 10.0, 8.0);
    assert_eq!(store.add_agreement(&cpu, &seen).unwrap(), seen);
    let mut more = Agreement::between(1, 2);
    more.compare(|| "c".to_owned(), 10.0, 20.0);
    more.dropped = 5;
    let mut total = seen.clone();
    total.merge(&more);
    assert_eq!(store.add_agreement(&cpu, &more).unwrap(), total);
    let reverse = Agreement::between(2, 1);
    store.add_agreement(&cpu, &reverse).unwrap();
    assert_eq!(store.agreements(&cpu).unwrap(), [total.clone(), reverse]);
    assert_eq!((total.n, total.within_10, total.dropped), (3, 1, 5));
    assert_eq!(total.most_different[0].architecture, "c");
    assert_eq!(store.verify_audit().unwrap(), entries, "counts are not audited");
    let broken = Agreement {
        mean_relative: f64::NAN,
        ..Agreement::between(1, 2)
    };
    assert_eq!(invalid(store.add_agreement(&cpu, &broken)), "mean_relative");
}

fn watched(store: &dyn Store) {
    let told = Arc::new(Mutex::new(vec![]));
    let watcher = told.clone();
    store
        .watch(Arc::new(move |change| watcher.lock().unwrap().push(change.clone())))
        .unwrap();
    two_aliases(store);
    store.move_alias(&name("cpu"), &promote(2, 7)).unwrap_err();
    store.count_predictions(&name("cpu"), 1).unwrap();
    let logged: Vec<Change> = store
        .events(0, 100)
        .unwrap()
        .into_iter()
        .map(|event| event.change)
        .collect();
    assert_eq!(*told.lock().unwrap(), logged);
}

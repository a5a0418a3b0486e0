use std::thread;

use super::fixtures::{name, predicting_energy, promote, ready_for_versions, rollback};
use super::{Check, invalid, not_found};
use lglp_registry::{Alias, AliasMove, AliasName, Error, Expected, HardwareName, Result, Rollback, Store};

pub(super) const CHECKS: &[Check] = &[
    ("an alias moves from the generation that its mover saw", moves),
    ("an alias points at a version that exists", points_somewhere),
    (
        "an alias moves from any of several generations, or from whichever there is",
        moves_from_any,
    ),
    ("of eight threads that race from one generation exactly one wins", race),
    ("rolling back goes back version by version", rolls_back),
    ("a move repeated with its key is answered as the first time", repeated),
    ("aliases are listed by name", listed),
    ("a target has so many aliases and no more", limited),
    ("production answers latency alone", latency_alone),
];

/// A target with versions 1 and 2.
fn two_versions(store: &dyn Store) -> HardwareName {
    let cpu = name("cpu");
    let new = ready_for_versions(store, &cpu);
    for _ in 0..2 {
        store.create_version(&cpu, &new, None).unwrap();
    }
    cpu
}

#[track_caller]
fn stale(result: Result<Alias>) -> u64 {
    match result {
        Err(Error::StaleGeneration { current, .. }) => current,
        other => panic!("expected a stale generation, got {other:?}"),
    }
}

fn moves(store: &dyn Store) {
    let cpu = two_versions(store);
    let production: AliasName = "production".parse().unwrap();
    assert_eq!(not_found(store.alias(&cpu, &production)).0, "alias");
    assert_eq!(stale(store.move_alias(&cpu, &promote(1, 1))), 0);
    let first = store.move_alias(&cpu, &promote(1, 0)).unwrap();
    assert_eq!(
        (first.version, first.generation, first.moved_by.as_str()),
        (1, 1, "ann")
    );
    assert_eq!(stale(store.move_alias(&cpu, &promote(2, 0))), 1);
    assert_eq!(stale(store.move_alias(&cpu, &promote(2, 2))), 1);
    assert_eq!(store.alias(&cpu, &production).unwrap(), first);
    assert_eq!(store.move_alias(&cpu, &promote(2, 1)).unwrap().generation, 2);
    let back = store.move_alias(&cpu, &promote(1, 2)).unwrap();
    assert_eq!(
        (back.version, back.generation),
        (1, 3),
        "a rollback is a move like any other"
    );
    assert_eq!(store.alias(&cpu, &production).unwrap(), back);
}

fn moves_from_any(store: &dyn Store) {
    let cpu = two_versions(store);
    let from = |expected_generation| AliasMove {
        expected_generation,
        ..promote(1, 0)
    };
    let missing = store.move_alias(&cpu, &from(Expected::Existing)).unwrap_err();
    assert_eq!(missing.to_string(), "alias production does not exist yet");
    store.move_alias(&cpu, &from(Expected::OneOf(vec![0, 7]))).unwrap();
    assert_eq!(store.move_alias(&cpu, &from(Expected::Existing)).unwrap().generation, 2);
    let seen = store.move_alias(&cpu, &from(Expected::OneOf(vec![0, 1]))).unwrap_err();
    assert_eq!(seen.to_string(), "alias production is at generation 2, not 0 or 1");
    assert_eq!(
        store
            .move_alias(&cpu, &from(Expected::OneOf(vec![1, 2])))
            .unwrap()
            .generation,
        3
    );
    let back = |expected_generation| Rollback {
        expected_generation: Some(expected_generation),
        ..rollback(None)
    };
    store.move_alias(&cpu, &promote(2, 3)).unwrap();
    assert_eq!(stale(store.roll_back(&cpu, &back(Expected::OneOf(vec![])))), 4);
    assert_eq!(store.roll_back(&cpu, &back(Expected::Existing)).unwrap().generation, 5);
}

fn limited(store: &dyn Store) {
    let cpu = two_versions(store);
    let named = |number: usize| AliasMove {
        alias: format!("alias-{number}").parse().unwrap(),
        ..promote(1, 0)
    };
    for number in 0..64 {
        store.move_alias(&cpu, &named(number)).unwrap();
    }
    assert_eq!(invalid(store.move_alias(&cpu, &named(64))), "alias");
    let moved = AliasMove {
        version: 2,
        expected_generation: 1.into(),
        ..named(3)
    };
    store.move_alias(&cpu, &moved).unwrap();
}

fn rolls_back(store: &dyn Store) {
    let cpu = two_versions(store);
    let third = ready_for_versions(store, &cpu);
    store.create_version(&cpu, &third, None).unwrap();
    assert_eq!(not_found(store.roll_back(&cpu, &rollback(None))).0, "alias");
    store.move_alias(&cpu, &promote(1, 0)).unwrap();
    let nothing = store.roll_back(&cpu, &rollback(None));
    assert!(matches!(nothing, Err(Error::NoPrevious { .. })), "{nothing:?}");
    store.move_alias(&cpu, &promote(2, 1)).unwrap();
    store.move_alias(&cpu, &promote(2, 2)).unwrap();
    let third = store.move_alias(&cpu, &promote(3, 3)).unwrap();
    assert_eq!(
        third.previous,
        [1, 2],
        "a move to the same version is none to go back over"
    );
    assert_eq!(stale(store.roll_back(&cpu, &rollback(Some(3)))), 4);
    let back = store.roll_back(&cpu, &rollback(Some(4))).unwrap();
    assert_eq!((back.version, back.generation, back.moved_by.as_str()), (2, 5, "bob"));
    let further = store.roll_back(&cpu, &rollback(None)).unwrap();
    assert_eq!(
        (further.version, further.generation),
        (1, 6),
        "not to the version that was rolled back"
    );
    store.roll_back(&cpu, &rollback(None)).unwrap_err();
    let entry = store.audit(0, 100).unwrap().pop().unwrap();
    assert_eq!(entry.before["version"], 2);
    assert_eq!(entry.after["version"], 1);
    assert_eq!(entry.reason.as_deref(), Some("worse"));
}

fn repeated(store: &dyn Store) {
    let cpu = two_versions(store);
    let with_key = |version, generation| AliasMove {
        idempotency_key: Some("k".to_owned()),
        ..promote(version, generation)
    };
    let first = store.move_alias(&cpu, &with_key(1, 0)).unwrap();
    store.move_alias(&cpu, &promote(2, 1)).unwrap();
    assert_eq!(store.move_alias(&cpu, &with_key(1, 0)).unwrap(), first);
    let other = store.move_alias(&cpu, &with_key(2, 0));
    assert!(matches!(other, Err(Error::Conflict { .. })), "{other:?}");
    let mut back = rollback(None);
    back.idempotency_key = Some("k".to_owned());
    let first = store.roll_back(&cpu, &back).unwrap();
    assert_eq!(store.roll_back(&cpu, &back).unwrap(), first);
    assert_eq!(store.alias(&cpu, &first.name).unwrap(), first);
}

fn points_somewhere(store: &dyn Store) {
    assert_eq!(
        not_found(store.move_alias(&name("cpu"), &promote(1, 0))).0,
        "hardware target"
    );
    let cpu = two_versions(store);
    for nowhere in [0, 3, u32::MAX] {
        assert_eq!(
            not_found(store.move_alias(&cpu, &promote(nowhere, 0))),
            ("version", nowhere.to_string())
        );
    }
    let nobody = AliasMove {
        actor: String::new(),
        ..promote(1, 0)
    };
    assert_eq!(invalid(store.move_alias(&cpu, &nobody)), "actor");
    assert_eq!(store.aliases(&cpu).unwrap(), []);
}

fn race(store: &dyn Store) {
    let cpu = two_versions(store);
    for generation in 0..5 {
        let results: Vec<_> = thread::scope(|scope| {
            let racer = || scope.spawn(|| store.move_alias(&cpu, &promote(1, generation)));
            let threads: Vec<_> = (0..8).map(|_| racer()).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        assert_eq!(won[0].as_ref().unwrap().generation, generation + 1);
        for result in lost {
            assert_eq!(stale(result), generation + 1);
        }
    }
    store.verify_audit().unwrap();
}

fn listed(store: &dyn Store) {
    let cpu = two_versions(store);
    let gpu = name("gpu");
    ready_for_versions(store, &gpu);
    for text in ["production", "candidate", "a"] {
        store
            .move_alias(
                &cpu,
                &AliasMove {
                    alias: text.parse().unwrap(),
                    ..promote(1, 0)
                },
            )
            .unwrap();
    }
    let names: Vec<_> = store
        .aliases(&cpu)
        .unwrap()
        .into_iter()
        .map(|alias| alias.name.to_string())
        .collect();
    assert_eq!(names, ["a", "candidate", "production"]);
    assert_eq!(store.aliases(&gpu).unwrap(), []);
    not_found(store.aliases(&name("npu")));
}

fn latency_alone(store: &dyn Store) {
    let cpu = two_versions(store);
    let energy = predicting_energy(&ready_for_versions(store, &cpu));
    let version = store.create_version(&cpu, &energy, None).unwrap().version;
    store.move_alias(&cpu, &promote(1, 0)).unwrap();
    assert_eq!(invalid(store.move_alias(&cpu, &promote(version, 1))), "version");
    assert_eq!(invalid(store.forecast_move(&cpu, &promote(version, 1))), "version");
    let forced = AliasMove {
        force: true,
        ..promote(version, 1)
    };
    assert_eq!(
        invalid(store.move_alias(&cpu, &forced)),
        "version",
        "an admin cannot change what clients read"
    );
    let under_its_own = AliasMove {
        alias: "energy".parse().unwrap(),
        ..promote(version, 0)
    };
    assert_eq!(store.move_alias(&cpu, &under_its_own).unwrap().version, version);
}

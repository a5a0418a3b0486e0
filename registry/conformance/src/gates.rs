use super::fixtures::{name, new_validation, of_no_space, promote, ready_for_versions, rollback};
use super::{Check, invalid, not_found};
use lglp_registry::{
    AliasMove, Error, Expected, Gate, GateChange, GateRules, HardwareName, ONNX, Result, Store, Verdict,
};

pub(super) const CHECKS: &[Check] = &[
    ("a gate is set from the generation that its setter saw", set),
    ("a gate refuses what has not shown enough, rule by rule", refuses),
    ("a gate compares with what is in production now", compares),
    (
        "a gate looks at reports on networks, or at those on architectures",
        on_networks,
    ),
    ("force overrules a gate, with a reason", forced),
    ("rolling back asks no gate", rollback_passes),
    ("bounds are checked", bounds),
];

fn change(rules: GateRules, expected_generation: u64) -> GateChange {
    GateChange {
        rules,
        expected_generation: expected_generation.into(),
        actor: "ann".to_owned(),
        reason: "policy".to_owned(),
    }
}

/// A target with versions 1 and 2 and a gate.
fn gated(store: &dyn Store, rules: GateRules) -> HardwareName {
    let cpu = name("cpu");
    let new = ready_for_versions(store, &cpu);
    for _ in 0..2 {
        store.create_version(&cpu, &new, None).unwrap();
    }
    store.set_gate(&cpu, &change(rules, 0)).unwrap();
    cpu
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>) -> Verdict {
    match result {
        Err(Error::GateRefused { verdict, .. }) => *verdict,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// The names of the rules that failed.
fn failed(verdict: &Verdict) -> Vec<&str> {
    let failed = verdict.rules.iter().filter(|rule| !rule.passed);
    failed.map(|rule| rule.rule.as_str()).collect()
}

fn set(store: &dyn Store) {
    let cpu = name("cpu");
    assert_eq!(not_found(store.gate(&cpu)).0, "hardware target");
    ready_for_versions(store, &cpu);
    assert_eq!(store.gate(&cpu).unwrap(), None);
    let rules = GateRules {
        max_mape: Some(5.0),
        ..GateRules::default()
    };
    let stale = |result: Result<Gate>| matches!(result, Err(Error::StaleGeneration { .. }));
    assert!(stale(store.set_gate(&cpu, &change(rules, 1))));
    let gate = store.set_gate(&cpu, &change(rules, 0)).unwrap();
    assert_eq!((gate.generation, gate.rules, gate.set_by.as_str()), (1, rules, "ann"));
    assert!(stale(store.set_gate(&cpu, &change(rules, 0))));
    let whichever = GateChange {
        expected_generation: Expected::Existing,
        ..change(GateRules::default(), 1)
    };
    store.set_gate(&cpu, &whichever).unwrap();
    assert_eq!(store.gate(&cpu).unwrap().unwrap().rules, GateRules::default());
    let entry = store.audit(0, 100).unwrap().pop().unwrap();
    assert_eq!(entry.before["rules"]["max_mape"], 5.0);
    assert_eq!(entry.after["rules"], serde_json::json!({}));
}

fn refuses(store: &dyn Store) {
    let strict = GateRules {
        min_n: Some(5),
        max_mape: Some(0.5),
        min_spearman: Some(0.995),
        min_coverage: Some(0.9),
        max_age_hours: Some(0.0),
        max_regression: Some(0.0),
        on_networks: false,
    };
    let cpu = gated(store, strict);
    let verdict = refused(store.move_alias(&cpu, &promote(1, 0)));
    assert_eq!((verdict.validation, verdict.rules.len()), (None, 6));
    assert_eq!(failed(&verdict).len(), 6, "there is no report: {verdict:?}");
    let report = new_validation(store, &store.version(&cpu, 1).unwrap(), None);
    store.create_validation(&cpu, &report, None).unwrap();
    let verdict = refused(store.move_alias(&cpu, &promote(1, 0)));
    assert_eq!(verdict.validation, Some(1));
    assert_eq!(
        failed(&verdict),
        ["min_n", "max_mape", "min_spearman", "max_age_hours"],
        "coverage is enough, and nothing is in production to be worse than"
    );
    assert_eq!((verdict.rules[0].value, verdict.rules[1].value), (Some(4.0), Some(1.0)));
    let forecast = store.forecast_move(&cpu, &promote(1, 0)).unwrap();
    assert_eq!((forecast.moves, forecast.from, forecast.to), (false, None, 1));
    assert_eq!(failed(&forecast.verdict.unwrap()).len(), 4);
    assert_eq!(not_found(store.alias(&cpu, &promote(1, 0).alias)).0, "alias");
    let candidate = AliasMove {
        alias: "candidate".parse().unwrap(),
        ..promote(1, 0)
    };
    store.move_alias(&cpu, &candidate).unwrap();

    let lenient = GateRules {
        min_n: Some(4),
        max_mape: Some(1.0),
        min_spearman: Some(0.9),
        min_coverage: Some(1.0),
        max_age_hours: None,
        max_regression: Some(0.0),
        on_networks: false,
    };
    store.set_gate(&cpu, &change(lenient, 1)).unwrap();
    store.move_alias(&cpu, &promote(1, 0)).unwrap();
    let entry = store.audit(0, 100).unwrap().pop().unwrap();
    let verdict = serde_json::to_value(&entry.change).unwrap()["verdict"].clone();
    assert_eq!(
        (&verdict["passed"], &verdict["validation"]),
        (&true.into(), &1.into()),
        "the audit log keeps what the gate said"
    );
}

fn compares(store: &dyn Store) {
    let cpu = gated(store, GateRules::default());
    store.move_alias(&cpu, &promote(1, 0)).unwrap();
    let rules = GateRules {
        max_regression: Some(-40.0),
        ..GateRules::default()
    };
    store.set_gate(&cpu, &change(rules, 1)).unwrap();
    let second = store.version(&cpu, 2).unwrap();
    store
        .create_validation(&cpu, &new_validation(store, &second, None), None)
        .unwrap();
    let verdict = refused(store.move_alias(&cpu, &promote(2, 1)));
    assert!(verdict.rules[0].detail.contains("validate again"), "{verdict:?}");
    store
        .create_validation(&cpu, &new_validation(store, &second, Some(1)), None)
        .unwrap();
    // 1 % instead of 2 %: better by half.
    let moved = store.move_alias(&cpu, &promote(2, 1)).unwrap();
    assert_eq!(moved.version, 2);
    let half = GateRules {
        max_regression: Some(-60.0),
        ..GateRules::default()
    };
    store.set_gate(&cpu, &change(half, 2)).unwrap();
    store.roll_back(&cpu, &rollback(None)).unwrap();
    let verdict = refused(store.move_alias(&cpu, &promote(2, 3)));
    assert_eq!(verdict.rules[0].value, Some(-50.0));
}

fn on_networks(store: &dyn Store) {
    let rules = GateRules {
        max_mape: Some(5.0),
        on_networks: true,
        ..GateRules::default()
    };
    let cpu = gated(store, rules);
    let version = store.version(&cpu, 1).unwrap();
    // One on architectures is none that it looks at.
    store
        .create_validation(&cpu, &new_validation(store, &version, None), None)
        .unwrap();
    let verdict = refused(store.move_alias(&cpu, &promote(1, 0)));
    assert_eq!((verdict.validation, verdict.on_networks), (None, true));
    assert!(verdict.rules[0].detail.contains("on networks"), "{verdict:?}");
    let mut report = new_validation(store, &version, None);
    report.space = ONNX.to_owned();
    for (pair, name) in report.pairs.iter_mut().zip(["a", "b", "c", "d"]) {
        let network = of_no_space(&cpu, name);
        store.record_measurement(&network, "ann").unwrap();
        pair.architecture.clone_from(&network.architecture);
        pair.measured_ms = network.latency_ms;
    }
    store.create_validation(&cpu, &report, None).unwrap();
    let verdict = store.forecast_move(&cpu, &promote(1, 0)).unwrap().verdict.unwrap();
    assert_eq!((verdict.validation, verdict.passed), (Some(2), true));
    // Nor is one on networks where the gate looks at architectures.
    let of_architectures = GateRules {
        max_mape: Some(5.0),
        ..GateRules::default()
    };
    store.set_gate(&cpu, &change(of_architectures, 1)).unwrap();
    let verdict = store.forecast_move(&cpu, &promote(1, 0)).unwrap().verdict.unwrap();
    assert_eq!(verdict.validation, Some(1));
}

fn forced(store: &dyn Store) {
    let rules = GateRules {
        max_mape: Some(5.0),
        ..GateRules::default()
    };
    let cpu = gated(store, rules);
    let force = AliasMove {
        force: true,
        ..promote(1, 0)
    };
    let silent = AliasMove {
        reason: " ".to_owned(),
        ..force.clone()
    };
    assert_eq!(invalid(store.move_alias(&cpu, &silent)), "reason");
    assert!(store.forecast_move(&cpu, &force).unwrap().forced);
    store.move_alias(&cpu, &force).unwrap();
    let entry = store.audit(0, 100).unwrap().pop().unwrap();
    let change = serde_json::to_value(&entry.change).unwrap();
    assert_eq!(
        (&change["forced"], &change["verdict"]["passed"]),
        (&true.into(), &false.into())
    );
}

fn rollback_passes(store: &dyn Store) {
    let cpu = gated(store, GateRules::default());
    store.move_alias(&cpu, &promote(1, 0)).unwrap();
    store.move_alias(&cpu, &promote(2, 1)).unwrap();
    let rules = GateRules {
        max_mape: Some(5.0),
        ..GateRules::default()
    };
    store.set_gate(&cpu, &change(rules, 1)).unwrap();
    refused(store.move_alias(&cpu, &promote(1, 2)));
    assert_eq!(store.roll_back(&cpu, &rollback(None)).unwrap().version, 1);
}

fn bounds(store: &dyn Store) {
    let cpu = name("cpu");
    ready_for_versions(store, &cpu);
    for (field, rules) in [
        ("max_mape", serde_json::json!({"max_mape": -1.0})),
        ("min_spearman", serde_json::json!({"min_spearman": 2.0})),
        ("min_coverage", serde_json::json!({"min_coverage": 90.0})),
        ("max_age_hours", serde_json::json!({"max_age_hours": -1.0})),
        ("max_regression", serde_json::json!({"max_regression": -200.0})),
    ] {
        let rules: GateRules = serde_json::from_value(rules).unwrap();
        assert_eq!(invalid(store.set_gate(&cpu, &change(rules, 0))), field);
    }
    assert_eq!(store.gate(&cpu).unwrap(), None);
}

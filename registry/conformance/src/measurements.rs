use super::fixtures::{SPACE, measurement, name, new_hardware};
use super::{Check, conflict, invalid, not_found};
use lglp_registry::{Digest, HardwareName, MeasuredNetwork, Measurement, ONNX, Peculiar, Store};

pub(super) const CHECKS: &[Check] = &[
    ("a measurement reads back as the very same numbers", exact),
    ("a measurement is never overwritten", never_overwritten),
    ("a bulk of measurements is recorded wholly or not at all", all_or_none),
    ("a measurement that breaks a rule is refused", refused),
    ("what no network takes is refused, and named", implausible),
    (
        "a measurement that comes again as another replicate is refused",
        repeated,
    ),
    (
        "measurements of one space are of one definition of it",
        of_one_definition,
    ),
    ("a network of no space tells what it computes", of_no_space),
    ("the spaces that were measured are listed", spaces_listed),
    (
        "measurements are listed by replicate and digest, of one target and space",
        listed,
    ),
];

fn target(store: &dyn Store, text: &str) -> HardwareName {
    store.put_hardware(&new_hardware(text), "ann").unwrap().name
}

fn exact(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let mut new = measurement(&hardware, "net", 0);
    new.flags = vec!["noisy \"neighbour\"\n".to_owned()];
    for (index, sample) in new.samples.iter_mut().enumerate() {
        sample.wall_ms = 1.0 / (index as f64 + 3.0);
        sample.cpu_ms = f64::MIN_POSITIVE * (index as f64 + 1.0);
    }
    store.record_measurement(&new, "ann").unwrap();
    assert_eq!(store.measurements(&hardware, SPACE, None).unwrap(), [new]);
}

fn never_overwritten(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let new = measurement(&hardware, "net", 0);
    assert_eq!(store.record_measurements(std::slice::from_ref(&new), "ann").unwrap(), 1);
    assert_eq!(
        store.record_measurements(std::slice::from_ref(&new), "ann").unwrap(),
        0,
        "a retry is a no-op"
    );
    let mut other = new.clone();
    other.latency_ms = 9.0;
    assert_eq!(conflict(store.record_measurement(&other, "ann")), "latency_ms");
    other = new.clone();
    other.samples.pop();
    assert_eq!(conflict(store.record_measurement(&other, "ann")), "samples");
    assert_eq!(store.measurements(&hardware, SPACE, Some(0)).unwrap(), [new]);
    other.replicate = 1;
    store.record_measurement(&other, "ann").unwrap();
    assert_eq!(store.measurements(&hardware, SPACE, Some(1)).unwrap(), [other]);
}

fn all_or_none(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let old = measurement(&hardware, "old", 0);
    store.record_measurement(&old, "ann").unwrap();
    let mut clash = old.clone();
    clash.latency_ms = 9.0;
    let new = measurement(&hardware, "new", 0);
    conflict(store.record_measurements(&[new.clone(), clash], "ann"));
    let mut twice = new.clone();
    twice.process = "run-2".to_owned();
    assert_eq!(
        conflict(store.record_measurements(&[new.clone(), twice], "ann")),
        "process",
        "a clash within the bulk"
    );
    not_found(store.record_measurements(&[new.clone(), measurement(&name("gpu"), "new", 0)], "ann"));
    assert_eq!(
        store.measurements(&hardware, SPACE, None).unwrap(),
        std::slice::from_ref(&old)
    );
    assert_eq!(store.record_measurements(&[new.clone(), old, new], "ann").unwrap(), 1);
    assert_eq!(store.record_measurements(&[], "ann").unwrap(), 0);

    let many: Vec<_> = (0..2000)
        .map(|index| measurement(&hardware, &format!("net {index}"), 3))
        .collect();
    assert_eq!(store.record_measurements(&many, "ann").unwrap(), 2000);
    assert_eq!(store.measured_digests(&hardware, SPACE, 3).unwrap().len(), 2000);
}

fn refused(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let good = measurement(&hardware, "net", 0);
    let mut bad = good.clone();
    bad.digest = Digest::of(b"another");
    assert_eq!(invalid(store.record_measurement(&bad, "ann")), "0.digest");
    bad = good.clone();
    bad.space = "a/b".to_owned();
    assert_eq!(invalid(store.record_measurement(&bad, "ann")), "0.space");
    bad = good.clone();
    bad.measured_at = "yesterday".to_owned();
    assert_eq!(invalid(store.record_measurement(&bad, "ann")), "0.measured_at");
    not_found(store.record_measurement(&measurement(&name("gpu"), "net", 0), "ann"));
    assert_eq!(store.measurements(&hardware, SPACE, None).unwrap(), []);
}

/// Latencies of 1e300 and 1e-320 ms came in by table, folder and request. One such row made every training fail, or a model that
/// predicted 2e36 ms.
fn implausible(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let good = measurement(&hardware, "net", 0);
    let beyond = [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300, 1e-320, 9e-7, 8.64e7];
    let refused = |change: &dyn Fn(&mut Measurement)| {
        let mut bad = measurement(&hardware, "other", 0);
        change(&mut bad);
        invalid(store.record_measurements(&[good.clone(), bad], "ann"))
    };
    for value in beyond {
        assert_eq!(refused(&|bad| bad.latency_ms = value), "1.latency_ms", "{value}");
    }
    for value in [0.0, -1.0, f64::NAN, 1e300, 1e-320] {
        assert_eq!(refused(&|bad| bad.energy_j = Some(value)), "1.energy_j", "{value}");
    }
    for value in [-5.0, f64::NAN, 1e300] {
        assert_eq!(refused(&|bad| bad.samples[3].wall_ms = value), "1.samples.3.wall_ms");
        assert_eq!(refused(&|bad| bad.samples[0].cpu_ms = value), "1.samples.0.cpu_ms");
        assert_eq!(
            refused(&|bad| bad.samples[9].reference_wall_ms = value),
            "1.samples.9.reference_wall_ms"
        );
        assert_eq!(
            refused(&|bad| bad.samples[1].reference_cpu_ms = value),
            "1.samples.1.reference_cpu_ms"
        );
    }
    assert_eq!(store.measurements(&hardware, SPACE, None).unwrap(), []);
    for (at, value) in [1e-6, 0.004, 8.63e7].into_iter().enumerate() {
        let mut fair = measurement(&hardware, &format!("net {at}"), 0);
        fair.latency_ms = value;
        store.record_measurement(&fair, "ann").unwrap();
    }
    let mut target = new_hardware("gpu");
    target.reference = Some(super::fixtures::reference(1e-320));
    assert_eq!(invalid(store.put_hardware(&target, "ann")), "reference.latency_ms");
}

/// Rows that were copied counted as measured twice: the noise floor came out as 0.00 %.
fn repeated(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let first = measurement(&hardware, "net", 0);
    store.record_measurement(&first, "ann").unwrap();
    let copy = Measurement {
        replicate: 1,
        ..first.clone()
    };
    assert_eq!(invalid(store.record_measurement(&copy, "ann")), "0.round");
    let both = [
        measurement(&hardware, "net 2", 0),
        Measurement {
            replicate: 4,
            ..measurement(&hardware, "net 2", 0)
        },
    ];
    assert_eq!(invalid(store.record_measurements(&both, "ann")), "1.round");
    // Measured anew, and of a table, which tells nothing but latencies.
    let anew = Measurement {
        measured_at: "2024-02-01T12:00:00Z".to_owned(),
        ..copy.clone()
    };
    store.record_measurement(&anew, "ann").unwrap();
    let told = |replicate| Measurement {
        samples: vec![],
        replicate,
        ..measurement(&hardware, "net 3", 0)
    };
    store.record_measurements(&[told(0), told(1)], "ann").unwrap();
}

/// After a space's file was edited its texts name other networks; their labels are not to be mixed.
fn of_one_definition(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let of = |text: &str, definition: &str| Measurement {
        space_definition: Some(Digest::of(definition.as_bytes())),
        ..measurement(&hardware, text, 0)
    };
    // From before definitions were kept: it is taken for one of the first that tells.
    store
        .record_measurement(&measurement(&hardware, "old", 0), "ann")
        .unwrap();
    assert_eq!(store.measured_spaces(&hardware).unwrap()[0].definition, None);
    store
        .record_measurement(&of("old", "a"), "ann")
        .expect("it is the same measurement");
    store.record_measurement(&of("net", "a"), "ann").unwrap();
    assert_eq!(
        store.measured_spaces(&hardware).unwrap()[0].definition,
        Some(Digest::of(b"a"))
    );
    assert_eq!(
        invalid(store.record_measurement(&of("net 2", "b"), "ann")),
        "0.space_definition"
    );
    assert_eq!(
        conflict(store.record_measurement(&of("net", "b"), "ann")),
        "space_definition"
    );
    let both = [of("net 3", "a"), of("net 4", "b")];
    assert_eq!(invalid(store.record_measurements(&both, "ann")), "1.space_definition");
    assert_eq!(store.measurements(&hardware, SPACE, None).unwrap().len(), 2);
    // Another target may have measured the other networks.
    let neighbour = target(store, "cpu-2");
    let elsewhere = Measurement {
        hardware: neighbour.clone(),
        ..of("net", "b")
    };
    store.record_measurement(&elsewhere, "ann").unwrap();
}

/// A network of no space tells what it computes, and is found by the digest of its model.
fn of_no_space(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let network = MeasuredNetwork {
        name: "resnet50".to_owned(),
        operators: vec![[1, 3, 2, 1, 3, 64, 224, 112, 1, 1, 21_676_032, 3_813_376, 7_168]],
        rules: None,
        peculiar: vec![Peculiar {
            operator: 0,
            is: "dilated".to_owned(),
        }],
    };
    let text = Digest::of(b"a model without its weights").to_string();
    let whole = Measurement {
        space: ONNX.to_owned(),
        network: Some(network.clone()),
        ..measurement(&hardware, &text, 0)
    };
    store.record_measurement(&whole, "ann").unwrap();
    let all = store.measurements(&hardware, ONNX, None).unwrap();
    assert_eq!(all, std::slice::from_ref(&whole));
    let light = store.measurements_without_samples(&hardware, ONNX, None).unwrap();
    assert_eq!(light[0].network, Some(network.clone()), "it is no sample");
    let other = Digest::of(b"another").to_string();
    let with = |network: MeasuredNetwork| Measurement {
        network: Some(network),
        ..measurement(&hardware, &other, 0)
    };
    let of_none = |network: MeasuredNetwork| Measurement {
        space: ONNX.to_owned(),
        ..with(network)
    };
    let mut wide = network.clone();
    wide.operators[0][5] = u64::MAX;
    let mut misplaced = network.clone();
    misplaced.peculiar[0].operator = 1;
    let mut of_no_kind = network.clone();
    of_no_kind.operators[0][0] = 0;
    let empty = MeasuredNetwork {
        operators: Vec::new(),
        ..network.clone()
    };
    for (faulty, field) in [
        (with(network.clone()), "0.network"),
        (
            Measurement {
                network: None,
                ..of_none(network.clone())
            },
            "0.network",
        ),
        (of_none(empty), "0.network.operators"),
        (of_none(wide), "0.network.operators.0"),
        (of_none(of_no_kind), "0.network.operators.0"),
        (of_none(misplaced), "0.network.peculiar.0.operator"),
        (
            Measurement {
                space: ONNX.to_owned(),
                network: Some(network.clone()),
                ..measurement(&hardware, "resnet50", 0)
            },
            "0.architecture",
        ),
    ] {
        assert_eq!(invalid(store.record_measurement(&faulty, "ann")), field);
    }
    let renamed = MeasuredNetwork {
        name: "resnet50-v2".to_owned(),
        ..network
    };
    let again = Measurement {
        network: Some(renamed),
        ..whole
    };
    assert_eq!(conflict(store.record_measurement(&again, "ann")), "network");
}

fn spaces_listed(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let neighbour = target(store, "cpu-2");
    assert_eq!(store.measured_spaces(&hardware).unwrap(), []);
    let spaces = ["b", "a", "b-large", "b.large", "b0", "bb"];
    for space in spaces {
        for replicate in [0, 7] {
            let new = Measurement {
                space: space.to_owned(),
                ..measurement(&hardware, "net", replicate)
            };
            store.record_measurement(&new, "ann").unwrap();
        }
    }
    store
        .record_measurement(&measurement(&neighbour, "net", 0), "ann")
        .unwrap();
    let mut found: Vec<String> = store
        .measured_spaces(&hardware)
        .unwrap()
        .into_iter()
        .map(|m| m.space)
        .collect();
    found.sort_unstable();
    let mut expected = spaces.map(ToOwned::to_owned);
    expected.sort_unstable();
    assert_eq!(found, expected);
    not_found(store.measured_spaces(&name("gpu")));
}

fn listed(store: &dyn Store) {
    let hardware = target(store, "cpu");
    let neighbour = target(store, "cpu-2");
    let mut all = vec![];
    for replicate in [10, 0, 2] {
        for architecture in ["x", "y", "z"] {
            all.push(measurement(&hardware, architecture, replicate));
        }
    }
    store.record_measurements(&all, "ann").unwrap();
    let mut elsewhere = measurement(&neighbour, "w", 0);
    store.record_measurement(&elsewhere, "ann").unwrap();
    (elsewhere.hardware, elsewhere.space) = (hardware.clone(), format!("{SPACE}-large"));
    store.record_measurement(&elsewhere, "ann").unwrap();

    all.sort_by(|a, b| (a.replicate, &a.digest).cmp(&(b.replicate, &b.digest)));
    assert_eq!(store.measurements(&hardware, SPACE, None).unwrap(), all);
    assert_eq!(store.measurements(&hardware, SPACE, Some(2)).unwrap(), all[3..6]);
    assert_eq!(store.measurements(&hardware, SPACE, Some(1)).unwrap(), []);
    let digests: Vec<_> = store
        .measured_digests(&hardware, SPACE, 10)
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(
        digests,
        all[6..]
            .iter()
            .map(|measurement| measurement.digest.clone())
            .collect::<Vec<_>>()
    );
    not_found(store.measurements(&name("gpu"), SPACE, None));
    not_found(store.measured_digests(&name("gpu"), SPACE, 0));
    assert_eq!(
        invalid(store.measurements(&hardware, "mobilenetv3/0000000002", None)),
        "space"
    );
}

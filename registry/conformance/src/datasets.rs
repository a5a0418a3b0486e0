use super::fixtures::{name, new_dataset, new_hardware};
use super::{Check, conflict, invalid, not_found};
use lglp_registry::{Digest, Store};

pub(super) const CHECKS: &[Check] = &[
    ("a dataset is its content", content),
    ("a dataset is frozen once", once),
    ("a dataset belongs to one hardware target", of_one_target),
];

fn content(store: &dyn Store) {
    let hardware = store.put_hardware(&new_hardware("cpu"), "ann").unwrap().name;
    let dataset = store.freeze_dataset(&hardware, &new_dataset(), b"rows").unwrap();
    assert_eq!(dataset.digest, Digest::of(b"rows"));
    assert_eq!(dataset.blob, dataset.digest);
    assert_eq!(store.get_blob(&dataset.digest).unwrap(), b"rows");
    assert_eq!(store.dataset(&hardware, &dataset.digest).unwrap(), dataset);
    assert_eq!(not_found(store.dataset(&hardware, &Digest::of(b""))).0, "dataset");
}

fn once(store: &dyn Store) {
    let hardware = store.put_hardware(&new_hardware("cpu"), "ann").unwrap().name;
    let new = new_dataset();
    let dataset = store.freeze_dataset(&hardware, &new, b"rows").unwrap();
    let mut other = new.clone();
    other.creator = "bob".to_owned();
    assert_eq!(
        store.freeze_dataset(&hardware, &other, b"rows").unwrap(),
        dataset,
        "a retry by anyone is a no-op"
    );
    other.rows += 1;
    assert_eq!(conflict(store.freeze_dataset(&hardware, &other, b"rows")), "rows");
    other = new;
    other.space = "a b".to_owned();
    assert_eq!(invalid(store.freeze_dataset(&hardware, &other, b"rows")), "space");
    assert_eq!(store.datasets(&hardware).unwrap(), [dataset]);
}

fn of_one_target(store: &dyn Store) {
    assert_eq!(
        not_found(store.freeze_dataset(&name("cpu"), &new_dataset(), b"rows")).0,
        "hardware target"
    );
    let cpu = store.put_hardware(&new_hardware("cpu"), "ann").unwrap().name;
    let gpu = store.put_hardware(&new_hardware("gpu"), "ann").unwrap().name;
    let mut all = [b"1", b"2", b"3"].map(|content| store.freeze_dataset(&cpu, &new_dataset(), content).unwrap());
    all.sort_by(|a, b| a.digest.cmp(&b.digest));
    assert_eq!(store.datasets(&cpu).unwrap(), all);
    assert_eq!(store.datasets(&gpu).unwrap(), []);
    not_found(store.dataset(&gpu, &all[0].digest));
    not_found(store.datasets(&name("npu")));
}

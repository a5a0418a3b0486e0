use super::fixtures::{name, new_hardware};
use super::{Check, not_found};
use lglp_registry::Store;

pub(super) const CHECKS: &[Check] = &[("served predictions add up, by hardware target", add_up)];

fn add_up(store: &dyn Store) {
    let cpu = store.put_hardware(&new_hardware("cpu"), "ann").unwrap().name;
    let gpu = store.put_hardware(&new_hardware("gpu"), "ann").unwrap().name;
    assert_eq!(store.predictions_served(&cpu).unwrap(), 0);
    assert_eq!(store.count_predictions(&cpu, 10_000).unwrap(), 10_000);
    assert_eq!(store.count_predictions(&cpu, 7).unwrap(), 10_007);
    assert_eq!(store.count_predictions(&gpu, u64::MAX).unwrap(), u64::MAX);
    assert_eq!(store.count_predictions(&gpu, 1).unwrap(), u64::MAX);
    assert_eq!(store.predictions_served(&cpu).unwrap(), 10_007);
    not_found(store.count_predictions(&name("npu"), 1));
    not_found(store.predictions_served(&name("npu")));
}

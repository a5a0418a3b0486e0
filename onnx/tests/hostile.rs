//! Files of ill will: whatever bytes come, the reader ends in a table or an error, soon, and within its memory.

#[path = "hostile/build.rs"]
mod build;
#[path = "hostile/crafted.rs"]
mod crafted;
#[path = "hostile/mutations.rs"]
mod mutations;
#[path = "hostile/seeds.rs"]
mod seeds;

use std::collections::BTreeMap;
use std::sync::{LazyLock, mpsc};
use std::time::Duration;

use build::bytes;
use bytes::Bytes;
use lglp_onnx::messages::ModelProto;
use lglp_onnx::{Network, OnnxError};
use proptest::prelude::*;
use prost::Message;

/// What takes this long hangs: on a busy machine the slowest file takes a few seconds.
const HANGS: Duration = Duration::from_secs(60);

static SEEDS: LazyLock<Vec<ModelProto>> = LazyLock::new(seeds::all);

/// Reads a model in a thread of its own, and panics where that panics or hangs.
fn within(model: Bytes) -> Result<Network, OnnxError> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(lglp_onnx::read(model, &BTreeMap::new())));
    receiver.recv_timeout(HANGS).expect("it ends, and does not panic")
}

/// What holds of every table: its sums fit into what they are added up in, and its parts belong together.
fn check(read: Result<Network, OnnxError>) {
    let Ok(network) = read else { return };
    assert!(network.batch > 0);
    assert!(!network.operators.is_empty());
    assert_eq!(network.operators.len(), network.origins.len());
    for operator in &network.operators {
        assert!(operator.launches > 0);
        let fields = [operator.macs, operator.activation_bytes, operator.weight_bytes];
        assert!(fields.iter().all(|field| *field <= 1 << 48), "{operator:?}");
    }
}

#[test]
fn every_seed_is_read() {
    for seed in seeds::all() {
        check(Ok(within(bytes(&seed)).expect("a network")));
    }
}

/// Some cases of a property, in an order of their own each time.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A model of other numbers, names and nodes.
fn changed() -> impl Strategy<Value = Bytes> {
    let mutations = prop::collection::vec(mutations::mutation(), 1..6);
    (0..SEEDS.len(), mutations).prop_map(|(seed, mutations)| {
        let mut model = SEEDS[seed].clone();
        mutations.iter().for_each(|mutation| mutation.apply(&mut model));
        bytes(&model)
    })
}

/// Damaged bytes of a model.
fn damaged() -> impl Strategy<Value = Bytes> {
    let damages = prop::collection::vec(mutations::damage(), 1..8);
    (0..SEEDS.len(), 0..SEEDS.len(), damages).prop_map(|(seed, other, damages)| {
        let (mut model, other) = (SEEDS[seed].encode_to_vec(), SEEDS[other].encode_to_vec());
        damages.iter().for_each(|damage| damage.apply(&mut model, &other));
        model.into()
    })
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn any_file_ends_in_a_table_or_an_error(model in prop_oneof![changed(), damaged()]) {
        check(within(model));
    }
}

proptest! {
    #![proptest_config(cases(200_000))]

    #[test]
    #[ignore = "takes long"]
    fn any_of_many_files_ends_in_a_table_or_an_error(model in prop_oneof![changed(), damaged()]) {
        check(within(model));
    }
}

use std::thread;

use super::{Check, not_found};
use lglp_registry::{Digest, Store};

pub(super) const CHECKS: &[Check] = &[
    ("a blob reads back under its digest", read_back),
    ("one blob is put by many threads at once", many_threads),
];

fn read_back(store: &dyn Store) {
    let large: Vec<u8> = (0..3_000_000u32).map(|index| (index % 251) as u8).collect();
    for bytes in [b"".as_slice(), b"\0\xff", &large] {
        assert_eq!(not_found(store.get_blob(&Digest::of(bytes))).0, "blob");
        let digest = store.put_blob(bytes).unwrap();
        assert_eq!(digest, Digest::of(bytes));
        assert_eq!(store.put_blob(bytes).unwrap(), digest);
        assert!(store.get_blob(&digest).unwrap() == bytes);
    }
}

fn many_threads(store: &dyn Store) {
    let bytes = vec![7; 100_000];
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let digest = store.put_blob(&bytes).unwrap();
                assert!(store.get_blob(&digest).unwrap() == bytes);
            });
        }
    });
}

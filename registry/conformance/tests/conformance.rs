//! The sled store passes the conformance suite.

use std::cell::RefCell;

use lglp_registry::prelude::*;
use lglp_registry::{HolderInfo, SledStore};

#[test]
fn sled() {
    let folders = RefCell::new(vec![]);
    lglp_registry_conformance::run_all(|| {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(folder.path(), HolderInfo::default()).unwrap();
        folders.borrow_mut().push(folder);
        Box::new(store) as Box<dyn Store>
    });
}

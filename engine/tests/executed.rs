//! Networks as runtimes execute them, against what the runtimes themselves say.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use lglp_engine::measure::fingerprint;
use lglp_engine::networks::{Family, RandomNetwork, rules_of};
use lglp_onnx::{Executed, Network};
use lglp_sdk::plugin::abi::{
    OPERATOR_ADD, OPERATOR_IM2COL, OPERATOR_REORDER, OPERATOR_RESIZE, OPERATOR_SQUEEZE_EXCITE,
};
use serde::Deserialize;
use serde_json::json;

/// Networks that are compared, and how many of them may differ, where a part of a value alone is read in another layout.
const COMPARED: usize = 60;
const OTHERS: usize = 4;

/// What a runtime makes of a network.
#[derive(Debug, Deserialize)]
struct Told {
    blocked: usize,
    plain: usize,
    sums: usize,
    reorders: usize,
}

fn told(files: &[String]) -> BTreeMap<String, Told> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(root.join(".venv/bin/python"))
        .arg(root.join("tests/reference/executed_networks.py"))
        .args(files)
        .output()
        .expect("Python with the reference packages; `make test-tools` installs it");
    assert!(
        output.status.success(),
        "see `make test-tools`: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn count(executed: &Executed, kind: u32) -> usize {
    let operators = executed.operators.iter();
    operators.filter(|operator| operator.kind == kind).count()
}

/// Sums that convolutions do, convolutions that do not work on blocks, and what brings values from one layout into the other, are as many as in ONNX
/// Runtime's optimised graphs on this processor.
/// Squeeze-and-excitation has its own inside, and interpolation works on blocks for some of its modes, of which tables tell nothing.
#[test]
fn onnx_runtime_is_followed_in_its_layouts_and_sums() {
    let rules = rules_of(&fingerprint(&json!({ "runtime": "onnxruntime", "device": "cpu" })))
        .expect("rules for this processor");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut networks = BTreeMap::<String, Network>::new();
    for family in Family::ALL {
        for seed in 0..COMPARED as u32 {
            let network: RandomNetwork = format!("{family}-{seed}").parse().expect("a name");
            let onnx = network.onnx();
            let read = lglp_onnx::read(onnx.clone().into(), &BTreeMap::new()).expect("a network");
            let plain = read.executed(None);
            if count(&plain, OPERATOR_SQUEEZE_EXCITE) + count(&plain, OPERATOR_RESIZE) > 0 {
                continue;
            }
            let file = folder.path().join(format!("{network}.onnx"));
            std::fs::write(&file, onnx).expect("written");
            networks.insert(file.display().to_string(), read);
        }
    }
    let told = told(&networks.keys().cloned().collect::<Vec<_>>());
    assert_eq!(told.len(), networks.len());
    let (mut others, mut blocked, mut plain, mut sums, mut reorders) = (Vec::new(), 0, 0, 0, 0);
    for (file, told) in told {
        let network = &networks[&file];
        let executed = network.executed(Some(&rules));
        let own = (
            count(&network.executed(None), OPERATOR_ADD) - count(&executed, OPERATOR_ADD),
            count(&executed, OPERATOR_REORDER),
            count(&executed, OPERATOR_IM2COL),
        );
        if own != (told.sums, told.reorders, told.plain) {
            others.push(format!("{file}: {own:?} for {told:?}"));
        }
        (blocked, plain) = (blocked + told.blocked, plain + told.plain);
        (sums, reorders) = (sums + told.sums, reorders + told.reorders);
    }
    assert!(
        others.len() <= OTHERS,
        "{} of {}:\n{}",
        others.len(),
        networks.len(),
        others.join("\n")
    );
    // There was something to be followed.
    assert!(
        blocked > 500 && plain > 100 && sums > 20 && reorders > 300,
        "{blocked} {plain} {sums} {reorders}"
    );
}

//! Networks against ONNX's own checker, shape inference, ONNX Runtime and an independent count of their cost.

use std::collections::BTreeMap;
use std::fmt::Write;

use lglp_engine::networks::{Family, RandomNetwork};
use lglp_tests::{Registry, chains, reference, spaces};

/// The script asks for one network after another, so that hundreds of them, gigabytes, never lie on disk together.
#[test]
#[ignore = "takes long"]
fn random_networks_of_every_space_are_valid_and_counted_right() {
    let registry = Registry::default();
    let mut architectures = String::new();
    let (chains, mut asked) = (chains(), 0);
    for space in &spaces() {
        // Of some others each network is a hundred megabytes.
        let count = if chains.contains(space) { 100 } else { 12 };
        let sampled = registry.ok(&[
            "sample",
            "--space",
            space,
            "--count",
            &count.to_string(),
            "--seed",
            "11",
        ]);
        write!(architectures, "{sampled}").expect("a string takes everything");
        asked += count;
    }
    assert_eq!(architectures.lines().count(), asked);
    let program = lglp_tests::program();
    let report = reference("check_networks.py", &[program.to_str().expect("UTF-8")], &architectures);
    assert!(report.contains(&format!("{asked} passed, 0 failed")), "{report}");
}

#[test]
#[ignore = "takes long"]
fn random_networks_are_valid_run_and_are_counted_right() {
    for family in Family::ALL {
        // Ten at a time, so that gigabytes of them never lie on disk together.
        for first in (0..60).step_by(10) {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let (mut paths, mut costs) = (Vec::new(), String::new());
            for seed in first..first + 10 {
                let network = RandomNetwork { family, seed };
                let onnx = network.onnx();
                let path = folder.path().join(format!("{network}.onnx"));
                std::fs::write(&path, &onnx).expect("a file");
                paths.push(path.to_str().expect("UTF-8").to_owned());
                let read = lglp_onnx::read(onnx.into(), &BTreeMap::new()).expect("a network");
                let macs: u64 = read.operators.iter().map(|operator| operator.macs).sum();
                writeln!(costs, "{macs}").expect("a string takes everything");
            }
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            let report = reference("random_networks.py", &paths, &costs);
            println!("{family} from {first}: {report}");
            assert!(report.contains("10 passed, 0 failed"), "{report}");
        }
    }
}

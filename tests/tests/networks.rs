//! Networks against ONNX's own checker, shape inference, ONNX Runtime and an independent count of their cost.

use std::fmt::Write;

use lglp_tests::{Registry, reference};

/// The script asks for one network after another, so that three hundred of them, gigabytes, never lie on disk together.
#[test]
#[ignore = "takes long"]
fn three_hundred_random_networks_of_all_spaces_are_valid_and_counted_right() {
    let registry = Registry::default();
    let mut architectures = String::new();
    for space in ["mobilenetv3", "ofa-mobilenetv3", "ofa-proxyless"] {
        let sampled = registry.ok(&["sample", "--space", space, "--count", "100", "--seed", "11"]);
        write!(architectures, "{sampled}").expect("a string takes everything");
    }
    assert_eq!(architectures.lines().count(), 300);
    let program = lglp_tests::program();
    let report = reference("check_networks.py", &[program.to_str().expect("UTF-8")], &architectures);
    assert!(report.contains("300 passed, 0 failed"), "{report}");
}

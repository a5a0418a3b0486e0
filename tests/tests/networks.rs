//! Networks against ONNX's own checker, shape inference, ONNX Runtime and an independent count of their cost.

use std::fmt::Write;

use lglp_tests::{Registry, reference, spaces};

/// The script asks for one network after another, so that hundreds of them, gigabytes, never lie on disk together.
#[test]
#[ignore = "takes long"]
fn a_hundred_random_networks_of_every_space_are_valid_and_counted_right() {
    let registry = Registry::default();
    let mut architectures = String::new();
    let spaces = spaces();
    for space in &spaces {
        let sampled = registry.ok(&["sample", "--space", space, "--count", "100", "--seed", "11"]);
        write!(architectures, "{sampled}").expect("a string takes everything");
    }
    let asked = 100 * spaces.len();
    assert_eq!(architectures.lines().count(), asked);
    let program = lglp_tests::program();
    let report = reference("check_networks.py", &[program.to_str().expect("UTF-8")], &architectures);
    assert!(report.contains(&format!("{asked} passed, 0 failed")), "{report}");
}

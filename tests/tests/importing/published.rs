//! Tables of what others published, in the forms that their users have: the values are made up.

use std::fmt::Write;

use lglp_tests::Registry;

use super::table;

/// The decisions of some architectures, in the order of the space.
fn drawn(registry: &Registry, space: &str, count: &str) -> Vec<Vec<String>> {
    let texts = registry.ok(&["sample", "--space", space, "--count", count]);
    let words = |text: &str| {
        let (_, words) = text.split_once('@').expect("canonical text");
        words.split(',').map(str::to_owned).collect()
    };
    texts.lines().map(words).collect()
}

fn import(registry: &Registry, file: &str, space: &str, columns: &str, [hardware, latency]: [&str; 2]) -> String {
    registry.ok(&[
        "dataset",
        "import",
        file,
        "--space",
        space,
        "--columns",
        columns,
        "--latency",
        latency,
        "--hardware",
        hardware,
        "--device",
        "a board",
    ])
}

/// HELP's lists, and HW-NAS-Bench's, of NAS-Bench-201: a text and one column for each device.
#[test]
fn latencies_of_nas_bench_201_come_in_and_teach() {
    let registry = Registry::default();
    let mut text = "arch_idx,arch_str,raspi4,pixel3\n".to_owned();
    for (index, edges) in drawn(&registry, "nas-bench-201", "80").iter().enumerate() {
        let [a, b, c, d, e, f] = edges.as_slice() else {
            panic!("{edges:?}")
        };
        let price = |edge: &String| match edge.as_str() {
            "nor_conv_3x3" => 4.0,
            "nor_conv_1x1" => 1.5,
            "avg_pool_3x3" => 1.0,
            _ => 0.0,
        };
        let latency: f64 = 3.0 + edges.iter().map(price).sum::<f64>();
        let arch = format!("|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|");
        // One device tells whole milliseconds.
        writeln!(text, "{index},{arch},{latency:.4},{}", (2.0 * latency).round()).expect("a string takes everything");
    }
    let file = table(&registry, "help.csv", &text);
    for device in ["raspi4", "pixel3"] {
        let said = import(
            &registry,
            &file,
            "nas-bench-201",
            "catalog/imports/nas-bench-201.toml",
            [device; 2],
        );
        assert!(said.contains("80 measurements, 80 of them new"), "{said}");
    }
    let trained = registry.json(&["train", "--hardware", "raspi4"]);
    let metrics = &trained["content"]["metrics"];
    let (own, trivial) = (&metrics["mape"], &metrics["mac_mape"]);
    assert!(own.as_f64() < trivial.as_f64(), "{metrics}");
}

/// FBNet's numbers of blocks, as a list in a cell.
#[test]
fn latencies_of_fbnet_come_in() {
    let registry = Registry::default();
    let blocks = [
        "k3_e1", "k3_e1_g2", "k3_e3", "k3_e6", "k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", "skip",
    ];
    let number = |word: &String| blocks.iter().position(|block| block == word).expect("a block");
    let mut text = "op_idx_list,pixel3_latency\n".to_owned();
    let architectures = drawn(&registry, "fbnet", "5");
    for (row, layers) in architectures.iter().enumerate() {
        let numbers: Vec<usize> = layers.iter().map(number).collect();
        writeln!(text, "\"{numbers:?}\",{}", 10.5 + row as f64).expect("a string takes everything");
    }
    let file = table(&registry, "fbnet.csv", &text);
    let said = import(
        &registry,
        &file,
        "fbnet",
        "catalog/imports/fbnet.toml",
        ["pixel3", "pixel3_latency"],
    );
    assert!(said.contains("5 measurements, 5 of them new"), "{said}");
    let folder = registry.export("pixel3");
    let kept = std::fs::read_to_string(folder.join("fbnet.jsonl")).expect("a file");
    for layers in &architectures {
        assert!(kept.contains(&format!("\"fbnet@{}\"", layers.join(","))), "{kept}");
    }
    let faulty = table(&registry, "faulty.csv", &text.replace("\"[", "\"[9, "));
    let said = registry.fails(&[
        "dataset",
        "import",
        &faulty,
        "--space",
        "fbnet",
        "--columns",
        "catalog/imports/fbnet.toml",
        "--latency",
        "pixel3_latency",
        "--hardware",
        "other",
        "--device",
        "a board",
    ]);
    assert!(said.contains("line 2") && said.contains("22 values"), "{said}");
}

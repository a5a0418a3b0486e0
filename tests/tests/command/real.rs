//! Programs that are there: the shipped script, OpenVINO's benchmark, one of the user's own.

use lglp_tests::chains;

use super::*;

#[test]
#[ignore = "takes long"]
fn the_shipped_script_measures_with_onnx_runtime() {
    let registry = Registry::default();
    // A machine with torch and a GPU would time that instead.
    let settings = [
        ("preset", json!("python")),
        ("program", json!(python())),
        ("arguments", json!(["--device", "cpu"])),
        ("repetitions", json!(8)),
    ];
    registry.ok(&borrowed(&measure(3, &settings)));
    let measured = measurements(&registry);
    assert_eq!(measured.len(), 3);
    for m in &measured {
        let whole = m
            .samples
            .iter()
            .all(|s| s.wall_ms > 0.0 && s.cpu_ms > 0.0 && s.reference_cpu_ms > 0.0);
        assert!(m.samples.len() >= 8 && m.samples.len() % 8 == 0 && whole, "{m:?}");
    }
    let told = described(&registry);
    assert_eq!(told["runtime"], "onnxruntime via python");
    assert_eq!(
        (&told["device"], &told["precision"]),
        (&json!("cpu"), &json!("float32"))
    );
    assert!(told["version"].as_str().is_some_and(|v| v.starts_with("1.")), "{told}");
    let said = registry.fails(&borrowed(&measure(4, &[])));
    assert!(said.contains("runtimes.toml") && said.contains("--set"), "{said}");
    registry.ok(&borrowed(&measure(4, &settings)));
    assert_eq!(measurements(&registry).len(), 4, "said again, it goes on");
    let file = registry.folder.path().join("runtimes.toml");
    let own = |device: &str| {
        let text = format!(
            "[command]\nruntime = \"command\"\nsettings.preset = \"python\"\nsettings.program = {:?}\n\
             settings.arguments = [\"--device\", \"{device}\"]\n",
            python()
        );
        std::fs::write(&file, text).expect("a file");
    };
    own("cpu");
    registry.ok(&borrowed(&measure(5, &[])));
    assert_eq!(measurements(&registry).len(), 5, "the machine's file says the same");
    own("auto");
    let said = registry.fails(&borrowed(&measure(6, &[])));
    assert!(said.contains("its runtime configuration is"), "another program: {said}");
}

/// The target is imported as calibrated, which with a second a launch would take minutes.
#[test]
#[ignore = "takes long"]
fn openvino_measures_by_its_own_benchmark() {
    let registry = Registry::default();
    let settings = [("preset", json!("python")), ("program", json!(python()))];
    registry.ok(&borrowed(&measure(1, &settings)));
    let folder = registry.folder.path().join("target");
    let folder_name = folder.to_str().expect("UTF-8");
    registry.ok(&["dataset", "export", "--hardware", "here", folder_name]);
    let file = folder.join("hardware.json");
    let mut target: Value = serde_json::from_slice(&std::fs::read(&file).expect("exported")).expect("JSON");
    let app = root().join(".venv/bin/benchmark_app");
    target["settings"] = json!({ "preset": "openvino", "program": app, "repetitions": 4, "batch_size": 1 });
    target["fingerprint"]["runtime"] = json!({ "device": "CPU" });
    std::fs::write(&file, target.to_string()).expect("a file");
    std::fs::remove_file(folder.join(format!("{SPACE}.jsonl"))).expect("exported");

    let there = Registry::default();
    there.ok(&["dataset", "import", folder_name]);
    let said = there.fails(&borrowed(&measure(1, &[])));
    assert!(
        said.contains("runtimes.toml"),
        "a record names no program to start: {said}"
    );
    // The same, said by whoever is at the machine.
    let own = [("preset", json!("openvino")), ("program", json!(app))];
    there.ok(&borrowed(&measure(1, &own)));
    let measured = measurements(&there);
    assert_eq!(measured.len(), 1);
    assert!(
        measured[0].samples.len() >= 6 && measured[0].samples.iter().all(|s| s.wall_ms > 0.05 && s.cpu_ms == 0.0),
        "a sample for each launch: {measured:?}"
    );
    target["fingerprint"]["runtime"]["device"] = json!("NPU");
    std::fs::write(&file, target.to_string()).expect("a file");
    let elsewhere = Registry::default();
    elsewhere.ok(&["dataset", "import", folder_name]);
    let said = elsewhere.fails(&borrowed(&measure(1, &own)));
    assert!(
        said.contains("NPU") && said.contains("CPU"),
        "what runs the networks is compared: {said}"
    );
}

/// PyTorch is too large for `.venv`; `make test-tools` installs Debian's.
#[test]
#[ignore = "takes long"]
fn the_torch_interpreter_agrees_with_onnx_runtime() {
    let torch = std::env::var("LGLP_TORCH_PYTHON").unwrap_or_else(|_| "/usr/bin/python3".into());
    let script = root().join("plugins/command/time_onnx.py");
    let [program, script] = [program(), script].map(|path| path.to_str().expect("UTF-8").to_owned());
    // It knows the operators of these, and refuses others.
    let spaces = chains();
    let mut arguments = vec![program.as_str(), &script, &torch];
    arguments.extend(spaces.iter().map(String::as_str));
    let said = reference("torch_interpreter.py", &arguments, "");
    assert!(
        said.contains(&format!("of each of {} spaces agree", spaces.len())),
        "{said}"
    );
}

/// A device whose latency is known: a nanosecond for each byte of the network, and a joule for each second.
const BYTES: &str = r#"
import json, os, sys
onnx, repetitions = sys.argv[1], int(sys.argv[2])
ms = os.path.getsize(onnx) / 1e6
print("warming up")
print(json.dumps({"samples": [{"wall_ms": ms, "energy_j": ms / 1e3}] * repetitions,
                  "device": "Abacus 3000", "version": "2", "runtime": "beads"}))
print("done", file=sys.stderr)
"#;

#[test]
#[ignore = "takes long"]
fn a_program_of_ones_own_leads_to_a_predictor() {
    let registry = Registry::default();
    let own = script(&registry, "beads.py", BYTES);
    let command = json!([python(), own, "{onnx}", "{repetitions}"]);
    registry.ok(&borrowed(&measure(40, &[("command", command)])));
    let told = described(&registry);
    assert_eq!(
        told,
        json!({ "runtime": "beads", "version": "2", "device": "Abacus 3000", "threads": 1 })
    );
    let onnx = registry.folder.path().join("network.onnx");
    for m in &measurements(&registry)[..3] {
        let written = registry.run(&["network", &m.architecture, "-o", onnx.to_str().expect("UTF-8")]);
        assert!(written.status.success());
        let ms = std::fs::metadata(&onnx).expect("written").len() as f64 / 1e6;
        assert!(
            (m.latency_ms / ms - 1.0).abs() < 1e-5,
            "{ms} ms were told, {} recorded",
            m.latency_ms
        );
        let energy = m.energy_j.expect("told");
        assert!(
            (energy / (ms / 1e3) - 1.0).abs() < 1e-3,
            "{ms} mJ were told, {energy} J recorded"
        );
    }
    let train = format!("train --hardware here --space {SPACE} --recipe bayesian-ridge");
    let version = registry.json(&train.split(' ').collect::<Vec<_>>());
    assert!(
        version["content"]["metrics"]["mape"]
            .as_f64()
            .is_some_and(|mape| mape < 10.0),
        "{version}"
    );
    let first = &measurements(&registry)[0];
    registry.ok(&["promote", "--hardware", "here", "1"]);
    let server = registry.serve();
    let body = json!({ "architectures": [first.architecture] }).to_string();
    let (status, answer) = server.post("/v1/here/predict", &body);
    let predicted = answer["predictions"][0]["latency_ms"].as_f64();
    assert!(
        status == 200 && predicted.is_some_and(|ms| (ms / first.latency_ms - 1.0).abs() < 0.5),
        "{answer}, measured {}",
        first.latency_ms
    );
}

#[test]
fn the_script_answers_by_hand_as_its_help_says() {
    let script = root().join("plugins/command/time_onnx.py");
    let run = |arguments: &[&str]| {
        let output = Command::new(python())
            .arg(&script)
            .args(arguments)
            .output()
            .expect("Python");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        (
            output.status.success(),
            String::from_utf8(output.stdout).expect("UTF-8"),
            stderr,
        )
    };
    let (well, help, _) = run(&["--help"]);
    assert!(well && help.contains("examples:"), "{help}");
    let (well, told, stderr) = run(&["--describe", "--device", "cpu"]);
    let told: Value = serde_json::from_str(&told).expect(&stderr);
    assert!(well && told["runtime"] == "onnxruntime via python", "{told}");
    let (well, _, stderr) = run(&["--describe", "--runtime", "onnxruntime", "--device", "cuda"]);
    assert!(
        !well && stderr.contains("onnxruntime-gpu"),
        "no fall-back unseen: {stderr}"
    );
    let (well, _, stderr) = run(&["/nonexistent.onnx", "--device", "cpu"]);
    assert!(!well && stderr.contains("/nonexistent.onnx"), "{stderr}");
}

/// On the CPU, which a GPU's box differs from by two options.
#[test]
#[ignore = "takes long"]
fn the_script_for_gpus_goes_on_from_what_it_exported() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = folder.path().join("datasets");
    let measure = |registry: &str, count: &str, more: &[&str]| {
        let mut command = Command::new(root().join("datasets/measure-gpu.sh"));
        command.args([
            "--name",
            "try",
            "--batches",
            "2",
            "--again",
            "2",
            "--space",
            SPACE,
            "--count",
            count,
        ]);
        command.arg("--output").arg(&output).arg("--python").arg(python());
        command.arg("--registry").arg(folder.path().join(registry)).args(more);
        let output = command.output().expect("bash");
        let said = [output.stdout, output.stderr]
            .map(|text| String::from_utf8(text).expect("UTF-8"))
            .concat();
        (output.status.success(), said)
    };
    let on_the_cpu = ["--", "--device", "cpu"];
    let (well, said) = measure("first", "2", &[]);
    assert!(!well && said.contains("this onnxruntime has no CUDA"), "{said}");
    assert!(!output.exists(), "without a GPU nothing is measured");
    let (well, said) = measure("first", "2", &on_the_cpu);
    assert!(well && said.contains("2 in replicate 1"), "{said}");
    let rows = || std::fs::read_to_string(output.join(format!("try-b2/{SPACE}.jsonl"))).expect("exported");
    let first = rows();
    assert_eq!(first.lines().count(), 4);
    let (well, said) = measure("second", "3", &on_the_cpu);
    assert!(well && said.contains("1 measured now, 3 in replicate 0"), "{said}");
    let second = rows();
    assert!(
        first.lines().all(|row| second.contains(row)),
        "what one machine exported the next one keeps"
    );
    let readme = std::fs::read_to_string(output.join("try-b2/README.md")).expect("exported");
    for part in [
        "--batch-size 2",
        "repeatability over 2 architectures",
        "onnxruntime via python",
    ] {
        assert!(readme.contains(part), "{part}: {readme}");
    }
    let (well, said) = measure("second", "500", &[&["--minutes", "0"], &on_the_cpu[..]].concat());
    assert!(well && said.contains("the time is up"), "{said}");
    assert_eq!(rows(), second);
}

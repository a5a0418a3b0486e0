//! Programs that cannot be had here, `trtexec`, `benchmark_model` and OpenVINO's `benchmark_app` in C++: scripts write what these
//! write, down to what nobody expects. The options that the presets give are checked by whoever has them.

use super::*;

/// Milliseconds for the network of a measurement, where a script takes a nanosecond for each byte of it.
fn by_size(registry: &Registry, measured: &Measurement) -> f64 {
    let onnx = registry.folder.path().join("network.onnx");
    registry.run(&["network", &measured.architecture, "-o", onnx.to_str().expect("UTF-8")]);
    std::fs::metadata(&onnx).expect("written").len() as f64 / 1e6
}

fn only(registry: &Registry) -> Measurement {
    let [measured] = measurements(registry).try_into().expect("one measurement");
    measured
}

fn is_coarse(measured: &Measurement) -> bool {
    measured.flags.iter().any(|flag| flag == "coarse")
}

/// Up to TensorRT 8.4 exports begin with the runs of the warm-up, here thrice as slow as the others.
const TRTEXEC: &str = r#"
import os, sys
options = dict(a[2:].split("=", 1) for a in sys.argv[1:] if "=" in a)
ms = os.path.getsize(options["onnx"]) / 1e6
warm_up = int(options.get("warmUp", 200))
print("&&&& RUNNING TensorRT.trtexec [TensorRT v8401] # trtexec")
print("[11/25/2026-00:00:00] [I] Precision: FP32")
print("[11/25/2026-00:00:00] [I] Selected Device: Abacus GPU")
if "warmUp" in options:
    print(f"[11/25/2026-00:00:00] [I] Warmup completed 10 queries over {warm_up} ms")
starts = [warm_up * i / 10 for i in range(10)] + [warm_up + i for i in range(int(options["iterations"]))]
runs = [(start, ms if start >= warm_up else 3 * ms) for start in starts]
form = '{ "startEnqMs" : 1, "startComputeMs" : %g, "computeMs" : %f, "latencyMs" : 99, "d2hMs" : 0 }'
with open(options["exportTimes"], "w") as file:
    file.write("[\n  " + "\n, ".join(form % run for run in runs) + "\n]\n")
"#;

/// The runtime `tensorrt` left the warm-up out; the preset, and commands whose answer is in this format, took a third of their
/// samples from it.
#[test]
fn trtexec_is_read_without_its_warm_up() {
    let preset = |trtexec: &Path| vec![("preset", json!("trtexec")), ("program", json!(trtexec))];
    let own = |trtexec: &Path| {
        let words = ["--onnx={onnx}", "--iterations={repetitions}", "--exportTimes={output}"];
        let command = [&[trtexec.to_str().expect("UTF-8")], &words[..]].concat();
        vec![("command", json!(command)), ("answer", json!("trtexec-times"))]
    };
    for settings in [preset as fn(&Path) -> _, own] {
        let registry = Registry::default();
        let settings = settings(&executable(&registry, "trtexec", TRTEXEC));
        registry.ok(&borrowed(&measure(1, &settings)));
        let measured = only(&registry);
        let ms = by_size(&registry, &measured);
        let slow = measured.samples.iter().find(|sample| sample.wall_ms > 1.01 * ms);
        assert!(slow.is_none(), "{settings:?}: {ms} ms, and {slow:?}");
        let told = described(&registry);
        if settings[0].0 == "preset" {
            assert_eq!(
                told,
                json!({ "runtime": "tensorrt via trtexec", "version": "8401", "device": "Abacus GPU", "precision": "FP32",
                        "preset": "trtexec", "threads": 1 })
            );
        }
    }
}

/// The preset `tflite` with a script for `benchmark_model`, and a file that only claims to be converted.
fn tflite(registry: &Registry, benchmark_model: &str) -> Vec<(&'static str, Value)> {
    let copies = "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2] + '/network_float32.tflite')";
    vec![
        ("preset", json!("tflite")),
        (
            "program",
            json!(executable(registry, "benchmark_model", benchmark_model)),
        ),
        ("convert", json!([python(), "-c", copies, "{onnx}", "{scratch}"])),
        ("device", json!("Pixel 12")),
    ]
}

#[test]
fn benchmark_model_tells_microseconds_after_the_warm_up() {
    let registry = Registry::default();
    let settings = tflite(
        &registry,
        r#"
import os, sys
options = dict(a[2:].split("=", 1) for a in sys.argv[1:] if "=" in a)
us = os.path.getsize(options["graph"]) / 1e3
print("count=3 first=9 curr=9 min=9 max=9 avg=9 std=0", file=sys.stderr)
print(f"count={options['num_runs']} first=9 curr=9 min=9 max=9 avg=77 std=0 p5=9 median={us} p95=9", file=sys.stderr)
"#,
    );
    registry.ok(&borrowed(&measure(1, &settings)));
    let told = described(&registry);
    assert_eq!(
        (&told["device"], &told["resolution_ms"]),
        (&json!("Pixel 12"), &json!(0.001))
    );
    let measured = only(&registry);
    let ms = by_size(&registry, &measured);
    assert!(
        (measured.samples[0].wall_ms / ms - 1.0).abs() < 1e-3,
        "{ms} ms, and {measured:?}"
    );
    assert!(!is_coarse(&measured), "{measured:?}");
}

/// Where runs all take the same, TensorFlow prints no mean. That line was skipped and the warm-up's taken: 6.37 ms for 2. The
/// lines of `--enable_op_profiling=true`, which come last, were taken for it as well.
#[test]
#[ignore = "takes long"]
fn benchmark_model_that_knows_no_spread_is_read_by_its_last_summary() {
    let measured_as = |us: &str| {
        let registry = Registry::default();
        let mut settings = tflite(
            &registry,
            r#"
import os, sys
options = dict(a[2:].split("=", 1) for a in sys.argv[1:] if "=" in a)
runs = int(options["num_runs"])
print("INFO: count=78 first=9000 curr=6370 min=6000 max=9000 avg=6370 std=100 p5=6100 median=6370 p95=8000")
print(f"INFO: count={runs} curr={os.environ['US']}(all same)" if runs > 1 else "INFO: count=1 curr=0")
print("INFO: Timings (microseconds): count=20 first=1 curr=1 min=1 max=2 avg=1500 std=1")
print("INFO: Memory (bytes): count=0")
"#,
        );
        settings.push(("environment", json!({ "US": us })));
        let output = registry.run(&borrowed(&measure(1, &settings)));
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        output.status.success().then(|| only(&registry)).ok_or(said)
    };
    // The probe, a single run of a tiny network, takes 0 us here, which is no reason to refuse the program.
    let measured = measured_as("2000").expect("a measurement");
    assert!(
        (measured.latency_ms - 2.0).abs() < 1e-9 && !is_coarse(&measured),
        "{measured:?}"
    );
    let measured = measured_as("90").expect("a measurement");
    assert!(is_coarse(&measured), "1 us is more than 1 % of it: {measured:?}");
    let said = measured_as("0").expect_err("nothing can be told");
    assert!(
        said.contains("benchmark_model: ") && said.contains("less than the 0.001 ms"),
        "{said}"
    );
}

/// What comes of the preset `openvino` with a script that writes these results of the probe and of all else, as JSON, and prints
/// these lines.
fn openvino(registry: &Registry, probe: &Value, results: &Value, printed: &str) -> Result<Measurement, String> {
    let text = r#"
import os, sys
option = lambda name: sys.argv[sys.argv.index(name) + 1]
print(os.environ["PRINTED"])
results = os.environ["PROBE" if option("-niter") == "1" else "RESULTS"]
with open(os.path.join(option("-report_folder"), "benchmark_report.json"), "w") as file:
    file.write('{"cmd_options": {}, "execution_results": %s}' % results)
"#;
    let environment = json!({ "PROBE": probe.to_string(), "RESULTS": results.to_string(), "PRINTED": printed });
    let settings = [
        ("preset", json!("openvino")),
        ("program", json!(executable(registry, "benchmark_app", text))),
        ("environment", environment),
    ];
    let output = registry.run(&borrowed(&measure(1, &settings)));
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    output.status.success().then(|| only(registry)).ok_or(said)
}

/// The program in C++ has other names and numbers than the one in Python. It was refused with a hint at an option that had been
/// given.
#[test]
fn benchmark_app_in_cpp_is_read() {
    let registry = Registry::default();
    let results = json!({ "execution_time": 0.9, "iterations_num": 20, "latency_avg": 0.044, "latency_max": 0.101,
                          "latency_median": 0.04, "latency_min": 0.038, "percentile_boundary": 50, "throughput": 22_222.2 });
    let printed = "[ INFO ] Build ................................. 2024.6.0-17404-4c0f47d2335\n\
                   [ INFO ]   INFERENCE_PRECISION_HINT: f32\n[ INFO ] Execution Devices: [ CPU ]";
    let measured = openvino(&registry, &results, &results, printed).expect("a measurement");
    assert!(
        (measured.latency_ms - 0.04).abs() < 1e-9 && !is_coarse(&measured),
        "{measured:?}"
    );
    assert_eq!(
        described(&registry),
        json!({ "runtime": "openvino", "version": "2024.6.0-17404-4c0f47d2335", "device": "CPU", "precision": "f32",
                "preset": "openvino", "sample": "the median of one launch's runs", "threads": 1 })
    );
}

/// The program in Python tells two decimals. The probe took 0.00 ms and refused the target; of networks whose labels were whole
/// steps of 10 us nothing was said.
#[test]
#[ignore = "takes long"]
fn benchmark_app_in_python_says_what_it_rounds_to() {
    let told = |ms: &str| json!({ "latency (ms)": ms, "avg latency": "3.31", "throughput": "302.11" });
    let printed = "[ INFO ]   INFERENCE_PRECISION_HINT: <Type: 'float32'>\n[ INFO ] Execution Devices:['CPU']";
    for (ms, coarse) in [("0.02", true), ("3.20", false)] {
        let registry = Registry::default();
        let measured = openvino(&registry, &told("0.00"), &told(ms), printed).expect("a measurement");
        assert_eq!(is_coarse(&measured), coarse, "{ms}: {measured:?}");
        let described = described(&registry);
        assert_eq!(
            (
                &described["resolution_ms"],
                &described["precision"],
                &described["device"]
            ),
            (&json!(0.01), &json!("float32"), &json!("CPU"))
        );
    }
    let registry = Registry::default();
    let said = openvino(&registry, &told("0.00"), &told("0.00"), printed).expect_err("nothing can be told");
    assert!(
        said.contains("benchmark_app: ") && said.contains("less than the 0.01 ms"),
        "{said}"
    );
}

#[test]
fn a_report_without_a_median_is_refused_by_what_it_has() {
    for (results, named) in [
        (
            json!({ "latency (90 percentile) (ms)": "3.20", "avg latency": "3.31" }),
            "/execution_results has avg latency, latency (90 percentile) (ms)",
        ),
        (
            json!({ "latency_median": 3.2, "percentile_boundary": 90 }),
            "/execution_results has latency_median, percentile_boundary",
        ),
        (
            json!({ "error": "Device GPU is not registered" }),
            "Device GPU is not registered",
        ),
    ] {
        let registry = Registry::default();
        let said = openvino(&registry, &results, &results, "").expect_err("no median");
        assert!(said.contains(named), "{said}");
        assert_eq!(registry.json(&["hardware"]), json!([]), "and no target is created");
    }
}

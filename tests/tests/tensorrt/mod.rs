//! The runtime `tensorrt`: trtexec by a stand-in that replays what real ones exported, TensorRT's library by the real
//! TensorRT-RTX as far as that goes without a GPU, and all that may be missing or misbehave.

mod bench;

use std::path::{Path, PathBuf};

use lglp_tests::Registry;
use serde_json::{Value, json};

use bench::{Bench, compile, helper, tensorrt_rtx};

fn network(registry: &Registry, space: &str) -> PathBuf {
    let architecture = registry.ok(&["sample", "--space", space, "--seed", "3"]);
    let file = registry.folder.path().join(format!("{space}.onnx"));
    registry.ok(&["network", architecture.trim(), "-o", file.to_str().expect("UTF-8")]);
    file
}

fn build(onnx: &Path, plan: &Path, capability: u32) -> Value {
    helper(json!({
        "do": "build", "library": tensorrt_rtx(), "onnx": onnx, "plan": plan, "timing_cache": null, "workspace_mib": 512,
        "optimization_level": 1, "fp16": false, "compute_capability": capability,
    }))
}

#[test]
#[ignore = "takes long"]
fn the_real_library_parses_both_spaces_and_builds_without_a_gpu() {
    let registry = Registry::default();
    let plan = registry.folder.path().join("network.plan");
    let found = helper(json!({ "do": "find", "library": tensorrt_rtx() }));
    assert_eq!(found["done"], json!({ "version": "RTX 1.7.1", "strongly_typed": true }));
    for space in ["ofa-mobilenetv3", "mobilenetv3"] {
        let onnx = network(&registry, space);
        for capability in [80, 86, 120] {
            assert_eq!(
                build(&onnx, &plan, capability),
                json!({ "done": null }),
                "{space} {capability}"
            );
            let (weights, engine) = (std::fs::metadata(&onnx), std::fs::metadata(&plan));
            let (weights, engine) = (weights.expect("a network").len(), engine.expect("an engine").len());
            assert!(
                engine > weights / 2,
                "an engine of {engine} bytes holds no weights of {weights}"
            );
            std::fs::remove_file(&plan).expect("an engine");
        }
    }
    let onnx = network(&registry, "ofa-mobilenetv3");
    let refused = build(&onnx, &plan, 90)["unavailable"].to_string();
    assert!(refused.contains("compute capability 9.0"), "{refused}");
    let bytes = std::fs::read(&onnx).expect("a network");
    std::fs::write(&onnx, &bytes[..bytes.len() / 2]).expect("a file");
    let refused = build(&onnx, &plan, 86)["failed"].to_string();
    assert!(
        refused.contains("does not parse the network: ") && refused.contains("Failed to parse the ONNX model"),
        "{refused}"
    );
    std::fs::write(&onnx, "").expect("a file");
    let refused = build(&onnx, &plan, 86)["failed"].to_string();
    assert!(refused.contains("Network must have at least one output"), "{refused}");
    assert!(!plan.exists(), "an engine of a broken network");
}

/// A machine that lost its driver: `lglp hardware` and the job both say so.
#[test]
fn what_is_missing_is_shown_by_hardware_and_job() {
    let bench = Bench::new("[TensorRT v100300]", "10.3-orin-nano.json");
    bench.ok(&bench.measure("1", &["warm_up=500"]));
    let here = |said: &str| {
        said.lines()
            .any(|line| line.contains(" gpu ") && line.trim_end().ends_with(" ok"))
    };
    // What was given on the command line then is this machine's own.
    let own = ["trtexec", "driver", "cache"].map(|name| {
        let file = if name == "driver" { "libcuda.so.1" } else { name };
        format!("settings.{name} = \"{}\"\n", bench.path(file).display())
    });
    let file = bench.registry.folder.path().join("runtimes.toml");
    std::fs::write(file, format!("[tensorrt]\nruntime = \"tensorrt\"\n{}", own.concat())).expect("a file");
    let said = bench.registry.ok(&["hardware"]);
    assert!(here(&said), "{said}");
    compile(&["-x", "c", "-DINIT=100"], "driver.c", &bench.path("libcuda.so.1"));
    let said = bench.registry.ok(&["hardware"]);
    assert!(!here(&said), "{said}");
    let reason = "tensorrt is unavailable: the NVIDIA driver does not start: cuInit says CUDA_ERROR_NO_DEVICE (100)";
    assert!(said.contains(&format!("gpu: not measured here: {reason}")), "{said}");
    let _server = bench.registry.serve();
    let measure = "measure --hardware gpu --space ofa-mobilenetv3 --count 2 --job";
    bench.registry.ok(&measure.split(' ').collect::<Vec<_>>());
    let said = bench.registry.fails(&["jobs", "watch", "1"]);
    assert!(said.contains(reason), "{said}");
}

/// Without a driver TensorRT's libraries may answer with garbage, and another device must not stand in.
#[test]
fn without_a_driver_nothing_is_measured() {
    let bench = Bench::new("[TensorRT v100300]", "10.3-orin-nano.json");
    let with_driver = |flags: &[&str]| {
        compile(flags, "driver.c", &bench.path("libcuda.so.1"));
        bench.fails(&bench.measure("1", &[]))
    };
    let said = with_driver(&["-x", "c", "-DINIT=100"]);
    assert!(
        said.contains("unavailable") && said.contains("CUDA_ERROR_NO_DEVICE (100)"),
        "{said}"
    );
    let said = with_driver(&["-x", "c", "-DDEVICES=0"]);
    assert!(
        said.contains("unavailable") && said.contains("no GPU that it may use"),
        "{said}"
    );
    let said = with_driver(&["-x", "c", "-DcuGraphLaunch=cuNothing"]);
    assert!(said.contains("too old: it has no cuGraphLaunch"), "{said}");
    std::fs::remove_file(bench.path("libcuda.so.1")).expect("a driver");
    let said = bench.fails(&bench.measure("1", &[]));
    assert!(
        said.contains("no NVIDIA driver") && said.contains("No such file"),
        "{said}"
    );
    assert_eq!(bench.calls().len(), 0, "trtexec was started all the same");
    assert!(
        bench.registry.ok(&["plugins"]).contains("tensorrt"),
        "it is listed: the machine may get a driver"
    );
}

/// Three excerpts of what real ones exported. TensorRT 8.4 on an A100 (32 images of ResNet-50, warm-up 200 ms) lists the runs of
/// the warm-up too; 10.3 on a Jetson Orin Nano (warm-up 500 ms) and 10 on a mobile RTX 3060 (5 s) do not.
#[test]
#[ignore = "takes long"]
fn what_trtexec_exported_is_read() {
    for (banner, version, times, warm_up, latency, ms) in [
        (
            "[TensorRT v8401]",
            "8.4.1",
            "8.4-a100.json",
            200,
            "gpu_compute",
            0.857_086,
        ),
        (
            "[TensorRT v100300]",
            "10.3.0",
            "10.3-orin-nano.json",
            500,
            "gpu_compute",
            2.172_39,
        ),
        (
            "[TensorRT v100300]",
            "10.3.0",
            "10.3-orin-nano.json",
            500,
            "host",
            2.219_79,
        ),
        (
            "[TensorRT v100600] [b26]",
            "10.6.0",
            "10-rtx-3060.json",
            5000,
            "host",
            0.497_559,
        ),
    ] {
        let bench = Bench::new(banner, times);
        let settings = [format!("warm_up={warm_up}"), format!("latency={latency}")];
        bench.ok(&bench.measure("1", &settings.each_ref().map(String::as_str)));
        let description = bench.description();
        assert_eq!(description["version"], version);
        let hardware = bench.registry.json(&["hardware"]);
        let reference = hardware[0]["reference"]["latency_ms"].as_f64().expect("a latency");
        assert!(
            (reference - ms).abs() < 1e-6,
            "{times} {latency}: the lower quartile is {reference}"
        );
        let measured = &bench.measurements()[0];
        assert!(
            (measured.latency_ms - ms).abs() < 1e-6,
            "the same times for every network: {measured:?}"
        );
        let slow = measured
            .samples
            .iter()
            .find(|sample| sample.cpu_ms > 0.0 || sample.wall_ms > ms * 1.1);
        assert!(slow.is_none(), "a processor's time, or one of the warm-up: {slow:?}");
    }
}

#[test]
fn settings_reach_trtexec_and_the_fingerprint() {
    let bench = Bench::new("[TensorRT v101401] [b48]", "10.3-orin-nano.json");
    let settings =
        "precision=int8 workspace=512 optimization_level=4 cuda_graph=true warm_up=300 duration=0.5 iterations=50";
    bench.ok(&bench.measure("2", &settings.split(' ').collect::<Vec<_>>()));
    let calls = bench.calls();
    let (builds, runs): (Vec<&String>, Vec<_>) = calls.iter().partition(|call| call.contains("--onnx="));
    assert_eq!(builds.len(), 3, "the reference and two networks: {builds:?}");
    for option in
        "--device=0 --skipInference --int8 --memPoolSize=workspace:512 --builderOptimizationLevel=4".split(' ')
    {
        assert!(builds.iter().all(|call| call.contains(option)), "{option}: {builds:?}");
    }
    for option in "--device=0 --useCudaGraph --warmUp=300 --duration=0.5".split(' ') {
        assert!(runs.iter().all(|call| call.contains(option)), "{option}: {runs:?}");
    }
    assert!(runs.iter().any(|call| call.contains("--iterations=50 ")), "{runs:?}");
    let description = bench.description();
    let expected = json!({
        "runtime": "tensorrt", "route": "trtexec", "version": "10.14.1", "device": "Stand-in 4090", "driver": "CUDA 12.4",
        "compute_capability": "8.9", "precision": "int8", "latency": "gpu_compute", "warnings": description["warnings"],
        "configuration": description["configuration"],
    });
    assert_eq!(description, expected);
    assert!(
        description["warnings"][0]
            .as_str()
            .is_some_and(|text| text.contains("synthetic")),
        "{description}"
    );
    let timings: Vec<_> = std::fs::read_dir(bench.path("cache/timing"))
        .expect("a folder")
        .collect();
    assert_eq!(timings.len(), 1, "one timing cache for device and version");
    // The reference's engine is there from before: only the third network is built.
    bench.ok(&bench.measure("3", &[]));
    let builds = bench.calls().iter().filter(|call| call.contains("--onnx=")).count();
    assert_eq!(builds, 4);
}

/// TensorRT 11 knows no flag for half precision, but takes it from the network; the real TensorRT-RTX takes it, too.
#[test]
#[ignore = "takes long"]
fn half_precision_is_in_the_network_where_types_are_strong() {
    let half = |banner: &str| {
        let bench = Bench::new(banner, "10.3-orin-nano.json");
        bench.ok(&bench.measure("1", &["precision=fp16", "warm_up=500"]));
        let (network, plan) = (bench.path("network.onnx"), bench.path("network.plan"));
        assert_eq!(build(&network, &plan, 86), json!({ "done": null }));
        let size = |file: &Path| std::fs::metadata(file).expect("a file").len();
        (bench.calls().concat().contains("--fp16"), size(&network), size(&plan))
    };
    let (flag, single, single_engine) = half("[TensorRT v100300]");
    assert!(flag, "TensorRT 10 has one");
    let (flag, halved, half_engine) = half("[TensorRT v110100]");
    assert!(!flag, "TensorRT 11 has none");
    assert!(
        halved < single * 6 / 10,
        "a network of {single} bytes, in half precision {halved}"
    );
    assert!(
        half_engine < single_engine * 7 / 10,
        "an engine of {single_engine} bytes, in half precision {half_engine}"
    );
    let bench = Bench::new("[TensorRT v110100]", "10.3-orin-nano.json");
    let said = bench.fails(&bench.measure("1", &["precision=int8"]));
    assert!(
        said.contains("precision is int8") && said.contains("use fp16 or fp32"),
        "{said}"
    );
    let older =
        Bench::new("[TensorRT v8401]", "8.4-a100.json").set("help", json!("--help --onnx --saveEngine --buildOnly"));
    let said = older.fails(&older.measure("1", &["optimization_level=5"]));
    assert!(
        said.contains("optimization_level is set, and trtexec of TensorRT 8.4.1 has no such option"),
        "{said}"
    );
}

#[test]
#[ignore = "takes long"]
fn a_trtexec_that_misbehaves_has_a_reason_for_every_fault() {
    for (fault, reason) in [
        ("build-hangs", "building an engine: "),
        ("build-fails", "Failed to parse onnx file"),
        ("no-engine", "without saving an engine"),
        ("engine-refused", "running an engine: "),
        ("run-hangs", "was still running after 1 s and was killed"),
        ("run-crashes", "signal 11"),
        ("half-written", "cannot be read: EOF"),
        ("no-times", "times of no run at all"),
        ("zeros", "a run of 0 ms"),
        ("nothing-exported", "without exporting times"),
    ] {
        let bench = Bench::new("[TensorRT v100300]", "10.3-orin-nano.json").set("fault", json!(fault));
        let said = bench.fails(&bench.measure("1", &["build_limit=1", "run_limit=1"]));
        assert!(said.contains(reason), "{fault}: {said}");
    }
    let bench = Bench::new("(none)", "10.3-orin-nano.json");
    let said = bench.fails(&bench.measure("1", &[]));
    assert!(said.contains("does not tell TensorRT's version"), "{said}");
    let said = bench.fails(&bench.measure_by("1", &["route=trtexec", "trtexec=/nonexistent/trtexec"]));
    assert!(
        said.contains("unavailable") && said.contains("cannot start /nonexistent/trtexec"),
        "{said}"
    );
    let said = bench.fails(&bench.measure("1", &["warm_up=-1"]));
    assert!(said.contains("warm_up"), "{said}");
    let said = bench.fails(&bench.measure("1", &["precision=fp8"]));
    assert!(
        ["/precision", "fp32", "fp16", "int8"]
            .iter()
            .all(|text| said.contains(text)),
        "{said}"
    );
}

/// An engine that was cut off, by a full disk for one, stayed in the cache, and its network could not be measured any more.
#[test]
fn a_damaged_engine_is_built_anew() {
    let bench = Bench::new("[TensorRT v100300]", "10.3-orin-nano.json");
    bench.ok(&bench.measure("1", &["warm_up=500"]));
    let engines = || {
        std::fs::read_dir(bench.path("cache/engines"))
            .expect("a folder")
            .map(|file| file.expect("a file").path())
    };
    assert_eq!(engines().count(), 2);
    for engine in engines() {
        std::fs::write(engine, "an en").expect("a file");
    }
    let again = bench.measure("2", &["warm_up=500"]);
    let said = bench
        .registry
        .fails(&again.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(said.contains("Serialization assertion"), "{said}");
    bench.ok(&again);
    assert_eq!(bench.measurements().len(), 2);
}

fn library(bench: &Bench, flags: &[&str]) {
    let flags = [&["-std=c++17"], flags].concat();
    compile(&flags, "nvinfer.cpp", &bench.path("libnvinfer.so.10"));
    std::fs::copy(bench.path("libnvinfer.so.10"), bench.path("libnvonnxparser.so.10")).expect("a copy");
}

/// The route by the library on a stand-in for both driver and TensorRT: what no machine without a GPU can show otherwise.
#[test]
#[ignore = "takes long"]
fn the_library_is_timed_by_the_events_of_the_driver() {
    let bench = Bench::new("[TensorRT v100300]", "10.3-orin-nano.json");
    library(&bench, &["-DMINOR=3"]);
    let folder = format!("library={}", bench.registry.folder.path().display());
    let settings = [
        "route=library",
        &folder,
        "warm_up=1",
        "workspace=64",
        "optimization_level=2",
    ];
    bench.ok(&bench.measure_by("2", &settings));
    let description = bench.description();
    assert_eq!(
        (&description["route"], &description["version"]),
        (&json!("library"), &json!("10.3.0"))
    );
    for measured in bench.measurements() {
        // The stand-in sleeps 2 ms a run, never less.
        assert!(
            measured
                .samples
                .iter()
                .all(|sample| sample.wall_ms >= 2.0 && sample.cpu_ms == 0.0),
            "{measured:?}"
        );
    }
    for engine in std::fs::read_dir(bench.path("cache/engines")).expect("a folder") {
        std::fs::write(engine.expect("a file").path(), "rubbish").expect("a file");
    }
    bench.ok(&bench.measure_by("3", &settings));
    let bench = Bench::new("[TensorRT v100300]", "10.3-orin-nano.json");
    let folder = format!("library={}", bench.registry.folder.path().display());
    library(&bench, &["-DMINOR=3"]);
    bench.ok(&bench.measure_by(
        "1",
        &[
            "route=library",
            &folder,
            "cuda_graph=true",
            "latency=host",
            "precision=fp16",
        ],
    ));
}

#[test]
#[ignore = "takes long"]
fn a_library_that_misbehaves_takes_only_its_helper_down() {
    let fails = |flags: &[&str], settings: &[&str]| {
        let bench = Bench::new("[TensorRT v100300]", "10.3-orin-nano.json");
        library(&bench, flags);
        let folder = format!("library={}", bench.registry.folder.path().display());
        bench.fails(&bench.measure_by("1", &[&["route=library", &folder, "build_limit=1"], settings].concat()))
    };
    let said = fails(&["-DMINOR=3", "-DCRASH"], &[]);
    assert!(
        said.contains("loading an engine ended its process") && said.contains("signal: 6"),
        "{said}"
    );
    let said = fails(&["-DMINOR=3", "-DHANG"], &[]);
    assert!(
        said.contains("loading an engine took more than 1 s and was given up"),
        "{said}"
    );
    let said = fails(&["-DMINOR=17"], &[]);
    assert!(
        said.contains("TensorRT 10.17.0 is not called as a library") && said.contains("route=trtexec"),
        "{said}"
    );
    let said = fails(&["-DMINOR=3"], &["precision=int8"]);
    assert!(
        said.contains("precision is int8") && said.contains("route=trtexec"),
        "{said}"
    );
    let bench = Bench::new("[TensorRT v100300]", "10.3-orin-nano.json");
    let folder = format!("library={}", bench.path("nowhere").display());
    let said = bench.fails(&bench.measure_by("1", &["route=library", &folder]));
    assert!(
        said.contains("unavailable") && said.contains("the setting `library`") || said.contains("expected a folder"),
        "{said}"
    );
}

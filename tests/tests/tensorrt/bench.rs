//! What stands in for a GPU with its driver, trtexec and TensorRT.

use std::path::{Path, PathBuf};
use std::process::Command;

use lglp_registry::prelude::*;
use lglp_registry::{HardwareName, HolderInfo, Measurement, SledStore};
use lglp_tests::{Registry, program, python, root};
use serde_json::{Value, json};

const HELP_10: &str = "--help --onnx --saveEngine --loadEngine --skipInference --fp16 --int8 --memPoolSize --timingCacheFile \
                       --builderOptimizationLevel --useCudaGraph --device --iterations --duration --warmUp --exportTimes";

/// A folder with a stand-in driver and trtexec, and a registry.
pub(super) struct Bench {
    pub registry: Registry,
    trtexec: Value,
}

impl Bench {
    /// `banner`: how trtexec tells its version; `times`: what it exports.
    pub(super) fn new(banner: &str, times: &str) -> Self {
        let bench = Self {
            registry: Registry::default(),
            trtexec: json!({ "banner": banner, "help": HELP_10 }),
        };
        let times = root().join("tests/fixtures/trtexec").join(times);
        let bench = bench.set("times", json!(times));
        let calls = bench.path("calls");
        compile(&["-x", "c"], "driver.c", &bench.path("libcuda.so.1"));
        let script = root().join("tests/fixtures/tensorrt/trtexec.py");
        let start = format!(
            "#!/bin/sh\nexec {} {} \"$@\"\n",
            python().display(),
            bench.path("trtexec.py").display()
        );
        std::fs::copy(script, bench.path("trtexec.py")).expect("a copy");
        std::fs::write(bench.path("trtexec"), start).expect("a file");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(bench.path("trtexec"), executable).expect("permissions");
        bench.set("calls", json!(calls))
    }

    pub(super) fn set(mut self, name: &str, value: Value) -> Self {
        self.trtexec[name] = value;
        std::fs::write(self.path("trtexec.json"), self.trtexec.to_string()).expect("a file");
        self
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.registry.folder.path().join(name)
    }

    /// Arguments of `lglp measure` by trtexec.
    pub(super) fn measure(&self, count: &str, settings: &[&str]) -> Vec<String> {
        let trtexec = format!("trtexec={}", self.path("trtexec").display());
        self.measure_by(count, &[&["route=trtexec", &trtexec], settings].concat())
    }

    /// Arguments of `lglp measure`.
    pub(super) fn measure_by(&self, count: &str, settings: &[&str]) -> Vec<String> {
        let fixed = "measure --hardware gpu --space ofa-mobilenetv3 --runtime tensorrt --budget 0.1 --count";
        let driver = format!("driver={}", self.path("libcuda.so.1").display());
        let cache = format!("cache={}", self.path("cache").display());
        let mut arguments: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
        arguments.push(count.to_owned());
        for setting in [&[driver.as_str(), cache.as_str()], settings].concat() {
            arguments.extend(["--set".to_owned(), setting.to_owned()]);
        }
        arguments
    }

    pub(super) fn ok(&self, arguments: &[String]) -> String {
        self.registry
            .ok(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The reason; and nothing was measured.
    pub(super) fn fails(&self, arguments: &[String]) -> String {
        let said = self
            .registry
            .fails(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(self.measurements().len(), 0, "something was measured: {said}");
        said
    }

    pub(super) fn measurements(&self) -> Vec<Measurement> {
        let store = SledStore::open(self.registry.path(), HolderInfo::default()).expect("the registry opens");
        let gpu: HardwareName = "gpu".parse().expect("a name");
        store.measurements(&gpu, "ofa-mobilenetv3", None).unwrap_or_default()
    }

    /// What the runtime said of itself.
    pub(super) fn description(&self) -> Value {
        self.registry.json(&["hardware"])[0]["fingerprint"]["runtime"].clone()
    }

    /// A line for each start of trtexec but for its help.
    pub(super) fn calls(&self) -> Vec<String> {
        let calls = std::fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }
}

/// Compiles a stand-in to a shared library.
pub(super) fn compile(flags: &[&str], source: &str, to: &Path) {
    let output = Command::new("c++")
        .args(["-shared", "-fPIC", "-w", "-I"])
        .arg(root().join("plugins/tensorrt/shim"))
        .args(flags)
        .arg(root().join("tests/fixtures/tensorrt").join(source))
        .arg("-o")
        .arg(to)
        .output()
        .expect("a C++ compiler; `make setup` installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What `lglp-tensorrt`, which lies beside the plugin, answers; null where it ends without an answer.
pub(super) fn helper(request: Value) -> Value {
    let helper = program().with_file_name("plugins").join("lglp-tensorrt");
    let output = Command::new(helper)
        .arg(request.to_string())
        .output()
        .expect("`make build` puts it there");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// TensorRT-RTX as PyPI has it.
pub(super) fn tensorrt_rtx() -> PathBuf {
    root().join(".venv/lib/python3.11/site-packages/tensorrt_rtx_libs")
}

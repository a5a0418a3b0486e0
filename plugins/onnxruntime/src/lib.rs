//! Runtime `onnxruntime`: ONNX Runtime on the CPU, the default way of measuring. Networks run in the plugin's helper, each in a
//! process of its own.

mod wire;

use std::path::PathBuf;
use std::time::Duration;

use lglp_sdk::helper::{Helper, Session};
use lglp_sdk::plugin::{PluginError, Runtime, Sample, native_folder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use wire::{Pages, Request, Run};

lglp_sdk::export_plugin! {
    summary: "Times ONNX networks on the CPU with ONNX Runtime",
    runtimes: [OnnxRuntime],
    check: check,
}

/// The pinned version; its shared library carries it in the name.
const VERSION: &str = "1.32.0";

const HELPER: Helper = Helper("lglp-onnxruntime");

/// Time to start, and to look at a block of memory.
const PROBE_LIMIT: Duration = Duration::from_secs(60);

/// Time for a network to be read, optimised and run once; and for a run, which takes 30 s at worst for one image.
const LOAD_LIMIT: Duration = Duration::from_secs(600);
const RUN_LIMIT: Duration = Duration::from_secs(600);

/// Settings of a hardware target that is measured with ONNX Runtime.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// Threads within one operator. Processor time, which the measuring protocol prefers on shared machines, is known for
    /// 1 only; with more, elapsed time is all there is.
    #[schemars(range(min = 1, max = 256))]
    threads: usize,
    /// Pages of the networks' memory: `huge`, of 2 MiB, where the system has them, so that latencies hang less on where in memory a
    /// network happens to lie; or as the `system` gives them by itself.
    pages: Pages,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            threads: 1,
            pages: Pages::default(),
        }
    }
}

struct OnnxRuntime {
    settings: Settings,
    library: PathBuf,
    /// Those that were found.
    pages: Pages,
}

/// Where the library is. Opening it, 35 MB, waits until something is to be measured.
fn library() -> PathBuf {
    native_folder().join(format!("libonnxruntime.so.{VERSION}"))
}

/// Whether library and helper are there.
fn check() -> Result<(), PluginError> {
    HELPER.check()?;
    let path = library();
    if path.is_file() {
        return Ok(());
    }
    let message = format!("{} is missing; run `make native`", path.display());
    Err(PluginError::Unavailable(message))
}

impl Runtime for OnnxRuntime {
    const NAME: &'static str = "onnxruntime";
    const SUMMARY: &'static str = "ONNX Runtime on the CPU, float32, all graph optimisations";
    type Parameters = Settings;
    type Network = Session;

    fn open(settings: Settings) -> Result<Self, PluginError> {
        if !(1..=256).contains(&settings.threads) {
            let message = format!("threads is {}; allowed: 1 to 256", settings.threads);
            return Err(PluginError::InvalidParameters(message));
        }
        check()?;
        let asked = Request::Pages { pages: settings.pages };
        let pages = HELPER.ask(&asked, PROBE_LIMIT, "looking at memory")?;
        // A relative path is this process's.
        let library = std::path::absolute(library()).map_err(PluginError::failed)?;
        Ok(Self {
            settings,
            library,
            pages,
        })
    }

    fn describe(&self) -> serde_json::Value {
        serde_json::json!({
            "runtime": Self::NAME,
            "version": VERSION,
            "device": "cpu",
            "precision": "float32",
            "threads": self.settings.threads,
            "pages": self.pages,
        })
    }

    fn load(&self, onnx: &[u8]) -> Result<Session, PluginError> {
        let request = Request::Serve {
            library: self.library.clone(),
            threads: self.settings.threads,
            pages: self.settings.pages,
            bytes: onnx.len() as u64,
        };
        let (session, ()) = Session::start(HELPER.command(&request)?, onnx, LOAD_LIMIT, "loading a network")?;
        Ok(session)
    }

    fn run(&self, network: &mut Session) -> Result<Sample, PluginError> {
        let samples = self.run_many(network, 1)?;
        let none = || PluginError::Failed("the helper timed no run".into());
        samples.into_iter().next().ok_or_else(none)
    }

    fn run_many(&self, network: &mut Session, runs: usize) -> Result<Vec<Sample>, PluginError> {
        let limit = RUN_LIMIT * u32::try_from(runs).unwrap_or(u32::MAX).clamp(1, 1000);
        let runs: Vec<Run> = network.ask(runs, limit, "running a network")?;
        let sample = |run: Run| Sample {
            wall_ns: run.wall_ns,
            cpu_ns: if self.settings.threads == 1 { run.cpu_ns } else { 0 },
            energy_uj: 0,
        };
        Ok(runs.into_iter().map(sample).collect())
    }
}

//! Runtime `onnxruntime`: ONNX Runtime on the CPU, the default way of measuring.

mod library;
mod session;

use lglp_sdk::plugin::{PluginError, Runtime, Sample};
use ort::environment::Environment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use session::Network;

lglp_sdk::export_plugin! {
    summary: "Times ONNX networks on the CPU with ONNX Runtime",
    runtimes: [OnnxRuntime],
    check: library::check,
}

/// Settings of a hardware target that is measured with ONNX Runtime.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// Threads within one operator. Processor time, which the measuring protocol prefers on shared machines, is known for
    /// 1 only; with more, elapsed time is all there is.
    #[schemars(range(min = 1, max = 256))]
    threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { threads: 1 }
    }
}

struct OnnxRuntime {
    settings: Settings,
    environment: &'static Environment,
}

impl Runtime for OnnxRuntime {
    const NAME: &'static str = "onnxruntime";
    const SUMMARY: &'static str = "ONNX Runtime on the CPU, float32, all graph optimisations";
    type Parameters = Settings;
    type Network = Network;

    fn open(settings: Settings) -> Result<Self, PluginError> {
        if !(1..=256).contains(&settings.threads) {
            let message = format!("threads is {}; allowed: 1 to 256", settings.threads);
            return Err(PluginError::InvalidParameters(message));
        }
        let environment = library::environment()?;
        Ok(Self { settings, environment })
    }

    fn describe(&self) -> serde_json::Value {
        serde_json::json!({
            "runtime": Self::NAME,
            "version": library::VERSION,
            "device": "cpu",
            "precision": "float32",
            "threads": self.settings.threads,
        })
    }

    fn load(&self, onnx: &[u8]) -> Result<Network, PluginError> {
        Network::new(self.environment, onnx, self.settings.threads)
    }

    fn run(&self, network: &mut Network) -> Result<Sample, PluginError> {
        network.run(self.settings.threads == 1)
    }
}

//! Runtime `stand-in-gpu`: every network is some milliseconds of waiting, on a device that `tests/native/nvml.c` knows.

use std::time::{Duration, Instant};

use lglp_sdk::plugin::{PluginError, Runtime, Sample};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

lglp_sdk::export_plugin! {
    summary: "Waits, and calls it a graphics processor",
    runtimes: [StandIn],
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    /// Of one run.
    run_ms: u64,
    /// What every call takes beside its runs.
    start_ms: u64,
    runs_at_once: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            run_ms: 4,
            start_ms: 0,
            runs_at_once: 1,
        }
    }
}

struct StandIn(Settings);

impl Runtime for StandIn {
    const NAME: &'static str = "stand-in-gpu";
    const SUMMARY: &'static str = "waits";
    type Parameters = Settings;
    type Network = ();

    fn open(settings: Settings) -> Result<Self, PluginError> {
        Ok(Self(settings))
    }

    fn describe(&self) -> serde_json::Value {
        serde_json::json!({ "runtime": Self::NAME, "device": "Stand-In 300", "device_index": 1 })
    }

    fn load(&self, _: &[u8]) -> Result<(), PluginError> {
        Ok(())
    }

    fn run(&self, (): &mut ()) -> Result<Sample, PluginError> {
        let started = Instant::now();
        std::thread::sleep(Duration::from_millis(self.0.run_ms));
        Ok(Sample {
            wall_ns: started.elapsed().as_nanos() as u64,
            cpu_ns: 0,
            energy_uj: 0,
        })
    }

    fn runs_at_once(&self) -> usize {
        self.0.runs_at_once
    }

    fn run_many(&self, network: &mut (), runs: usize) -> Result<Vec<Sample>, PluginError> {
        std::thread::sleep(Duration::from_millis(self.0.start_ms));
        (0..runs).map(|_| self.run(network)).collect()
    }
}

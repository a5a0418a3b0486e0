//! A plugin that does what a test tells it: its parameter `switches` names a folder, and while a file of the call's name is
//! there (`encode`, `load`, `predict`, `spin`), the call does not come back. `spin` keeps a core busy meanwhile.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lglp_sdk::SearchSpace;
use lglp_sdk::plugin::{Encoder, Fit, PluginError, Regressor, Rows, Shape, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

lglp_sdk::export_plugin! {
    summary: "Does not come back when it is told so",
    encoders: [Raw],
    regressors: [Mean],
}

#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    /// Folder of the switches.
    switches: PathBuf,
    /// Time that each row takes, milliseconds, without keeping a core busy.
    ms_per_row: f64,
}

impl Parameters {
    fn obey(&self, call: &str) {
        while self.is_on(call) {
            std::thread::sleep(Duration::from_millis(5));
        }
        while call == "predict" && self.is_on("spin") {
            for _ in 0..1_000_000 {
                std::hint::spin_loop();
            }
        }
    }

    fn is_on(&self, switch: &str) -> bool {
        self.switches != Path::new("") && self.switches.join(switch).exists()
    }
}

/// The bytes of a row as numbers.
struct Raw {
    parameters: Parameters,
    width: usize,
}

impl Encoder for Raw {
    const NAME: &'static str = "raw";
    const SUMMARY: &'static str = "the bytes of a row";
    type Parameters = Parameters;

    fn new(space: &SearchSpace, parameters: Parameters) -> Result<Self, PluginError> {
        let width = space.row_len();
        Ok(Self { parameters, width })
    }

    fn shape(&self) -> Shape {
        let (steps, width) = (1, self.width);
        Shape { steps, width }
    }

    fn encode(&self, rows: Rows<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        self.parameters.obey("encode");
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(self.width)) {
            for (byte, value) in row.iter().zip(out) {
                *value = f32::from(*byte);
            }
        }
        Ok(())
    }
}

/// The mean of what was measured.
#[derive(Serialize, Deserialize)]
struct Mean {
    parameters: Parameters,
    mean: f64,
}

impl Regressor for Mean {
    const NAME: &'static str = "mean";
    const SUMMARY: &'static str = "the mean of what was measured";
    const STATE_VERSION: u32 = 1;
    type Parameters = Parameters;

    fn fit(parameters: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        let targets = data.train.targets;
        let mean = targets.iter().sum::<f64>() / targets.len() as f64;
        Ok(Self { parameters, mean })
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        serde_json::to_vec(self).map_err(|e| PluginError::Failed(e.to_string()))
    }

    fn load(_: u32, state: &[u8]) -> Result<Self, PluginError> {
        let read: Self = serde_json::from_slice(state).map_err(|e| PluginError::UnsupportedState(e.to_string()))?;
        read.parameters.obey("load");
        Ok(read)
    }

    fn predict(&self, inputs: Tensor<'_>, out: &mut [f64]) -> Result<(), PluginError> {
        self.parameters.obey("predict");
        let time = self.parameters.ms_per_row * inputs.rows as f64;
        std::thread::sleep(Duration::from_secs_f64(time / 1e3));
        out.fill(self.mean);
        Ok(())
    }
}

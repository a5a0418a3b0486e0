//! A whole plugin in Rust: an encoder that passes the choice indices of an architecture on as numbers, times `scale`.

use lglp_sdk::SearchSpace;
use lglp_sdk::plugin::{Encoder, PluginError, Rows, Shape};
use schemars::JsonSchema;
use serde::Deserialize;

lglp_sdk::export_plugin! { summary: "Choices as numbers", encoders: [ScaledChoices] }

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// What each number is multiplied by; not 0, which would leave nothing to learn from.
    #[serde(default = "one")]
    scale: f32,
}

fn one() -> f32 {
    1.0
}

struct ScaledChoices {
    width: usize,
    scale: f32,
}

impl Encoder for ScaledChoices {
    const NAME: &'static str = "scaled-choices";
    const SUMMARY: &'static str = "choice indices as numbers";
    type Parameters = Parameters;

    fn new(space: &SearchSpace, parameters: Parameters) -> Result<Self, PluginError> {
        let Parameters { scale } = parameters;
        if scale == 0.0 {
            return Err(PluginError::InvalidParameters(
                "scale: expected a number other than 0".into(),
            ));
        }
        let width = space.row_len();
        Ok(Self { width, scale })
    }

    fn shape(&self) -> Shape {
        Shape {
            steps: 1,
            width: self.width,
        }
    }

    fn encode(&self, rows: Rows<'_>, out: &mut [f32]) -> Result<(), PluginError> {
        for (value, choice) in out.iter_mut().zip(rows.data) {
            *value = self.scale * f32::from(*choice);
        }
        Ok(())
    }
}

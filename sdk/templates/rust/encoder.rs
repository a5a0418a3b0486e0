//! An encoder: architectures become numbers that a regressor learns from.

use lglp_sdk::SearchSpace;
use lglp_sdk::plugin::{Encoder, PluginError, Rows, Shape};
use schemars::JsonSchema;
use serde::Deserialize;

lglp_sdk::export_plugin! { summary: "The encoder @name@", encoders: [@Type@] }

/// What a recipe may set. The documentation of a field is its description in `lglp plugins --json`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Parameters {
    /// What each number is multiplied by.
    #[schemars(range(min = 0.001, max = 1000.0))]
    scale: f32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { scale: 1.0 }
    }
}

/// Which choice was made at each place of the space, as a number.
struct @Type@ {
    width: usize,
    scale: f32,
}

impl Encoder for @Type@ {
    const NAME: &'static str = "@name@";
    const SUMMARY: &'static str = "choice indices as numbers";
    type Parameters = Parameters;

    fn new(space: &SearchSpace, parameters: Parameters) -> Result<Self, PluginError> {
        Ok(Self {
            width: space.row_len(),
            scale: parameters.scale,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: &str = r#"
        name = "small"
        title = "Two decisions"
        decisions = [{ name = "depth", choices = [1, 2, 3] }, { name = "width", choices = [16, 32] }]
    "#;

    #[test]
    fn each_choice_is_a_number() {
        let space = SearchSpace::from_toml(SPACE).expect("a space");
        let encoder = @Type@::new(&space, Parameters { scale: 2.0 }).expect("an encoder");
        assert_eq!(encoder.shape(), Shape { steps: 1, width: 2 });
        let mut out = [0.0; 4];
        let rows = Rows {
            data: &[0, 1, 2, 0],
            count: 2,
            width: 2,
        };
        encoder.encode(rows, &mut out).expect("numbers");
        assert_eq!(out, [0.0, 2.0, 4.0, 0.0]);
    }
}

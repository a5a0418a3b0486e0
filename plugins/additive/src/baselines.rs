//! What everything else is compared with: latency in proportion to multiply-accumulates, and a roofline, a price for each amount.

use lglp_sdk::plugin::{Fit, PluginError, Regressor, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::columns::{amounts, median, terms};
use crate::operator::{Catalogue, FEWEST_KINDS, Operator, WIDTH, check_width};
use crate::prices::Prices;

/// Nothing is to be set.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parameters {}

/// Version of both states.
const VERSION: u32 = 1;

/// Multiply-accumulates times a constant: the median of what rows say it is.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MacProportional {
    /// In the unit of the targets, for a million multiply-accumulates.
    per_million_macs: f64,
}

/// A price for each amount (launches, weights, multiply-accumulates and bytes of each kind of operator), none negative: least squares of the
/// relative error.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Roofline {
    /// In the unit of the targets.
    prices: Prices,
}

/// The sums of so many amounts over the operators of each row.
fn sums(
    inputs: &Tensor<'_>,
    count: usize,
    amounts: impl Fn(&Operator) -> Vec<f64>,
) -> Result<Vec<Vec<f64>>, PluginError> {
    check_width(inputs)?;
    let row = |at: usize| {
        let mut sums = vec![0.0; count];
        for step in inputs.row(at).chunks_exact(WIDTH) {
            let Some((operator, _)) = Operator::read(step)? else {
                break;
            };
            sums.iter_mut()
                .zip(amounts(&operator))
                .for_each(|(sum, amount)| *sum += amount);
        }
        Ok(sums)
    };
    (0..inputs.rows).map(row).collect()
}

/// Millions of multiply-accumulates of each row.
fn million_macs(inputs: &Tensor<'_>) -> Result<Vec<f64>, PluginError> {
    let sums = sums(inputs, 1, |operator| vec![operator.work.kmacs / 1e3])?;
    Ok(sums.into_iter().map(|sums| sums[0]).collect())
}

/// The amounts of each row, of so many kinds.
fn amounts_of(inputs: &Tensor<'_>, kinds: usize) -> Result<Vec<Vec<f64>>, PluginError> {
    sums(inputs, terms(kinds), |operator| amounts(operator, kinds))
}

fn load<T: serde::de::DeserializeOwned>(version: u32, state: &[u8]) -> Result<T, PluginError> {
    if version != VERSION {
        let message = format!("version {version}; this plugin reads {VERSION}");
        return Err(PluginError::UnsupportedState(message));
    }
    serde_json::from_slice(state).map_err(|e| PluginError::UnsupportedState(e.to_string()))
}

impl Regressor for MacProportional {
    const NAME: &'static str = "mac-proportional";
    const SUMMARY: &'static str = "multiply-accumulates times a constant: the trivial baseline";
    const STATE_VERSION: u32 = VERSION;
    type Parameters = Parameters;

    fn fit(_: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        let macs = million_macs(&data.train.inputs)?;
        let ratios: Vec<f64> = macs.iter().zip(data.train.targets).map(|(macs, y)| y / macs).collect();
        Ok(Self {
            per_million_macs: median(&ratios),
        })
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        serde_json::to_vec(self).map_err(PluginError::failed)
    }

    fn load(version: u32, state: &[u8]) -> Result<Self, PluginError> {
        let model: Self = load(version, state)?;
        if model.per_million_macs.is_finite() && model.per_million_macs > 0.0 {
            return Ok(model);
        }
        let price = model.per_million_macs;
        let message = format!("{price} for a million multiply-accumulates; it must be above 0");
        Err(PluginError::UnsupportedState(message))
    }

    fn predict(&self, inputs: Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
        let macs = million_macs(&inputs)?;
        targets
            .iter_mut()
            .zip(macs)
            .for_each(|(target, macs)| *target = self.per_million_macs * macs);
        Ok(())
    }
}

impl Regressor for Roofline {
    const NAME: &'static str = "roofline";
    const SUMMARY: &'static str =
        "a price for each amount: launches, weights, arithmetic and bytes of each kind of operator";
    const STATE_VERSION: u32 = VERSION;
    type Parameters = Parameters;

    fn fit(_: Parameters, data: Fit<'_>) -> Result<Self, PluginError> {
        let mut catalogue = Catalogue::default();
        catalogue.read(&data.train.inputs)?;
        let sums = amounts_of(&data.train.inputs, catalogue.kinds())?;
        Ok(Self {
            prices: Prices::of(&sums, data.train.targets),
        })
    }

    fn save(&self) -> Result<Vec<u8>, PluginError> {
        serde_json::to_vec(self).map_err(PluginError::failed)
    }

    fn load(version: u32, state: &[u8]) -> Result<Self, PluginError> {
        let roofline: Self = load(version, state)?;
        if roofline.prices.are_whole() {
            return Ok(roofline);
        }
        let count = roofline.prices.len();
        let message = format!(
            "{count} prices of {} amounts, none of which may be below 0",
            terms(FEWEST_KINDS)
        );
        Err(PluginError::UnsupportedState(message))
    }

    fn predict(&self, inputs: Tensor<'_>, targets: &mut [f64]) -> Result<(), PluginError> {
        for (target, sums) in targets.iter_mut().zip(amounts_of(&inputs, self.prices.kinds())?) {
            *target = self.prices.of_amounts(&sums);
        }
        Ok(())
    }
}

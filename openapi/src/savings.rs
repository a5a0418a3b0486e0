//! What predicting instead of deploying saves: `/v1/{hardware}/savings`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What a caller may assume otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SavingsQuery {
    /// Seconds that one deployment and its measurement take; without it the median measured here, else the paper's 120.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 0, maximum = 1e12)]
    pub seconds: Option<f64>,
    /// Watts of device and host meanwhile; without it what the device was measured to draw, else 250, a data centre's
    /// GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 0, maximum = 1e12)]
    pub power: Option<f64>,
    /// Power usage effectiveness of the data centre; 1.58 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 1e12)]
    pub pue: Option<f64>,
    /// Pounds of CO2 equivalent for a kilowatt-hour; 0.954 without it, the mix of the USA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 0, maximum = 1e12)]
    pub carbon: Option<f64>,
    /// US dollars for an hour of the device; 1.46 without it, a P100 on demand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 0, maximum = 1e12)]
    pub price: Option<f64>,
    /// Predictions to reckon with, instead of those that were served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predictions: Option<u64>,
}

/// Time, energy, carbon and money that served predictions saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SavingsReport {
    /// The hardware target whose predictions and measurements these are.
    pub hardware: String,
    /// Predictions served, each in the place of one deployment.
    pub predictions: u64,
    /// What that many deployments would take.
    pub saved: Footprint,
    /// Measurements that were taken to train on.
    pub measurements: u64,
    /// What these took.
    pub invested: Footprint,
    /// What the device spends on inference; left out where no measurement tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<MeasuredEnergy>,
    /// What both footprints follow from.
    pub assumptions: Assumptions,
}

/// What some hours of a device cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Footprint {
    /// Time of the device, hours.
    pub hours: f64,
    /// Energy, the data centre's share included.
    pub kwh: f64,
    /// Pounds of CO2 equivalent.
    pub co2e_lb: f64,
    /// US dollars.
    pub dollars: f64,
}

/// What measurements tell of energy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeasuredEnergy {
    /// Measurements that tell it.
    pub measurements: u64,
    /// Of one inference, joules: the median over the measured architectures.
    pub joules_per_inference: f64,
    /// Power of the device while it runs networks, watts: the median. The rest of its host is not in it.
    pub power_w: f64,
}

/// What a footprint follows from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Assumptions {
    /// Time of one deployment and its measurement, seconds.
    pub seconds_per_deployment: f64,
    /// Where `seconds_per_deployment` was taken from.
    pub seconds_from: SecondsFrom,
    /// Power of the device and its host while deploying and measuring, watts.
    pub power_w: f64,
    /// Where `power_w` was taken from.
    pub power_from: PowerFrom,
    /// Power usage effectiveness: energy of the data centre to energy of its computers.
    pub pue: f64,
    /// Pounds of CO2 equivalent for each kilowatt-hour.
    pub co2e_lb_per_kwh: f64,
    /// US dollars for an hour of the device.
    pub dollars_per_hour: f64,
}

/// Where the time of a deployment was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SecondsFrom {
    /// The caller said it.
    Given,
    /// The median time from one measurement of this hardware target to the next.
    Measured,
    /// The paper's two minutes: too few measurements were taken here.
    Paper,
}

/// Where the power was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PowerFrom {
    /// The caller said it.
    Given,
    /// Measured energy by the time of a run: the device's own, without the rest of its host.
    Measured,
    /// A data centre's GPU: too few measurements tell energy.
    Assumed,
}

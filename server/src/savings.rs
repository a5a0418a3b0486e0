//! Energy and cost of deploying architectures, which predicting saves (the paper's section 8, after Strubell et al., 2019,
//! arXiv:1906.02243).

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use lglp_openapi::savings::{
    Assumptions, Footprint, MeasuredEnergy, PowerFrom, SavingsQuery, SavingsReport, SecondsFrom,
};
use lglp_registry::{HardwareName, MeasuredSpace, Measurement, Registry};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use lglp_engine::measure::median;

/// The paper's time for one candidate, seconds.
const PAPER_SECONDS: f64 = 120.0;

/// Of a GPU in a data centre with its share of the host, watts.
const POWER_W: f64 = 250.0;
/// The worldwide average of data centres in 2018.
const PUE: f64 = 1.58;
/// The mix of electricity in the USA in 2018.
const CO2E_LB_PER_KWH: f64 = 0.954;
/// An NVIDIA P100 on demand, 2019.
const DOLLARS_PER_HOUR: f64 = 1.46;

/// The highest assumption that is taken: what follows from it stays a finite number.
const MOST: f64 = 1e12;

/// Values that a median is taken of, at least, to stand in the place of an assumption.
const FEWEST: usize = 10;

/// An assumption that no footprint follows from.
#[derive(Debug, thiserror::Error)]
#[error("{field} takes {least} to {MOST:e}, and was given {value:e}")]
pub struct BadAssumption {
    /// Its name in a query: `seconds`, `power`, `pue`, `carbon` or `price`.
    pub field: &'static str,
    value: f64,
    least: f64,
}

/// Fills in what the caller left out.
fn assumptions(
    query: &SavingsQuery,
    measured_seconds: Option<f64>,
    measured_power: Option<f64>,
) -> Result<Assumptions, BadAssumption> {
    let check = |field, value: f64, least: f64| {
        let good = (least..=MOST).contains(&value);
        good.then_some(value).ok_or(BadAssumption { field, value, least })
    };
    let (seconds, from) = match (query.seconds, measured_seconds) {
        (Some(given), _) => (given, SecondsFrom::Given),
        (None, Some(measured)) => (measured, SecondsFrom::Measured),
        (None, None) => (PAPER_SECONDS, SecondsFrom::Paper),
    };
    let (power_w, power_from) = match (query.power, measured_power) {
        (Some(given), _) => (given, PowerFrom::Given),
        (None, Some(measured)) => (measured, PowerFrom::Measured),
        (None, None) => (POWER_W, PowerFrom::Assumed),
    };
    Ok(Assumptions {
        seconds_per_deployment: check("seconds", seconds, 0.0)?,
        seconds_from: from,
        power_w: check("power", power_w, 0.0)?,
        power_from,
        pue: check("pue", query.pue.unwrap_or(PUE), 1.0)?,
        co2e_lb_per_kwh: check("carbon", query.carbon.unwrap_or(CO2E_LB_PER_KWH), 0.0)?,
        dollars_per_hour: check("price", query.price.unwrap_or(DOLLARS_PER_HOUR), 0.0)?,
    })
}

/// What the predictions of a hardware target saved. Measurements of all spaces count as invested.
pub fn report(
    query: &SavingsQuery,
    store: &dyn Registry,
    hardware: &HardwareName,
) -> Result<SavingsReport, SavingsError> {
    let mut spent = Spent::default();
    for MeasuredSpace { space, .. } in store.measured_spaces(hardware)? {
        let _ = store.visit_measurements(hardware, &space, None, None, &mut |measurement| {
            spent.note(&measurement);
            ControlFlow::Continue(())
        })?;
    }
    let energy = spent.energy();
    let power = energy
        .filter(|energy| energy.measurements >= FEWEST as u64)
        .map(|energy| energy.power_w);
    let assumptions = assumptions(query, spent.seconds_per_measurement(), power)?;
    let predictions = match query.predictions {
        Some(given) => given,
        None => store.predictions_served(hardware)?,
    };
    Ok(SavingsReport {
        hardware: hardware.to_string(),
        predictions,
        saved: footprint(&assumptions, predictions),
        measurements: spent.measurements,
        invested: footprint(&assumptions, spent.measurements),
        energy,
        assumptions,
    })
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavingsError {
    /// The caller's assumption is out of bounds.
    #[error(transparent)]
    Assumption(#[from] BadAssumption),
    /// There is no such hardware target, or the registry cannot be read.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
}

/// What this many deployments cost.
pub fn footprint(assumptions: &Assumptions, deployments: u64) -> Footprint {
    let hours = deployments as f64 * assumptions.seconds_per_deployment / 3600.0;
    let kwh = assumptions.pue * hours * assumptions.power_w / 1000.0;
    Footprint {
        hours,
        kwh,
        co2e_lb: kwh * assumptions.co2e_lb_per_kwh,
        dollars: hours * assumptions.dollars_per_hour,
    }
}

/// What measuring took, without its samples.
#[derive(Default)]
struct Spent {
    measurements: u64,
    /// When each process measured.
    processes: BTreeMap<String, Vec<OffsetDateTime>>,
    joules: Vec<f64>,
    watts: Vec<f64>,
}

impl Spent {
    fn note(&mut self, measurement: &Measurement) {
        self.measurements += 1;
        if let Some(joules) = measurement.energy_j {
            self.joules.push(joules);
            self.watts.push(joules / seconds_of_a_run(measurement));
        }
        let at = OffsetDateTime::parse(&measurement.measured_at, &Rfc3339);
        if let (false, Ok(at)) = (measurement.samples.is_empty(), at) {
            self.processes.entry(measurement.process.clone()).or_default().push(at);
        }
    }

    /// The median time from one measurement of a process to its next, building and loading the network included; none where
    /// too few tell.
    fn seconds_per_measurement(&mut self) -> Option<f64> {
        let mut intervals = Vec::new();
        for times in self.processes.values_mut() {
            times.sort_unstable();
            intervals.extend(times.windows(2).map(|pair| (pair[1] - pair[0]).as_seconds_f64()));
        }
        (intervals.len() >= FEWEST).then(|| median(&intervals))
    }

    /// The energy of inference, and the power that it was spent at; none where no measurement tells.
    fn energy(&self) -> Option<MeasuredEnergy> {
        (!self.joules.is_empty()).then(|| MeasuredEnergy {
            measurements: self.joules.len() as u64,
            joules_per_inference: median(&self.joules),
            power_w: median(&self.watts),
        })
    }
}

/// Energy is spent over elapsed time, which the samples tell; a label is of processor time where a runtime knows it.
fn seconds_of_a_run(measurement: &Measurement) -> f64 {
    let elapsed: Vec<f64> = measurement.samples.iter().map(|sample| sample.wall_ms).collect();
    let elapsed = median(&elapsed);
    let ms = if elapsed > 0.0 { elapsed } else { measurement.latency_ms };
    ms / 1e3
}

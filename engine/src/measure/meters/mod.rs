//! What a device tells of itself while it measures: the energy that it spends, its clocks, temperature and power, and
//! why it runs slower than it can. What it does not tell is absent, with the reason for whoever asks ([`survey`]).

mod conditions;
mod cpu;
mod energy;
mod nvml;
mod rapl;

use std::sync::LazyLock;

use lglp_registry::Conditions;
use serde::Serialize;
use serde_json::Value;

use cpu::Cpu;
pub(crate) use energy::Window;
use nvml::{Gpu, Nvml};
use rapl::Rapl;

/// What is read here is not there: the reason, and what would help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(String);

/// The library stays open: it is asked for one measurement after the other.
static NVML: LazyLock<Result<&'static Nvml, Unavailable>> =
    LazyLock::new(|| Nvml::open(std::env::var_os("LGLP_NVML").as_deref()));

/// The device that a runtime runs networks on, as far as this machine can ask it.
pub struct Device {
    meter: Option<Meter>,
    cpu: Option<Cpu>,
    gpu: Option<Gpu>,
}

/// A counter of the joules that a device has spent.
pub enum Meter {
    /// The counters of this machine's processor packages.
    Rapl(Rapl),
    /// The counter of a graphics processor.
    Nvml(Gpu),
}

/// The state of a meter's counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading(Vec<u64>);

impl Device {
    /// The device that an opened runtime describes: this machine where `device` is `cpu`, the graphics processor of
    /// NVML's that it names by `gpu_uuid`, `device_index` or `device`, and otherwise one that nothing is known of.
    pub fn of_runtime(description: &Value) -> Self {
        let (here, gpu) = (is_this_machine(description), gpu_of(description));
        let meter = match &gpu {
            Some(gpu) => gpu.counts_energy().then(|| Meter::Nvml(gpu.clone())),
            None if here => Rapl::here().ok().map(Meter::Rapl),
            None => None,
        };
        Self {
            meter,
            cpu: (here || gpu.is_some()).then(Cpu::here),
            gpu,
        }
    }

    /// Whether it has a processor and memory of its own, so that this machine's work does not touch it: a graphics processor
    /// that NVML knows.
    pub(crate) fn is_apart(&self) -> bool {
        self.gpu.is_some()
    }

    /// What counts its energy, where something does.
    pub fn meter(&self) -> Option<&Meter> {
        self.meter.as_ref()
    }

    /// Does some work, and says in what state the device was meanwhile; none where it does not tell.
    pub fn watch<T>(&self, work: impl FnOnce() -> T) -> (T, Option<Conditions>) {
        conditions::during(self.cpu.as_ref(), self.gpu.as_ref(), work)
    }
}

impl Meter {
    /// Seconds between two updates of its counter, at most.
    pub(crate) fn update_s(&self) -> f64 {
        match self {
            Self::Rapl(_) => rapl::UPDATE_S,
            Self::Nvml(_) => nvml::UPDATE_S,
        }
    }

    /// None where it cannot be read any more.
    pub fn read(&self) -> Option<Reading> {
        match self {
            Self::Rapl(rapl) => rapl.read().map(Reading),
            Self::Nvml(gpu) => gpu.millijoules().map(|counter| Reading(vec![counter])),
        }
    }

    /// Joules from one reading to a later one.
    pub fn joules(&self, from: &Reading, to: &Reading) -> f64 {
        match self {
            Self::Rapl(rapl) => rapl.joules(&from.0, &to.0),
            Self::Nvml(_) => to.0[0].saturating_sub(from.0[0]) as f64 / 1e3,
        }
    }
}

/// Facts of the graphics processor that a runtime runs on, for its target's fingerprint: name, memory, driver, compute
/// capability. Not which one of several alike it is.
pub(crate) fn gpu_facts(description: &Value) -> Option<Value> {
    let gpu = gpu_of(description)?;
    Some(gpu.facts(NVML.as_ref().ok()?))
}

/// The driver is not asked about a processor.
fn gpu_of(description: &Value) -> Option<Gpu> {
    if is_this_machine(description) {
        return None;
    }
    NVML.as_ref().ok()?.of_runtime(description)
}

fn is_this_machine(description: &Value) -> bool {
    let device = description["device"].as_str();
    device.is_some_and(|name| name.eq_ignore_ascii_case("cpu"))
}

/// One thing that this machine may tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `rapl`, `nvml`, `cpu-clock`.
    pub name: &'static str,
    /// Whether it tells.
    pub ok: bool,
    /// What it tells, or why it does not.
    pub detail: String,
}

/// What this machine tells of energy and conditions, and what not.
pub fn survey() -> Vec<Finding> {
    let nvml = NVML.as_ref().map_err(Clone::clone).and_then(|nvml| nvml.summary());
    vec![
        finding("rapl", Rapl::here().map(|rapl| rapl.summary())),
        finding("nvml", nvml),
        finding("cpu-clock", Cpu::here().summary()),
    ]
}

fn finding(name: &'static str, found: Result<String, Unavailable>) -> Finding {
    Finding {
        name,
        ok: found.is_ok(),
        detail: found.unwrap_or_else(|reason| reason.to_string()),
    }
}

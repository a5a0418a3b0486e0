//! NVML: what NVIDIA's driver tells of a graphics processor. The crate opens `libnvidia-ml.so.1` when it is asked to,
//! so that nothing is linked and a machine without it lacks nothing else.

use std::ffi::OsStr;

use lglp_registry::GpuConditions;
use nvml_wrapper::Device as Handle;
use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use serde_json::{Value, json};

use super::Unavailable;

/// The energy counter is updated every 20 to 100 ms, whatever the generation.
pub(super) const UPDATE_S: f64 = 0.1;

/// The opened library. Never closed.
pub(super) struct Nvml(nvml_wrapper::Nvml);

/// One graphics processor.
#[derive(Clone)]
pub struct Gpu(std::sync::Arc<Handle<'static>>);

/// Why a GPU runs slower than it can because of heat or power. That it idles, or that its clocks were set, is no fault.
const SLOWDOWNS: [(ThrottleReasons, &str); 5] = [
    (ThrottleReasons::SW_POWER_CAP, "sw-power-cap"),
    (ThrottleReasons::HW_SLOWDOWN, "hw-slowdown"),
    (ThrottleReasons::SW_THERMAL_SLOWDOWN, "sw-thermal-slowdown"),
    (ThrottleReasons::HW_THERMAL_SLOWDOWN, "hw-thermal-slowdown"),
    (ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN, "hw-power-brake"),
];

impl Nvml {
    /// Opens the library, that of the system where no path is given.
    pub(super) fn open(path: Option<&OsStr>) -> Result<&'static Self, Unavailable> {
        let opened = match path {
            None => nvml_wrapper::Nvml::init(),
            Some(path) => nvml_wrapper::Nvml::builder().lib_path(path).init(),
        };
        let library = path.unwrap_or(OsStr::new("libnvidia-ml.so.1")).to_string_lossy();
        let nvml = opened.map_err(|error| Unavailable(format!("{library}: {error}")))?;
        Ok(Box::leak(Box::new(Self(nvml))))
    }

    pub(super) fn summary(&'static self) -> Result<String, Unavailable> {
        let gpus: Vec<String> = self
            .all()
            .map(|gpu| {
                let energy = if gpu.counts_energy() {
                    "counts energy"
                } else {
                    "counts no energy"
                };
                format!("{} ({energy})", gpu.name())
            })
            .collect();
        if gpus.is_empty() {
            return Err(Unavailable("the driver runs, and sees no GPU".into()));
        }
        Ok(gpus.join(", "))
    }

    /// The graphics processor that a runtime describes: the one of its `gpu_uuid`, else of its `device_index`, else the
    /// only one that is called like its `device`. Programs may number them otherwise than the driver, so that an index
    /// must agree with the name, where both are told.
    pub(super) fn of_runtime(&'static self, description: &Value) -> Option<Gpu> {
        let named = description["device"].as_str();
        if let Some(uuid) = description["gpu_uuid"].as_str() {
            return self.0.device_by_uuid(uuid).ok().map(Gpu::of);
        }
        let alike = |gpu: &Gpu| named.is_none_or(|name| name == gpu.name());
        if let Some(index) = description["device_index"].as_u64() {
            let index = u32::try_from(index).ok()?;
            return self.0.device_by_index(index).ok().map(Gpu::of).filter(alike);
        }
        named?;
        let mut found = self.all().filter(alike);
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }

    fn all(&'static self) -> impl Iterator<Item = Gpu> {
        let count = self.0.device_count().unwrap_or(0);
        (0..count).filter_map(|index| self.0.device_by_index(index).ok().map(Gpu::of))
    }
}

impl Gpu {
    fn of(handle: Handle<'static>) -> Self {
        Self(std::sync::Arc::new(handle))
    }

    fn name(&self) -> String {
        self.0.name().unwrap_or_default()
    }

    pub(super) fn counts_energy(&self) -> bool {
        self.millijoules().is_some()
    }

    /// Energy of the board since the driver was loaded.
    pub(super) fn millijoules(&self) -> Option<u64> {
        self.0.total_energy_consumption().ok()
    }

    pub(super) fn facts(&self, nvml: &Nvml) -> Value {
        let mut facts = json!({ "name": self.name() });
        if let Ok(memory) = self.0.memory_info() {
            facts["memory_mib"] = (memory.total >> 20).into();
        }
        if let Ok(driver) = nvml.0.sys_driver_version() {
            facts["driver"] = driver.into();
        }
        if let Ok(capability) = self.0.cuda_compute_capability() {
            facts["compute_capability"] = format!("{}.{}", capability.major, capability.minor).into();
        }
        facts
    }

    pub(super) fn conditions(&self) -> GpuConditions {
        let clock = |clock| self.0.clock_info(clock).ok().map(f64::from);
        GpuConditions {
            sm_mhz: clock(Clock::SM),
            memory_mhz: clock(Clock::Memory),
            temperature_c: self.0.temperature(TemperatureSensor::Gpu).ok().map(f64::from),
            power_w: self.0.power_usage().ok().map(|milliwatts| f64::from(milliwatts) / 1e3),
        }
    }

    /// What slows it down now, by name.
    pub(super) fn slowdowns(&self) -> impl Iterator<Item = String> {
        let reasons = self.0.current_throttle_reasons().unwrap_or(ThrottleReasons::NONE);
        let present = SLOWDOWNS
            .into_iter()
            .filter(move |(reason, _)| reasons.contains(*reason));
        present.map(|(_, name)| name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    /// The library of `tests/native/nvml.c`, opened.
    fn stand_in() -> &'static Nvml {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libnvidia-ml.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/native/nvml.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(source)
            .status();
        assert!(built.unwrap().success());
        Nvml::open(Some(library.as_os_str())).unwrap()
    }

    #[test]
    fn a_machine_tells_its_gpus() {
        let summary = stand_in().summary().unwrap();
        assert_eq!(summary, "Stand-In 100 (counts no energy), Stand-In 300 (counts energy)");
        let missing = Nvml::open(Some(OsStr::new("/nowhere/libnvidia-ml.so"))).err().unwrap();
        assert!(
            missing.to_string().starts_with("/nowhere/libnvidia-ml.so: "),
            "{missing}"
        );
    }

    #[test]
    fn a_runtime_is_on_the_gpu_that_it_names() {
        let nvml = stand_in();
        let named = |description: Value| nvml.of_runtime(&description).map(|gpu| gpu.name());
        let (small, large) = (Some("Stand-In 100".to_owned()), Some("Stand-In 300".to_owned()));
        assert_eq!(
            named(json!({ "device": "a card", "gpu_uuid": "GPU-stand-in-0" })),
            small
        );
        assert_eq!(named(json!({ "device_index": 0 })), small);
        assert_eq!(named(json!({ "device": "Stand-In 300", "device_index": 1 })), large);
        assert_eq!(named(json!({ "device": "Stand-In 300" })), large);
        for nothing in [
            json!({}),
            json!({ "device": "cpu" }),
            json!({ "gpu_uuid": "GPU-elsewhere" }),
            json!({ "device_index": 7 }),
            json!({ "device": "Stand-In 300", "device_index": 0 }),
        ] {
            assert_eq!(named(nothing.clone()), None, "{nothing}");
        }
    }
}

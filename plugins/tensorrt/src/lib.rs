//! Runtime `tensorrt`: NVIDIA GPUs, by `trtexec` or by TensorRT's library. What is missing is told when a target is opened; no
//! other device ever stands in for the GPU.

mod cache;
mod fp16;
mod settings;
mod trtexec;
mod version;
mod wire;

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use lglp_sdk::helper::{Helper, Session};
use lglp_sdk::plugin::{PluginError, Runtime, Sample};
use serde_json::{Value, json};
use tempfile::TempDir;

use cache::Cache;
use settings::{Latency, Precision, Settings};
use trtexec::Trtexec;
use wire::{Build, Device, Found, Request, Serve, Times};

lglp_sdk::export_plugin! {
    summary: "Times ONNX networks on NVIDIA GPUs with TensorRT",
    runtimes: [TensorRt],
}

/// Time for the driver, or a library, to say what it is. A driver whose GPU has fallen off the bus takes for ever.
const PROBE_LIMIT: Duration = Duration::from_secs(60);

/// Asks driver and TensorRT.
const HELPER: Helper = Helper("lglp-tensorrt");

const SYNTHETIC: &str = "int8: the ranges of values are synthetic, made up by trtexec; the latency is of use, the network's \
                         results would not be";

struct TensorRt {
    settings: Settings,
    device: Device,
    route: Route,
    cache: Cache,
    /// Name of the timing cache.
    about: String,
}

/// How TensorRT is reached, once that is decided.
enum Route {
    Trtexec(Trtexec),
    Library(Found),
}

/// A network's engine, in a folder of its own.
struct Network {
    folder: TempDir,
    /// The engine's place in the cache.
    cached: PathBuf,
    /// With the library alone.
    session: Option<Session>,
}

impl Network {
    fn engine(&self) -> PathBuf {
        self.folder.path().join("engine.plan")
    }
}

impl Route {
    fn find(settings: &Settings) -> Result<Self, PluginError> {
        let trtexec = |program| Ok(Self::Trtexec(Trtexec::open(program, settings)?));
        let library = || {
            let library = settings.library.clone();
            HELPER
                .ask(&Request::Find { library }, PROBE_LIMIT, "opening TensorRT")
                .map(Self::Library)
        };
        let program = Trtexec::find(settings.trtexec.as_deref());
        match (settings.route, program) {
            (settings::Route::Library, _) => library(),
            (settings::Route::Trtexec | settings::Route::Auto, Some(program)) => trtexec(program),
            (settings::Route::Trtexec, None) => Err(PluginError::Unavailable(Trtexec::missing())),
            (settings::Route::Auto, None) => library().map_err(|error| match error {
                PluginError::Unavailable(reason) => {
                    PluginError::Unavailable(format!("{}; and {reason}", Trtexec::missing()))
                }
                other => other,
            }),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Trtexec(_) => "trtexec",
            Self::Library(_) => "library",
        }
    }

    fn version(&self) -> String {
        match self {
            Self::Trtexec(trtexec) => trtexec.version.to_string(),
            Self::Library(found) => found.version.clone(),
        }
    }

    fn is_strongly_typed(&self) -> bool {
        match self {
            Self::Trtexec(trtexec) => trtexec.version.is_strongly_typed(),
            Self::Library(found) => found.strongly_typed,
        }
    }
}

impl Runtime for TensorRt {
    const NAME: &'static str = "tensorrt";
    const SUMMARY: &'static str = "TensorRT on an NVIDIA GPU, by trtexec or its library";
    type Parameters = Settings;
    type Network = Network;

    fn open(settings: Settings) -> Result<Self, PluginError> {
        settings.check()?;
        let probe = Request::Probe {
            driver: settings.driver.clone(),
            device: settings.device,
        };
        // First of all: without a driver, some TensorRT libraries answer with garbage.
        let device: Device = HELPER.ask(&probe, PROBE_LIMIT, "asking the NVIDIA driver")?;
        let route = Route::find(&settings)?;
        let version = route.version();
        if settings.precision == Precision::Int8 {
            refuse_int8(&route)?;
        }
        let about = format!(
            "{} {} {} TensorRT {version}",
            device.name, device.compute_capability, device.driver
        );
        let built_with = json!([
            route.name(),
            settings.precision,
            settings.workspace,
            settings.optimization_level
        ]);
        let cache = Cache::open(
            settings.cache.as_deref(),
            settings.cached_engines,
            format!("{about} {built_with}"),
        )?;
        Ok(Self {
            settings,
            device,
            route,
            cache,
            about,
        })
    }

    fn describe(&self) -> Value {
        let warnings: &[&str] = match self.settings.precision {
            Precision::Int8 => &[SYNTHETIC],
            _ => &[],
        };
        json!({
            "runtime": Self::NAME,
            "route": self.route.name(),
            "version": self.route.version(),
            "device": self.device.name,
            "driver": self.device.driver,
            "compute_capability": self.device.compute_capability,
            "precision": self.settings.precision,
            "latency": self.settings.latency,
            "warnings": warnings,
        })
    }

    fn load(&self, onnx: &[u8]) -> Result<Network, PluginError> {
        let onnx = match self.settings.precision {
            Precision::Fp16 if self.route.is_strongly_typed() => Cow::Owned(fp16::convert(onnx)?),
            _ => Cow::Borrowed(onnx),
        };
        let mut network = Network {
            folder: tempfile::Builder::new()
                .prefix("lglp-tensorrt-")
                .tempdir()
                .map_err(PluginError::failed)?,
            cached: self.cache.engine(&onnx),
            session: None,
        };
        if self.cache.take(&network.cached, &network.engine()) {
            match self.start(&mut network) {
                Ok(()) => return Ok(network),
                // E.g. cut off when a disk was full.
                Err(_) => {
                    self.cache.forget(&network.cached);
                    std::fs::remove_file(network.engine()).map_err(PluginError::failed)?;
                }
            }
        }
        self.build(&network, &onnx)?;
        self.start(&mut network)?;
        self.cache.keep(&network.engine(), &network.cached);
        Ok(network)
    }

    fn run(&self, network: &mut Network) -> Result<Sample, PluginError> {
        let mut samples = self.run_many(network, 1)?;
        // One run may come with more, of which the middle one is typical.
        samples.sort_by_key(|sample| sample.wall_ns);
        Ok(samples[samples.len() / 2])
    }

    fn runs_at_once(&self) -> usize {
        let default = match self.route {
            // A start of the program, seconds, for each call.
            Route::Trtexec(_) => 20,
            // A warm-up.
            Route::Library(_) => 10,
        };
        self.settings.iterations.unwrap_or(default)
    }

    fn run_many(&self, network: &mut Network, runs: usize) -> Result<Vec<Sample>, PluginError> {
        let settings = &self.settings;
        match (&self.route, &mut network.session) {
            (_, Some(session)) => {
                let times = session.ask(runs, settings.run_limit(), "running an engine")?;
                samples(times, settings.latency)
            }
            (Route::Trtexec(trtexec), None) => {
                let ran = trtexec.run(settings, &network.engine(), network.folder.path(), runs);
                // It may be the engine that is at fault: the next load builds it anew.
                ran.inspect_err(|_| self.cache.forget(&network.cached))
            }
            (Route::Library(_), None) => Err(PluginError::Failed("the engine was not loaded".into())),
        }
    }
}

impl TensorRt {
    /// Builds a network's engine.
    fn build(&self, network: &Network, onnx: &[u8]) -> Result<(), PluginError> {
        let file = network.folder.path().join("network.onnx");
        std::fs::write(&file, onnx).map_err(PluginError::failed)?;
        let (settings, engine) = (&self.settings, network.engine());
        let timings = self.cache.timings(&self.about);
        let build = match &self.route {
            Route::Trtexec(trtexec) => return trtexec.build(settings, &file, &engine, &timings),
            Route::Library(found) => Build {
                library: settings.library.clone(),
                onnx: file,
                plan: engine,
                timing_cache: Some(timings),
                workspace_mib: settings.workspace,
                optimization_level: settings.optimization_level,
                fp16: settings.precision == Precision::Fp16 && !found.strongly_typed,
                compute_capability: None,
            },
        };
        HELPER.ask(&Request::Build(build), settings.build_limit(), "building an engine")
    }

    /// Makes an engine ready to run, where that is not done by each run.
    fn start(&self, network: &mut Network) -> Result<(), PluginError> {
        let Route::Library(_) = self.route else { return Ok(()) };
        let settings = &self.settings;
        let serve = Serve {
            library: settings.library.clone(),
            driver: settings.driver.clone(),
            device: settings.device,
            plan: network.engine(),
            cuda_graph: settings.cuda_graph,
            warm_up_ms: settings.warm_up,
        };
        // TensorRT-RTX compiles for the device when an engine is loaded: that is a part of building it.
        let command = HELPER.command(&Request::Serve(serve))?;
        let (session, ()) = Session::start(command, &[], settings.build_limit(), "loading an engine")?;
        network.session = Some(session);
        Ok(())
    }
}

/// The times that a target has chosen.
fn samples(times: Times, latency: Latency) -> Result<Vec<Sample>, PluginError> {
    let chosen = match latency {
        Latency::GpuCompute => times.gpu_compute_ns,
        Latency::Host => times.host_ns,
    };
    if chosen.is_empty() || chosen.contains(&0) {
        return Err(PluginError::Failed(
            "the driver timed a run at 0 ns; do its events work?".into(),
        ));
    }
    let samples = chosen.into_iter().map(|wall_ns| Sample {
        wall_ns,
        ..Sample::default()
    });
    Ok(samples.collect())
}

/// Eight bits need ranges of values, which lglp's networks do not have and nobody but `trtexec` makes up.
fn refuse_int8(route: &Route) -> Result<(), PluginError> {
    let version = route.version();
    let reason = match route {
        _ if route.is_strongly_typed() => format!(
            "TensorRT {version} takes eight bits from networks that are quantised, and lglp's are not; use fp16 or fp32, or \
             trtexec of TensorRT 10"
        ),
        Route::Library(_) => "only trtexec makes up the ranges that it needs; use --set route=trtexec".to_owned(),
        Route::Trtexec(_) => return Ok(()),
    };
    Err(PluginError::InvalidParameters(format!("precision is int8: {reason}")))
}

//! The route by `trtexec`, which comes with TensorRT: one start builds an engine, another runs it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lglp_sdk::plugin::{PluginError, Sample};
use lglp_sdk::{program, trtexec};

use crate::settings::{Latency, Precision, Settings};
use crate::version::Version;

/// Where TensorRT's packages and containers put it.
const PLACES: [&str; 2] = ["/usr/src/tensorrt/bin", "/opt/tensorrt/bin"];

/// Time to print a page of help. The first start loads a gigabyte of libraries.
const HELP_LIMIT: Duration = Duration::from_secs(60);

/// The program, and what it can do.
pub(crate) struct Trtexec {
    program: PathBuf,
    pub version: Version,
    help: String,
}

impl Trtexec {
    /// Finds the program; none where there is none and none was named.
    pub(crate) fn find(named: Option<&Path>) -> Option<PathBuf> {
        if let Some(program) = named {
            return Some(program.to_owned());
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain(PLACES.map(PathBuf::from));
        folders.map(|folder| folder.join("trtexec")).find(|file| file.is_file())
    }

    /// What is missing where [`Self::find`] finds none.
    pub(crate) fn missing() -> String {
        let places = PLACES.join(", ");
        format!("no trtexec: it is neither on PATH nor in {places}; name it by the setting `trtexec`")
    }

    /// Asks the program for its version and its options.
    pub(crate) fn open(program: PathBuf, settings: &Settings) -> Result<Self, PluginError> {
        let mut command = Command::new(&program);
        command.arg("--help");
        let output = program::run(command, HELP_LIMIT)?;
        let version = Version::of_banner(&output.stdout).ok_or_else(|| {
            let first = output.stdout.lines().next().unwrap_or_default();
            PluginError::Failed(format!(
                "{} does not tell TensorRT's version, as trtexec does; it begins with {first:?}",
                program.display()
            ))
        })?;
        let it = Self {
            program,
            version,
            help: output.stdout,
        };
        if settings.optimization_level.is_some() && !it.knows("--builderOptimizationLevel") {
            return Err(PluginError::InvalidParameters(format!(
                "optimization_level is set, and trtexec of TensorRT {version} has no such option; leave it out"
            )));
        }
        Ok(it)
    }

    /// Builds the engine of a network.
    pub(crate) fn build(
        &self,
        settings: &Settings,
        onnx: &Path,
        engine: &Path,
        timings: &Path,
    ) -> Result<(), PluginError> {
        let mut command = self.command(settings);
        command.arg(option("--onnx", onnx.display()));
        command.arg(option("--saveEngine", engine.display()));
        command.arg(option("--timingCacheFile", timings.display()));
        command.arg(if self.knows("--skipInference") {
            "--skipInference"
        } else {
            "--buildOnly"
        });
        match settings.precision {
            Precision::Fp16 if !self.version.is_strongly_typed() => _ = command.arg("--fp16"),
            Precision::Int8 => _ = command.arg("--int8"),
            _ => {}
        }
        if let Some(mib) = settings.workspace {
            command.arg(option("--memPoolSize", format_args!("workspace:{mib}")));
        }
        if let Some(level) = settings.optimization_level {
            command.arg(option("--builderOptimizationLevel", level));
        }
        program::run(command, settings.build_limit()).map_err(|error| while_at("building an engine", error.into()))?;
        match std::fs::metadata(engine) {
            Ok(file) if file.len() > 0 => Ok(()),
            _ => Err(PluginError::Failed(
                "trtexec ended well without saving an engine".into(),
            )),
        }
    }

    /// Runs an engine; times go to a file in `folder`.
    pub(crate) fn run(
        &self,
        settings: &Settings,
        engine: &Path,
        folder: &Path,
        runs: usize,
    ) -> Result<Vec<Sample>, PluginError> {
        let exported = folder.join("times.json");
        // What an earlier call left must not be taken for this one's.
        let _ = std::fs::remove_file(&exported);
        let mut command = self.command(settings);
        command.arg(option("--loadEngine", engine.display()));
        command.arg(option("--exportTimes", exported.display()));
        command.arg(option("--iterations", runs));
        command.arg(option("--duration", settings.duration));
        command.arg(option("--warmUp", settings.warm_up));
        if settings.cuda_graph {
            command.arg("--useCudaGraph");
        }
        let output =
            program::run(command, settings.run_limit()).map_err(|error| while_at("running an engine", error.into()))?;
        let exported = std::fs::read_to_string(&exported)
            .map_err(|problem| PluginError::Failed(format!("trtexec ended well without exporting times: {problem}")))?;
        let samples = trtexec::samples(&exported, &output, |run| match settings.latency {
            Latency::GpuCompute => run.compute_ms,
            Latency::Host => run.latency_ms,
        });
        samples.map_err(PluginError::Failed)
    }

    fn command(&self, settings: &Settings) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(option("--device", settings.device));
        command
    }

    fn knows(&self, option: &str) -> bool {
        self.help.contains(option)
    }
}

fn option(name: &str, value: impl std::fmt::Display) -> String {
    format!("{name}={value}")
}

fn while_at(what: &str, error: PluginError) -> PluginError {
    match error {
        PluginError::Failed(reason) => PluginError::Failed(format!("{what}: {reason}")),
        other => other,
    }
}

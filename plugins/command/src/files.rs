//! Files that programs read and write, in folders that are gone afterwards.

use std::path::{Path, PathBuf};

use lglp_sdk::plugin::PluginError;
use tempfile::TempDir;

use crate::plan::Plan;
use crate::template::Values;

/// lglp's own script, which times networks by PyTorch or ONNX Runtime.
const TIME_ONNX: &str = include_str!("../time_onnx.py");

/// The script as a file.
pub(crate) struct Script {
    _folder: TempDir,
    path: PathBuf,
}

impl Script {
    pub(crate) fn write() -> Result<Self, PluginError> {
        let folder = folder()?;
        let path = folder.path().join("time_onnx.py");
        std::fs::write(&path, TIME_ONNX).map_err(|e| failed(&path, &e))?;
        Ok(Self { _folder: folder, path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// A network's file and a folder of its own, for what is made of it.
pub(crate) struct Network {
    folder: TempDir,
}

impl Network {
    pub(crate) fn write(onnx: &[u8]) -> Result<Self, PluginError> {
        let network = Self { folder: folder()? };
        std::fs::write(network.onnx(), onnx).map_err(|e| failed(&network.onnx(), &e))?;
        Ok(network)
    }

    pub(crate) fn onnx(&self) -> PathBuf {
        self.folder.path().join("network.onnx")
    }

    /// The values that hold for this network, beside those for every one.
    pub(crate) fn values(&self, plan: &Plan, base: &Values, runs: usize) -> Values {
        let mut values = base.clone();
        values.insert("onnx", self.onnx().display().to_string());
        values.insert("scratch", self.folder.path().display().to_string());
        values.insert("repetitions", runs.to_string());
        let output = plan.output.fill(&values).concat();
        values.insert("output", output);
        values
    }
}

/// A folder below the system's one for temporary files.
fn folder() -> Result<TempDir, PluginError> {
    let folder = tempfile::Builder::new().prefix("lglp-command-").tempdir();
    folder.map_err(|e| PluginError::Failed(format!("cannot make a folder for temporary files: {e}")))
}

fn failed(path: &Path, error: &std::io::Error) -> PluginError {
    PluginError::Failed(format!("cannot write {}: {error}", path.display()))
}

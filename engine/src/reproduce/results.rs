//! Results of cells, one a line in a file that only grows.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use lglp_registry::Digest;
use serde::{Deserialize, Serialize};

use crate::train::Metrics;

/// What came of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellResult {
    pub key: Digest,
    pub recipe: String,
    pub encoding: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    pub seed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_rows: Option<usize>,
    pub metrics: Metrics,
    /// Time of the fit and the test, seconds.
    pub seconds: f64,
    /// Predictions for the test part, milliseconds; kept for the first split, for the scatter plots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predicted: Vec<f64>,
}

/// The results that there are.
pub struct Results {
    path: PathBuf,
    file: File,
    by_key: HashMap<Digest, CellResult>,
}

/// A file of results that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultsError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}, line {line}: {problem}; remove the file to start anew", path.display())]
    BadLine {
        path: PathBuf,
        line: usize,
        problem: String,
    },
}

impl Results {
    /// Opens a file of results, or starts one. A last line that was cut off is cut away.
    pub fn open(path: &Path) -> Result<Self, ResultsError> {
        let io = |source| ResultsError::Io {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new();
        let file = file.create(true).append(true).open(path).map_err(io)?;
        let text = std::fs::read_to_string(path).map_err(io)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).map_err(io)?;
        let mut by_key = HashMap::new();
        for (i, line) in text[..whole].lines().enumerate() {
            let result: CellResult = serde_json::from_str(line).map_err(|e| ResultsError::BadLine {
                path: path.to_owned(),
                line: i + 1,
                problem: e.to_string(),
            })?;
            by_key.insert(result.key.clone(), result);
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            by_key,
        })
    }

    pub fn get(&self, key: &Digest) -> Option<&CellResult> {
        self.by_key.get(key)
    }

    /// Keeps a result, durably.
    pub fn add(&mut self, result: CellResult) -> Result<(), ResultsError> {
        let mut line = serde_json::to_string(&result).expect("finite numbers and texts are JSON");
        line.push('\n');
        let written = self
            .file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data());
        written.map_err(|source| ResultsError::Io {
            path: self.path.clone(),
            source,
        })?;
        self.by_key.insert(result.key.clone(), result);
        Ok(())
    }
}

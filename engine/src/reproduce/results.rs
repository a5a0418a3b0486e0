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
    /// The key of the cell.
    pub key: Digest,
    /// The recipe's name.
    pub recipe: String,
    /// The encoder's name.
    pub encoding: String,
    /// The regressor's `connection`, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The seed of split and fit.
    pub seed: u64,
    /// The rows trained on; `None` for the whole training part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_rows: Option<usize>,
    /// The accuracy on the test part.
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
    /// The file cannot be opened, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file of results.
        path: PathBuf,
        /// Why that failed.
        source: std::io::Error,
    },
    /// A line of the file is no result.
    #[error("{}, line {line}: {problem}; remove the file to start anew", path.display())]
    BadLine {
        /// The file of results.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong with the line.
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

    /// The result of the cell with this key; `None` where there is none yet.
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

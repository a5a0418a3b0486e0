//! Which column of a table holds what: `catalog/imports/*.toml`.

use std::path::Path;

use lglp_sdk::strict;
use serde::Deserialize;

use crate::text;

/// The columns of a table of measurements.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    /// The column or columns of the architectures.
    pub architecture: ArchitectureColumns,
    /// Column of the latencies.
    pub latency: String,
    /// The unit of the latencies; milliseconds where the file of columns says none.
    pub unit: LatencyUnit,
}

/// How a table writes architectures.
#[derive(Clone, Debug, PartialEq)]
pub enum ArchitectureColumns {
    /// One column with canonical text or JSON.
    Whole(String),
    /// A column for each choice; `{block}` and `{layer}` stand for their numbers, from 1. What the table does not tell
    /// (strides, squeeze-and-excitation, shortcuts) is the space's default.
    Parts {
        /// The column of the resolution.
        resolution: String,
        /// The columns of the depths, one a block: a name with `{block}`.
        depth: String,
        /// The columns of the kernel sizes, one a layer: a name with `{block}` and `{layer}`.
        kernel: String,
        /// The columns of the expansion ratios, one a layer: a name with `{block}` and `{layer}`.
        expansion: String,
        /// What must stand in kernel and expansion where a block has no such layer; whatever stands there is ignored where
        /// this is not told.
        absent: Option<String>,
    },
}

/// Unit of the latencies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LatencyUnit {
    /// Milliseconds: `ms`.
    #[default]
    Ms,
    /// Microseconds: `us`.
    Us,
    /// Seconds: `s`.
    S,
}

impl LatencyUnit {
    /// Milliseconds of one unit.
    pub fn in_ms(self) -> f64 {
        match self {
            Self::Ms => 1.0,
            Self::Us => 1e-3,
            Self::S => 1e3,
        }
    }
}

/// A file of columns that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ColumnsError(String);

impl ColumnsError {
    pub(super) fn new(path: &Path, problem: &dyn std::fmt::Display) -> Self {
        Self(format!("{}: {problem}", path.display()))
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    architecture: Option<String>,
    resolution: Option<String>,
    depth: Option<String>,
    kernel: Option<String>,
    expansion: Option<String>,
    absent: Option<String>,
    latency: Option<String>,
    #[serde(default)]
    unit: LatencyUnit,
}

impl Columns {
    /// Reads a file of columns; without one, columns are called `architecture` and `latency_ms`. `latency` goes before the
    /// file's.
    pub fn load(path: Option<&Path>, latency: Option<&str>) -> Result<Self, ColumnsError> {
        let Some(path) = path else {
            return Ok(Self {
                architecture: ArchitectureColumns::Whole("architecture".into()),
                latency: latency.unwrap_or("latency_ms").into(),
                unit: LatencyUnit::Ms,
            });
        };
        let fail = |e: &dyn std::fmt::Display| ColumnsError::new(path, e);
        let text = text::read(path).map_err(|e| fail(&e))?;
        let file: File = strict::from_toml(&text).map_err(|e| fail(&e))?;
        let parts = (file.resolution, file.depth, file.kernel, file.expansion);
        let architecture = match (file.architecture, parts) {
            (Some(column), (None, None, None, None)) => ArchitectureColumns::Whole(column),
            (None, (Some(resolution), Some(depth), Some(kernel), Some(expansion))) => {
                for (name, column, mark) in [
                    ("depth", &depth, "{block}"),
                    ("kernel", &kernel, "{layer}"),
                    ("expansion", &expansion, "{layer}"),
                ] {
                    if !column.contains(mark) || !column.contains("{block}") {
                        return Err(fail(&format!(
                            "{name} must hold {{block}}, and {mark}; it says {column:?}"
                        )));
                    }
                }
                ArchitectureColumns::Parts {
                    resolution,
                    depth,
                    kernel,
                    expansion,
                    absent: file.absent,
                }
            }
            _ => {
                return Err(fail(
                    &"give either `architecture`, or `resolution`, `depth`, `kernel` and `expansion`",
                ));
            }
        };
        let latency = latency.map(str::to_owned).or(file.latency);
        Ok(Self {
            architecture,
            latency: latency.ok_or_else(|| fail(&"no `latency` column; name it here or by --latency"))?,
            unit: file.unit,
        })
    }
}

//! Reading a table of measurements: every fault is found before anything is made of it.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord};
use lglp_registry::{Digest, HardwareName, Measurement};
use lglp_sdk::{Architecture, SearchSpace};
use serde_json::{Value, json};

use super::{ArchitectureColumns, Columns};

/// Where a table came from; part of every measurement that is made of it.
pub struct Source<'a> {
    /// The file's name.
    pub file: &'a str,
    pub bytes: &'a [u8],
}

/// A cell that cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Line of the file, from 1.
    pub line: u64,
    pub column: String,
    pub problem: String,
}

/// Why a table was not imported. Nothing of it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    #[error("{file} is no table: {source}")]
    Csv { file: String, source: csv::Error },
    #[error("{file} has no column `{column}`; its columns are: {}", shortened(columns))]
    NoColumn {
        file: String,
        column: String,
        columns: Vec<String>,
    },
    #[error("{file} has no rows")]
    NoRows { file: String },
    #[error("{}", list(file, faults))]
    Faults { file: String, faults: Vec<Fault> },
}

/// Faults that a message shows.
const FAULTS_SHOWN: usize = 20;

fn list(file: &str, faults: &[Fault]) -> String {
    let mut text = format!("{} cells of {file} cannot be read; nothing was imported", faults.len());
    for fault in faults.iter().take(FAULTS_SHOWN) {
        text += &format!("\n  line {}, column {}: {}", fault.line, fault.column, fault.problem);
    }
    if faults.len() > FAULTS_SHOWN {
        text += &format!("\n  and {} more", faults.len() - FAULTS_SHOWN);
    }
    text
}

/// Column names, those in the middle left out where there are many.
fn shortened(columns: &[String]) -> String {
    if columns.len() <= FAULTS_SHOWN {
        return columns.join(", ");
    }
    let (first, last) = (
        &columns[..FAULTS_SHOWN / 2],
        &columns[columns.len() - FAULTS_SHOWN / 2..],
    );
    format!("{}, ..., {}", first.join(", "), last.join(", "))
}

/// Measurements of a table, in the order of its rows. An architecture that comes again is its next round.
pub fn read(
    source: &Source<'_>,
    columns: &Columns,
    space: &SearchSpace,
    hardware: &HardwareName,
) -> Result<Vec<Measurement>, ImportError> {
    let fail = |error| ImportError::Csv {
        file: source.file.to_owned(),
        source: error,
    };
    // Spreadsheets begin a file of UTF-8 with a mark that would become a part of the first column's name.
    let text = source.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source.bytes);
    let mut reader = ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
    let header = Header {
        file: source.file,
        names: reader.headers().map_err(fail)?.clone(),
    };
    let plan = Plan::new(&header, columns, space)?;
    let sha256 = Digest::of(source.bytes);
    let (mut measurements, mut faults) = (Vec::new(), Vec::new());
    let mut rounds: BTreeMap<Digest, u32> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(fail)?;
        let mut row = Row {
            line: record.position().map_or(0, csv::Position::line),
            cells: &record,
            header: &header,
            faults: &mut faults,
        };
        let (architecture, latency_ms) = (plan.architecture(&mut row, space), plan.latency_ms(&mut row));
        let (Some(architecture), Some(latency_ms)) = (architecture, latency_ms) else {
            continue;
        };
        let text = space.canonical_text(&architecture);
        let digest = Digest::of(text.as_bytes());
        let round = rounds.entry(digest.clone()).and_modify(|r| *r += 1).or_default();
        measurements.push(Measurement {
            hardware: hardware.clone(),
            space: space.name.clone(),
            architecture: text,
            digest,
            round: *round,
            latency_ms,
            statistic: "as imported".into(),
            protocol: json!({
                "imported_from": source.file, "sha256": sha256, "column": columns.latency, "line": row.line,
            }),
            samples: Vec::new(),
            load_average: 0.0,
            drift: false,
            flags: vec!["imported".into()],
            measured_at: UNKNOWN_TIME.into(),
            process: format!("import of {}", source.file),
            energy_j: None,
            conditions: None,
            worker: None,
        });
    }
    if !faults.is_empty() {
        let file = source.file.to_owned();
        return Err(ImportError::Faults { file, faults });
    }
    if measurements.is_empty() {
        let file = source.file.to_owned();
        return Err(ImportError::NoRows { file });
    }
    Ok(measurements)
}

/// Tables do not tell when they were measured, and importing one again must give the same records.
const UNKNOWN_TIME: &str = "1970-01-01T00:00:00Z";

struct Header<'a> {
    file: &'a str,
    names: StringRecord,
}

impl Header<'_> {
    fn find(&self, column: &str) -> Result<usize, ImportError> {
        let found = self.names.iter().position(|name| name == column);
        found.ok_or_else(|| ImportError::NoColumn {
            file: self.file.to_owned(),
            column: column.to_owned(),
            columns: self.names.iter().map(str::to_owned).collect(),
        })
    }
}

/// A row being read; what cannot be read becomes a fault.
struct Row<'a> {
    line: u64,
    cells: &'a StringRecord,
    header: &'a Header<'a>,
    faults: &'a mut Vec<Fault>,
}

impl Row<'_> {
    fn cell(&self, column: usize) -> &str {
        self.cells.get(column).unwrap_or_default()
    }

    fn fault(&mut self, column: usize, problem: String) {
        let column = self.header.names.get(column).unwrap_or_default().to_owned();
        let line = self.line;
        self.faults.push(Fault { line, column, problem });
    }

    /// A whole number among those allowed; `3.0` is one, as data frames with gaps write it.
    fn choice(&mut self, column: usize, allowed: &[u32]) -> Option<u32> {
        let cell = self.cell(column);
        let number: Option<f64> = cell.parse().ok();
        let value = number.and_then(|n| allowed.iter().copied().find(|a| f64::from(*a) == n));
        if value.is_none() {
            let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
            let problem = format!("`{cell}` is not one of {}", allowed.join(", "));
            self.fault(column, problem);
        }
        value
    }
}

/// Where each value is, by column index.
struct Plan<'a> {
    architecture: ArchitecturePlan<'a>,
    latency: usize,
    unit_ms: f64,
}

enum ArchitecturePlan<'a> {
    Whole(usize),
    Parts {
        resolution: usize,
        blocks: Vec<BlockColumns>,
        absent: &'a str,
    },
}

struct BlockColumns {
    depth: usize,
    /// Kernel and expansion.
    layers: Vec<(usize, usize)>,
}

impl<'a> Plan<'a> {
    fn new(header: &Header<'_>, columns: &'a Columns, space: &SearchSpace) -> Result<Self, ImportError> {
        let architecture = match &columns.architecture {
            ArchitectureColumns::Whole(column) => ArchitecturePlan::Whole(header.find(column)?),
            ArchitectureColumns::Parts {
                resolution,
                depth,
                kernel,
                expansion,
                absent,
            } => {
                let blocks = space.blocks.iter().enumerate().map(|(b, block)| {
                    let name = |pattern: &str, layer: usize| {
                        let numbered = pattern.replace("{block}", &(b + 1).to_string());
                        numbered.replace("{layer}", &(layer + 1).to_string())
                    };
                    let layer = |l| Ok((header.find(&name(kernel, l))?, header.find(&name(expansion, l))?));
                    Ok(BlockColumns {
                        depth: header.find(&name(depth, 0))?,
                        layers: (0..block.slots()).map(layer).collect::<Result<_, ImportError>>()?,
                    })
                });
                ArchitecturePlan::Parts {
                    resolution: header.find(resolution)?,
                    blocks: blocks.collect::<Result<_, ImportError>>()?,
                    absent,
                }
            }
        };
        Ok(Self {
            architecture,
            latency: header.find(&columns.latency)?,
            unit_ms: columns.unit.in_ms(),
        })
    }

    fn latency_ms(&self, row: &mut Row<'_>) -> Option<f64> {
        let cell = row.cell(self.latency);
        let value = cell.parse().map(|v: f64| v * self.unit_ms).ok();
        let value = value.filter(|v| v.is_finite() && *v > 0.0);
        if value.is_none() {
            let problem = format!("`{cell}` is no latency; it must be a number above 0");
            row.fault(self.latency, problem);
        }
        value
    }

    fn architecture(&self, row: &mut Row<'_>, space: &SearchSpace) -> Option<Architecture> {
        match &self.architecture {
            ArchitecturePlan::Whole(column) => {
                let cell = row.cell(*column);
                let json = serde_json::from_str(cell).unwrap_or_else(|_| Value::String(cell.to_owned()));
                space
                    .architecture_from_json(&json)
                    .map_err(|error| row.fault(*column, error.to_string()))
                    .ok()
            }
            ArchitecturePlan::Parts {
                resolution,
                blocks,
                absent,
            } => {
                let before = row.faults.len();
                let choices = &space.choices;
                let side = row.choice(*resolution, &choices.resolution);
                let (mut depths, mut kernels, mut expansions) = (Vec::new(), Vec::new(), Vec::new());
                for (block, columns) in space.blocks.iter().zip(blocks) {
                    let depth = row.choice(columns.depth, &block.depth).unwrap_or(0);
                    depths.push(depth);
                    for (layer, (kernel, expansion)) in columns.layers.iter().enumerate() {
                        if layer < depth as usize {
                            kernels.extend(row.choice(*kernel, &choices.kernel));
                            expansions.extend(row.choice(*expansion, &choices.expansion));
                            continue;
                        }
                        // Nothing is said of absent layers where the depth itself is at fault.
                        for column in [*kernel, *expansion].into_iter().filter(|_| depth > 0) {
                            let cell = row.cell(column);
                            if cell != *absent {
                                let problem =
                                    format!("`{cell}`, but a depth of {depth} leaves this layer out; write `{absent}`");
                                row.fault(column, problem);
                            }
                        }
                        kernels.push(choices.kernel[0]);
                        expansions.push(choices.expansion[0]);
                    }
                }
                if row.faults.len() > before {
                    return None;
                }
                let form = json!({ "r": [side?], "d": depths, "ks": kernels, "e": expansions });
                space
                    .architecture_from_json(&form)
                    .map_err(|error| row.fault(*resolution, error.to_string()))
                    .ok()
            }
        }
    }
}

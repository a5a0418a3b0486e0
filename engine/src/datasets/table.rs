//! Reading a table of measurements: every fault of its rows is found before anything is made of it.

use std::collections::{BTreeMap, HashMap};

use csv::{ReaderBuilder, StringRecord};
use lglp_registry::{Digest, HardwareName, Measurement, plausible};
use lglp_sdk::{Architecture, ChainSpace, Excerpt, SearchSpace, count, strict};
use serde_json::{Value, json};

use super::faults::{Fault, ImportError, Rows};
use super::format::Format;
use super::lines::Lines;
use super::notation::{Decimal, Notation, is_nothing};
use super::{ArchitectureColumns, Columns};
use crate::spaces::{Spaces, definition};

/// Where a table came from, which is part of every measurement that is made of it, and how it is written.
pub struct Source<'a> {
    /// The file's name.
    pub file: &'a str,
    /// All of the file.
    pub bytes: &'a [u8],
    /// What stands between its cells, and in its numbers.
    pub notation: Notation,
}

/// Measurements of a table, in the order of its rows. An architecture that comes again is its next replicate.
///
/// # Errors
/// What is wrong with the table as a whole; what is wrong with rows is told beside those that are right.
pub fn read(
    source: &Source<'_>,
    columns: &Columns,
    spaces: &Spaces,
    space: &SearchSpace,
    hardware: &HardwareName,
) -> Result<Rows, ImportError> {
    let file = || source.file.to_owned();
    let fail = |source| ImportError::Csv { file: file(), source };
    if let Some(format) = Format::of(source.bytes) {
        return Err(ImportError::Format { file: file(), format });
    }
    // Spreadsheets begin a file of UTF-8 with a mark that would become a part of the first column's name.
    let text = strict::without_mark(source.bytes);
    let mut reader = ReaderBuilder::new()
        .delimiter(source.notation.delimiter.byte())
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text);
    let header = Header {
        source,
        text,
        names: reader.headers().map_err(fail)?.clone(),
    };
    let plan = Plan::new(&header, columns, spaces, space)?;
    let (sha256, definition) = (Digest::of(source.bytes), definition(space));
    let mut lines = Lines::of(text);
    let (mut measurements, mut faults) = (Vec::new(), Vec::new());
    let mut replicates: BTreeMap<Digest, u32> = BTreeMap::new();
    let mut seen: HashMap<Vec<String>, u64> = HashMap::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                faults.push(misread(&mut lines, error).map_err(fail)?);
                continue;
            }
        };
        let mut row = Row {
            line: record.position().map_or(0, |place| lines.of_record(place.byte())),
            cells: &record,
            header: &header,
            faults: &mut faults,
        };
        if record.len() != header.names.len() {
            row.ragged();
            continue;
        }
        // Copied rows would tell that measuring again gives the same to the last digit.
        if let Some(first) = seen.insert(record.iter().map(str::to_owned).collect(), row.line) {
            let problem = format!(
                "every cell is that of line {first}; remove the copy, or give the table a column that tells measurements apart"
            );
            row.fault(plan.latency, problem);
            continue;
        }
        let (architecture, latency_ms) = (plan.architecture(&mut row), plan.latency_ms(&mut row));
        let (Some(architecture), Some(latency_ms)) = (architecture, latency_ms) else {
            continue;
        };
        let text = space.canonical_text(&architecture);
        let digest = Digest::of(text.as_bytes());
        let replicate = replicates.entry(digest.clone()).and_modify(|r| *r += 1).or_default();
        measurements.push(Measurement {
            space: space.name().to_owned(),
            architecture: text,
            digest,
            replicate: *replicate,
            latency_ms,
            space_definition: Some(definition.clone()),
            ..of_import(source.file, hardware, &sha256, &columns.latency, row.line)
        });
    }
    if measurements.is_empty() && faults.is_empty() {
        return Err(ImportError::NoRows { file: file() });
    }
    Ok(Rows {
        file: file(),
        measurements,
        faults,
    })
}

/// The fault of a row that is no text; other errors are those of the table.
fn misread(lines: &mut Lines<'_>, error: csv::Error) -> Result<Fault, csv::Error> {
    match error.kind() {
        csv::ErrorKind::Utf8 { pos, err } => Ok(Fault {
            line: pos.as_ref().map_or(0, |place| lines.of_record(place.byte())),
            column: None,
            problem: format!("not UTF-8: {err}; save the table as UTF-8"),
        }),
        _ => Err(error),
    }
}

/// Tables do not tell when they were measured, and importing one again must give the same records.
const UNKNOWN_TIME: &str = "1970-01-01T00:00:00Z";

/// What measurements of a file say of how they came to be; what they are of, and what was measured, is still to be told.
pub(super) fn of_import(file: &str, hardware: &HardwareName, sha256: &Digest, column: &str, line: u64) -> Measurement {
    Measurement {
        hardware: hardware.clone(),
        space: String::new(),
        architecture: String::new(),
        digest: Digest::of(&[]),
        replicate: 0,
        latency_ms: f64::NAN,
        statistic: "as imported".into(),
        protocol: json!({ "imported_from": file, "sha256": sha256, "column": column, "line": line }),
        samples: Vec::new(),
        load_average: 0.0,
        drift: false,
        flags: vec!["imported".into()],
        measured_at: UNKNOWN_TIME.into(),
        process: format!("import of {file}"),
        energy_j: None,
        conditions: None,
        reference: None,
        worker: None,
        space_definition: None,
        network: None,
    }
}

struct Header<'a> {
    source: &'a Source<'a>,
    /// The table without its mark.
    text: &'a [u8],
    names: StringRecord,
}

impl Header<'_> {
    /// The number of a column, of which there must be one of that name.
    fn find(&self, column: &str) -> Result<usize, ImportError> {
        let mut found = (0..self.names.len()).filter(|at| &self.names[*at] == column);
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (Some(first), Some(second)) => Err(ImportError::TwoColumns {
                file: self.source.file.to_owned(),
                column: column.to_owned(),
                places: (first + 1, second + 1),
            }),
            (None, _) => Err(ImportError::NoColumn {
                file: self.source.file.to_owned(),
                column: column.to_owned(),
                columns: self.names.iter().map(str::to_owned).collect(),
                delimiter: self.source.notation.delimiter.of_header(self.text, column),
            }),
        }
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
        let column = Some(self.header.names.get(column).unwrap_or_default().to_owned());
        let line = self.line;
        self.faults.push(Fault { line, column, problem });
    }

    /// Says that there are more or fewer cells than columns, so that none can be told to be of which.
    fn ragged(&mut self) {
        let (cells, columns) = (count(self.cells.len(), "cell"), self.header.names.len());
        self.faults.push(Fault {
            line: self.line,
            column: None,
            problem: format!(
                "{cells}, and the header has {columns}; a cell with {} in it stands in double quotes",
                self.header.source.notation.delimiter
            ),
        });
    }

    fn decimal(&self) -> Decimal {
        self.header.source.notation.decimal
    }

    /// Demands that cells of a layer past the depth say that there is none.
    fn leaves_out(&mut self, columns: [usize; 2], depth: u32, absent: &str) {
        for column in columns {
            let cell = self.cell(column);
            if !is_nothing(cell, absent, self.decimal()) {
                let cell = Excerpt::of(cell);
                let problem = format!("`{cell}`, but a depth of {depth} leaves this layer out; write `{absent}`");
                self.fault(column, problem);
            }
        }
    }

    /// A whole number among those allowed; `3.0` is one, as data frames with gaps write it.
    fn choice(&mut self, column: usize, allowed: &[u32]) -> Option<u32> {
        let (cell, decimal) = (self.cell(column), self.decimal());
        let number = decimal.number(cell);
        let value = number.and_then(|n| allowed.iter().copied().find(|a| f64::from(*a) == n));
        if value.is_none() {
            let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
            let (cell, advice) = (Excerpt::of(cell), decimal.advice(cell));
            let problem = format!("`{cell}` is not one of {}{advice}", allowed.join(", "));
            self.fault(column, problem);
        }
        value
    }
}

/// Where each value is, by column index.
struct Plan<'a> {
    spaces: &'a Spaces,
    space: &'a SearchSpace,
    architecture: ArchitecturePlan<'a>,
    latency: usize,
    unit_ms: f64,
}

enum ArchitecturePlan<'a> {
    Whole(usize),
    Parts {
        chain: &'a ChainSpace,
        resolution: usize,
        blocks: Vec<BlockColumns>,
        /// What must stand where there is no layer.
        absent: Option<&'a str>,
    },
}

struct BlockColumns {
    depth: usize,
    /// Kernel and expansion.
    layers: Vec<(usize, usize)>,
}

impl<'a> Plan<'a> {
    fn new(
        header: &Header<'_>,
        columns: &'a Columns,
        spaces: &'a Spaces,
        space: &'a SearchSpace,
    ) -> Result<Self, ImportError> {
        let architecture = match &columns.architecture {
            ArchitectureColumns::Whole(column) => ArchitecturePlan::Whole(header.find(column)?),
            ArchitectureColumns::Parts {
                resolution,
                depth,
                kernel,
                expansion,
                absent,
            } => {
                let chain = space.chain().ok_or_else(|| ImportError::NoChain {
                    space: space.name().to_owned(),
                })?;
                let blocks = chain.blocks.iter().enumerate().map(|(b, block)| {
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
                    chain,
                    resolution: header.find(resolution)?,
                    blocks: blocks.collect::<Result<_, ImportError>>()?,
                    absent: absent.as_deref(),
                }
            }
        };
        Ok(Self {
            spaces,
            space,
            architecture,
            latency: header.find(&columns.latency)?,
            unit_ms: columns.unit.in_ms(),
        })
    }

    fn latency_ms(&self, row: &mut Row<'_>) -> Option<f64> {
        let cell = row.cell(self.latency);
        let Some(value) = row.decimal().number(cell).map(|value| value * self.unit_ms) else {
            let advice = row.decimal().advice(cell);
            let problem = format!("`{}` is no number{advice}", Excerpt::of(cell));
            row.fault(self.latency, problem);
            return None;
        };
        match plausible::latency_ms("latency_ms", value) {
            Ok(()) => Some(value),
            Err(error) => {
                let problem = format!("`{}` is no latency: {error}", Excerpt::of(cell));
                row.fault(self.latency, problem);
                None
            }
        }
    }

    fn architecture(&self, row: &mut Row<'_>) -> Option<Architecture> {
        let (spaces, space) = (self.spaces, self.space);
        match &self.architecture {
            ArchitecturePlan::Whole(column) => {
                let cell = row.cell(*column);
                spaces
                    .architecture(space, &Value::String(cell.to_owned()))
                    .map_err(|error| row.fault(*column, error.to_string()))
                    .ok()
            }
            ArchitecturePlan::Parts {
                chain,
                resolution,
                blocks,
                absent,
            } => {
                let before = row.faults.len();
                let choices = &chain.choices;
                let side = row.choice(*resolution, &choices.resolution);
                let (mut depths, mut kernels, mut expansions) = (Vec::new(), Vec::new(), Vec::new());
                for (block, columns) in chain.blocks.iter().zip(blocks) {
                    let depth = row.choice(columns.depth, &block.depth).unwrap_or(0);
                    depths.push(depth);
                    for (layer, (kernel, expansion)) in columns.layers.iter().enumerate() {
                        if layer < depth as usize {
                            kernels.extend(row.choice(*kernel, &choices.kernel));
                            expansions.extend(row.choice(*expansion, &choices.expansion));
                            continue;
                        }
                        // Nothing is said of absent layers where the depth itself is at fault.
                        if let Some(absent) = absent.filter(|_| depth > 0) {
                            row.leaves_out([*kernel, *expansion], depth, absent);
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

//! `lglp dataset`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use lglp_engine::datasets::{
    Addition, Columns, DatasetFolder, Decimal, Delimiter, Fault, GraphColumns, IMPORTED, Intent, Notation, Rows,
    Source, addition, read, read_graphs, rows_of,
};
use lglp_registry::{BATCH_SIZE, HardwareName, NewHardware, ONNX, Registry};
use lglp_sdk::count;
use lglp_terminal::{actor, whole};
use serde_json::json;

use super::Context;
use super::intervention::Why;

/// Move measurements between registries and files
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp dataset export --hardware my-box datasets/my-box\n  \
    lglp dataset import datasets/xeon-1t\n  \
    lglp dataset import measured.csv --hardware phone --space mobilenetv3     # columns architecture, latency_ms\n  \
    lglp dataset import ofa.csv --hardware titan-xp-b64 --space ofa-mobilenetv3 --batch 64 \\\n    \
        --columns catalog/imports/once-for-all.toml --latency lat_ms__titan_xp_64\n  \
    lglp dataset import mobilenetv2s.jsonl --hardware cortex-a76 \\\n    \
        --columns catalog/imports/nn-meter.toml --latency cortexA76cpu_tflite21   # nn-Meter's dataset\n  \
    lglp dataset delete --hardware phone --space mobilenetv3 --reason 'seconds taken as milliseconds'\n  \
    lglp dataset import sheet.csv --hardware phone --space mobilenetv3 --delimiter ';' --decimal ','\n\n\
    A folder holds hardware.json and, for each search space, SPACE.jsonl with one measurement a line. A table has a header;\n\
    its latencies are milliseconds per batch unless the file of columns says otherwise.")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Import a folder, a table (.csv), or networks with their graphs (.jsonl); what is there already is left as it is, and nothing is half imported
    Import(Import),
    /// Delete the measurements of a hardware target in one space; versions and frozen datasets stay
    Delete {
        #[arg(long, value_name = "NAME")]
        hardware: HardwareName,
        #[arg(long)]
        space: String,
        #[command(flatten)]
        why: Why,
    },
    /// Export every measurement of a hardware target
    Export {
        #[arg(long, value_name = "NAME")]
        hardware: HardwareName,
        folder: PathBuf,
    },
}

#[derive(clap::Args)]
struct Import {
    /// A folder that `lglp dataset export` wrote, a table (.csv), or a file with a network's graph and latencies on each line (.jsonl).
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Hardware target of a table's latencies; created where there is none of that name.
    #[arg(long, value_name = "NAME")]
    hardware: Option<HardwareName>,
    /// Search space of a table's architectures.
    #[arg(long)]
    space: Option<String>,
    /// Which column holds what (see catalog/imports/); without it, `architecture` and `latency_ms`.
    #[arg(long, value_name = "FILE")]
    columns: Option<PathBuf>,
    /// Column of the latencies.
    #[arg(long, value_name = "COLUMN")]
    latency: Option<String>,
    /// What stands between cells: ',' where it is left out; ';', '|', or the word tab.
    #[arg(long, value_name = "MARK")]
    delimiter: Option<Delimiter>,
    /// What stands before the fraction of a number: '.' where it is left out, or ','.
    #[arg(long, value_name = "MARK")]
    decimal: Option<Decimal>,
    /// Leave out rows that cannot be read, and say which, and why; without it they keep the whole table out.
    #[arg(long)]
    skip_bad_rows: bool,
    /// Images a batch that the latencies are of.
    #[arg(long, value_name = "N", value_parser = whole::<u32>().range(1..))]
    batch: Option<u32>,
    /// Add rows of which none is recorded yet to a target that has measurements.
    #[arg(long)]
    add: bool,
    /// Where rows differ from what is recorded, they are right, and why: the recorded ones are excluded.
    #[arg(long, value_name = "REASON")]
    correct: Option<String>,
    /// What the latencies were measured on, in words, for the fingerprint.
    #[arg(long, value_name = "TEXT")]
    device: Option<String>,
}

impl Import {
    /// Whether something is said that only tables need.
    fn is_of_a_table(&self) -> bool {
        let what = self.hardware.is_some() || self.space.is_some() || self.batch.is_some() || self.device.is_some();
        let written =
            self.columns.is_some() || self.latency.is_some() || self.delimiter.is_some() || self.decimal.is_some();
        what || written || self.skip_bad_rows || self.add || self.correct.is_some()
    }

    /// How the table is written.
    fn notation(&self) -> Notation {
        let usual = Notation::default();
        Notation {
            delimiter: self.delimiter.unwrap_or(usual.delimiter),
            decimal: self.decimal.unwrap_or(usual.decimal),
        }
    }
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.action {
        Action::Import(import) if import.path.is_dir() => import_folder(context, import),
        Action::Import(import) => import_file(context, import),
        Action::Delete { hardware, space, why } => {
            let store = context.registry("dataset")?.store;
            let deleted = store.delete_measurements(hardware, space, &why.intervention())?;
            println!("{hardware}: {} of {space} deleted", count(deleted, "measurement"));
            Ok(())
        }
        Action::Export { hardware, folder } => {
            let store = context.registry("dataset")?.store;
            for (path, written) in DatasetFolder::write(&*store, hardware, folder)? {
                println!("{}: {}", path.display(), count(written, "measurement"));
            }
            Ok(())
        }
    }
}

fn import_folder(context: &Context, import: &Import) -> anyhow::Result<()> {
    anyhow::ensure!(
        !import.is_of_a_table(),
        "{} is a folder, which says itself what it holds; the options of `lglp dataset import` are for tables",
        import.path.display()
    );
    let folder = DatasetFolder::read(&import.path, &context.spaces()?)
        .with_context(|| format!("{} is no dataset", import.path.display()))?;
    let store = context.registry_or_new("dataset")?.store;
    let fresh = folder.record(&*store, &actor())?;
    said(&folder.hardware.name, folder.measurements.len(), fresh, &[]);
    Ok(())
}

/// Whether a file is one of graphs, by its name.
fn is_of_graphs(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"))
}

fn is_a_table(path: &Path) -> String {
    let path = path.display();
    format!("{path} is no folder, so it is read as a table: give --hardware and --space")
}

/// The measurements of a table, or of a file of graphs, of the target and space.
fn rows_of_file(context: &Context, import: &Import, hardware: &HardwareName) -> anyhow::Result<(String, Rows)> {
    let path = &import.path;
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let bytes = || std::fs::read(path).with_context(|| path.display().to_string());
    if is_of_graphs(path) {
        let columns = import.columns.as_deref().context(
            "a file of graphs needs --columns, which tells what its operators are; of nn-Meter: --columns catalog/imports/nn-meter.toml",
        )?;
        anyhow::ensure!(
            import.space.is_none(),
            "a file of graphs holds networks of no space; leave --space out"
        );
        let columns = GraphColumns::load(columns, import.latency.as_deref())?;
        return Ok((ONNX.to_owned(), read_graphs(&file, &bytes()?, &columns, hardware)?));
    }
    let space = import.space.as_ref().with_context(|| is_a_table(path))?;
    let columns = Columns::load(import.columns.as_deref(), import.latency.as_deref())?;
    let spaces = context.spaces()?;
    let source = Source {
        file: &file,
        bytes: &bytes()?,
        notation: import.notation(),
    };
    Ok((
        space.clone(),
        read(&source, &columns, &spaces, spaces.get(space)?, hardware)?,
    ))
}

fn import_file(context: &Context, import: &Import) -> anyhow::Result<()> {
    let hardware = import.hardware.as_ref().with_context(|| is_a_table(&import.path))?;
    let (space, rows) = rows_of_file(context, import, hardware)?;
    let (measurements, left_out) = match import.skip_bad_rows {
        true => rows.without_bad()?,
        false => (rows.all()?, Vec::new()),
    };
    let (rows, store) = (measurements.len(), context.registry_or_new("dataset")?.store);
    let intent = Intent {
        add: import.add,
        correct: import.correct.as_deref(),
    };
    let target = target(&*store, import, hardware)?;
    let Addition { fresh, exclusions, .. } = addition(&*store, hardware, &space, measurements, intent)?;
    if let Some(target) = target {
        store.put_hardware(&target, &actor())?;
    }
    let recorded = store.record_measurements(&fresh, &actor())?;
    let corrected = store.exclude_measurements(hardware, &exclusions, &actor())?;
    said(hardware, rows, recorded, &left_out);
    if corrected > 0 {
        println!(
            "{} recorded before {} corrected, and excluded from now on",
            count(corrected, "measurement"),
            if corrected == 1 { "is" } else { "are" }
        );
    }
    Ok(())
}

/// The target of a table, where there is none yet. One that is there must be of the same device, as far as it is said.
fn target(store: &dyn Registry, import: &Import, hardware: &HardwareName) -> anyhow::Result<Option<NewHardware>> {
    let there = match store.hardware(hardware) {
        Ok(there) => there,
        Err(lglp_registry::Error::NotFound { .. }) => {
            let settings = import.batch.map(|batch| (BATCH_SIZE.to_owned(), json!(batch)));
            return Ok(Some(NewHardware {
                name: hardware.clone(),
                runtime: IMPORTED.into(),
                settings: settings.into_iter().collect(),
                fingerprint: json!({ "device": import.device }),
                reference: None,
                by_workers: false,
            }));
        }
        Err(error) => return Err(error.into()),
    };
    let elsewhere = format!("import it under another name than `{hardware}`");
    anyhow::ensure!(
        there.runtime == IMPORTED,
        "`{hardware}` was measured by {}; {elsewhere}",
        there.runtime
    );
    let device = there.fingerprint["device"].as_str();
    if let Some(asked) = import.device.as_deref().filter(|asked| Some(*asked) != device) {
        anyhow::bail!("`{hardware}` is {device:?}, not {asked:?}; {elsewhere}");
    }
    let batch = there.batch_size();
    if let Some(asked) = import.batch.filter(|asked| Some(u64::from(*asked)) != batch) {
        anyhow::bail!(
            "`{hardware}` has a batch size of {}, not {asked}; {elsewhere}",
            batch.unwrap_or(1)
        );
    }
    Ok(None)
}

fn said(hardware: &HardwareName, measurements: usize, fresh: usize, left_out: &[Fault]) {
    let rows = match rows_of(left_out) {
        0 => String::new(),
        some => format!("; {} left out:", count(some, "row")),
    };
    println!(
        "{hardware}: {}, {fresh} of them new{rows}",
        count(measurements, "measurement")
    );
    for fault in left_out {
        println!("  {fault}");
    }
}

//! `lglp dataset`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use lglp_registry::{Digest, HardwareName, NewHardware, Store};
use serde_json::json;

use super::Context;
use super::context::actor;
use crate::datasets::{Columns, DatasetFolder, Source, read};

/// Move measurements between registries and files
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp dataset export --hardware my-box datasets/my-box\n  \
    lglp dataset import datasets/xeon-1t\n  \
    lglp dataset import measured.csv --hardware phone --space mobilenetv3     # columns architecture, latency_ms\n  \
    lglp dataset import ofa.csv --hardware titan-xp-b64 --space ofa-mobilenetv3 --batch 64 \\\n    \
        --columns imports/once-for-all.toml --latency lat_ms__titan_xp_64\n\n\
    A folder holds hardware.json and, for each search space, SPACE.jsonl with one measurement a line. A table has a header;\n\
    its latencies are milliseconds per batch unless the file of columns says otherwise.")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Import a folder, or a table (.csv); what is there already is left as it is, and nothing is half imported
    Import(Import),
    /// Export every measurement of a hardware target
    Export {
        #[arg(long, value_name = "NAME")]
        hardware: HardwareName,
        folder: PathBuf,
    },
}

#[derive(clap::Args)]
struct Import {
    /// A folder that `lglp dataset export` wrote, or a table (.csv).
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Hardware target of a table's latencies; created where there is none of that name.
    #[arg(long, value_name = "NAME")]
    hardware: Option<HardwareName>,
    /// Search space of a table's architectures.
    #[arg(long)]
    space: Option<String>,
    /// Which column holds what (see imports/); without it, `architecture` and `latency_ms`.
    #[arg(long, value_name = "FILE")]
    columns: Option<PathBuf>,
    /// Column of the latencies.
    #[arg(long, value_name = "COLUMN")]
    latency: Option<String>,
    /// Images a batch that the latencies are of.
    #[arg(long, value_name = "N")]
    batch: Option<u32>,
    /// What the latencies were measured on, in words, for the fingerprint.
    #[arg(long, value_name = "TEXT")]
    device: Option<String>,
}

pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.action {
        Action::Import(import) if import.path.is_dir() => import_folder(context, import),
        Action::Import(import) => import_table(context, import),
        Action::Export { hardware, folder } => {
            let store = context.registry("dataset")?.store;
            for (path, count) in DatasetFolder::write(&*store, &context.spaces()?, hardware, folder)? {
                println!("{}: {count} measurements", path.display());
            }
            Ok(())
        }
    }
}

fn import_folder(context: &Context, import: &Import) -> anyhow::Result<()> {
    anyhow::ensure!(
        import.hardware.is_none() && import.space.is_none() && import.columns.is_none() && import.latency.is_none(),
        "{} is a folder, which says itself what it holds; --hardware, --space, --columns and --latency are for tables",
        import.path.display()
    );
    let folder = DatasetFolder::read(&import.path, &context.spaces()?)
        .with_context(|| format!("{} is no dataset", import.path.display()))?;
    let store = context.registry("dataset")?.store;
    let fresh = folder.record(&*store, &actor())?;
    said(&folder.hardware.name, folder.measurements.len(), fresh);
    Ok(())
}

fn import_table(context: &Context, import: &Import) -> anyhow::Result<()> {
    let path = &import.path;
    let (Some(hardware), Some(space)) = (&import.hardware, &import.space) else {
        anyhow::bail!(
            "{} is no folder, so it is read as a table: give --hardware and --space",
            path.display()
        );
    };
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let columns = Columns::load(import.columns.as_deref(), import.latency.as_deref())?;
    let spaces = context.spaces()?;
    let source = Source {
        file: &file,
        bytes: &bytes,
    };
    let measurements = read(&source, &columns, spaces.get(space)?, hardware)?;
    let store = context.registry("dataset")?.store;
    put_target(&*store, import, hardware, path, &bytes)?;
    let fresh = store.record_measurements(&measurements, &actor())?;
    said(hardware, measurements.len(), fresh);
    Ok(())
}

/// Creates the target of a table. Latencies of another source under its name are refused: they may be of another device.
fn put_target(
    store: &dyn Store,
    import: &Import,
    hardware: &HardwareName,
    path: &Path,
    bytes: &[u8],
) -> anyhow::Result<()> {
    let settings = import.batch.map(|batch| ("batch_size".to_owned(), json!(batch)));
    let new = NewHardware {
        name: hardware.clone(),
        runtime: "imported".into(),
        settings: settings.into_iter().collect::<BTreeMap<_, _>>(),
        fingerprint: json!({
            "device": import.device,
            "imported_from": path.file_name().unwrap_or_default().to_string_lossy(),
            "sha256": Digest::of(bytes),
        }),
        reference: None,
        by_workers: false,
    };
    store
        .put_hardware(&new, &actor())
        .with_context(|| format!("import it under another name than `{hardware}`"))?;
    Ok(())
}

fn said(hardware: &HardwareName, measurements: usize, fresh: usize) {
    println!("{hardware}: {measurements} measurements, {fresh} of them new");
}

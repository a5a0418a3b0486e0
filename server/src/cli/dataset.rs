//! `lglp dataset`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use lglp_registry::{HardwareName, Measurement, NewHardware, Store};

use super::Context;
use super::context::actor;

/// Move measurements between registries, as folders of text files
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp dataset export --hardware my-box datasets/my-box\n  \
    lglp dataset import datasets/xeon-1t\n\n\
    A folder holds hardware.json and, for each search space, SPACE.jsonl with one measurement a line.")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Import a folder; what is there already is left as it is, and nothing is half imported
    Import { folder: PathBuf },
    /// Export every measurement of a hardware target
    Export {
        #[arg(long, value_name = "NAME")]
        hardware: HardwareName,
        folder: PathBuf,
    },
}

pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let store = context.registry("dataset")?.store;
    match &args.action {
        Action::Import { folder } => import(&*store, context, folder),
        Action::Export { hardware, folder } => export(&*store, context, hardware, folder),
    }
}

const HARDWARE: &str = "hardware.json";

fn import(store: &dyn Store, context: &Context, folder: &Path) -> anyhow::Result<()> {
    let path = folder.join(HARDWARE);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} is no dataset: {}", folder.display(), path.display()))?;
    let hardware: NewHardware = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let spaces = context.spaces()?;
    let mut measurements: Vec<Measurement> = Vec::new();
    for space in spaces.iter() {
        let path = folder.join(format!("{}.jsonl", space.name));
        if !path.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let place = || format!("{}, line {}", path.display(), i + 1);
            let measurement: Measurement = serde_json::from_str(line).with_context(place)?;
            anyhow::ensure!(
                measurement.hardware == hardware.name,
                "{}: hardware is `{}`",
                place(),
                measurement.hardware
            );
            let architecture = space
                .architecture_from_text(&measurement.architecture)
                .with_context(place)?;
            let canonical = space.canonical_text(&architecture);
            anyhow::ensure!(
                canonical == measurement.architecture,
                "{}: the architecture's canonical text is {canonical}",
                place()
            );
            measurement.check().with_context(place)?;
            measurements.push(measurement);
        }
    }
    store.put_hardware(&hardware, &actor())?;
    let fresh = store.record_measurements(&measurements)?;
    println!(
        "{}: {} measurements, {fresh} of them new",
        hardware.name,
        measurements.len()
    );
    Ok(())
}

fn export(store: &dyn Store, context: &Context, name: &HardwareName, folder: &Path) -> anyhow::Result<()> {
    let target = store.hardware(name)?;
    let hardware = NewHardware {
        name: target.name,
        runtime: target.runtime,
        settings: target.settings,
        fingerprint: target.fingerprint,
        reference: target.reference,
    };
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    write(
        &folder.join(HARDWARE),
        &format!("{}\n", serde_json::to_string_pretty(&hardware)?),
    )?;
    for space in context.spaces()?.iter() {
        let measurements = store.measurements(name, &space.name, None)?;
        if measurements.is_empty() {
            continue;
        }
        let mut lines = String::new();
        for measurement in &measurements {
            lines += &serde_json::to_string(measurement)?;
            lines.push('\n');
        }
        let path = folder.join(format!("{}.jsonl", space.name));
        write(&path, &lines)?;
        println!("{}: {} measurements", path.display(), measurements.len());
    }
    Ok(())
}

/// Replaces a file as a whole, so that an interrupted export leaves the old one.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let partial = path.with_extension("partial");
    let place = || path.display().to_string();
    std::fs::write(&partial, text).with_context(place)?;
    std::fs::rename(&partial, path).with_context(place)
}

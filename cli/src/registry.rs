//! `lglp registry`.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;
use indicatif::{BinaryBytes, ProgressBar, ProgressStyle};
use lglp_registry::{Manifest, SledStore, check_backup};
use lglp_sdk::count;
use lglp_terminal::{actor, print_json, table, when, whole};

use super::Context;

/// Back up, restore and check the registry; remove blobs that nothing names
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp registry backup lglp-2026-01-31.tar\n  \
    lglp registry restore lglp-2026-01-31.tar --registry /srv/lglp/registry\n  \
    lglp registry verify\n  \
    lglp registry gc --dry-run\n\n\
    All but restore work while a server runs: changes wait only while the records are read, predictions never.")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Write everything of one moment into one file, and read it back
    Backup {
        /// File that must not exist yet.
        file: PathBuf,
    },
    /// Make the registry of a backup, in the folder of --registry, which must be empty or missing
    Restore { file: PathBuf },
    /// Read every record, hash every blob, check the audit log; lists all that is wrong
    Verify,
    /// Remove the blobs that nothing names: left by trainings that were cut off
    Gc {
        /// Say what would be removed, and remove nothing.
        #[arg(long)]
        dry_run: bool,
        /// Keep blobs that were put within this time: a training puts blobs before the version that names them.
        #[arg(long, value_name = "HOURS", default_value_t = 1, value_parser = whole::<u32>())]
        keep_hours: u32,
    },
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    match &args.action {
        Action::Backup { file } => backup(context, file),
        Action::Restore { file } => restore(context, file),
        Action::Verify => verify(context),
        Action::Gc { dry_run, keep_hours } => collect(context, *dry_run, *keep_hours),
    }
}

/// A bar of bytes, or a count of them where the whole is not known.
fn bar(total: Option<u64>, doing: &'static str) -> anyhow::Result<ProgressBar> {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{msg} {bar:30} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} eta {eta}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{msg} {spinner} {binary_bytes} {binary_bytes_per_sec} {elapsed}",
        ),
    };
    bar.enable_steady_tick(Duration::from_millis(100));
    Ok(bar
        .with_style(ProgressStyle::with_template(template)?)
        .with_message(doing))
}

fn backup(context: &Context, file: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(!file.exists(), "{} exists already; give another name", file.display());
    let store = context.registry("registry backup")?.store;
    let partial = partial(file)?;
    let written = write_backup(&*store, &partial);
    let manifest = match written.and_then(|()| read_back(&partial)) {
        Ok(manifest) => manifest,
        Err(error) => {
            let _ = fs::remove_file(&partial);
            return Err(error);
        }
    };
    fs::rename(&partial, file).with_context(|| format!("cannot rename {}", partial.display()))?;
    let folder = std::path::absolute(file)?
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default();
    let synced = File::open(&folder).and_then(|folder| folder.sync_all());
    synced.with_context(|| format!("cannot sync {}", folder.display()))?;
    said(context, file, &manifest)
}

/// Beside the file, so that it can be renamed to it.
fn partial(file: &Path) -> anyhow::Result<PathBuf> {
    let mut name = file.file_name().context("the backup needs a file's name")?.to_owned();
    name.push(".partial");
    Ok(file.with_file_name(name))
}

fn write_backup(store: &dyn lglp_registry::Registry, partial: &Path) -> anyhow::Result<()> {
    // It holds the hashes of tokens: for its owner alone.
    let options = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(partial);
    let file = options.with_context(|| format!("cannot create {}", partial.display()))?;
    let bar = bar(None, "writing")?;
    let mut out = bar.wrap_write(BufWriter::new(&file));
    store.backup(&mut out)?;
    let synced = out.flush().and_then(|()| file.sync_all());
    bar.finish_and_clear();
    synced.with_context(|| format!("cannot write {}", partial.display()))
}

/// Checks what was written against its manifest: a backup that was never read is a hope.
fn read_back(partial: &Path) -> anyhow::Result<Manifest> {
    let (file, bar) = open(partial, "checking")?;
    let manifest = check_backup(&mut bar.wrap_read(BufReader::new(file)))?;
    bar.finish_and_clear();
    Ok(manifest)
}

fn open(path: &Path, doing: &'static str) -> anyhow::Result<(File, ProgressBar)> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let bar = bar(Some(file.metadata()?.len()), doing)?;
    Ok((file, bar))
}

fn restore(context: &Context, path: &Path) -> anyhow::Result<()> {
    let (file, bar) = open(path, "restoring")?;
    let manifest = SledStore::restore(context.registry_folder(), &mut bar.wrap_read(BufReader::new(file)))?;
    bar.finish_and_clear();
    said(context, context.registry_folder(), &manifest)
}

fn said(context: &Context, place: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    if context.json() {
        return print_json(manifest);
    }
    println!(
        "{}: {} and {} of {}, {}; the audit log ends with {}",
        place.display(),
        count(manifest.records.count, "record"),
        count(manifest.blobs.len(), "blob"),
        when(&manifest.created_at),
        BinaryBytes(manifest.bytes()),
        manifest.audit
    );
    Ok(())
}

fn verify(context: &Context) -> anyhow::Result<()> {
    let registry = context.registry("registry verify")?;
    // A server tells of no progress.
    let bar = bar(registry.server().is_none().then_some(0), "verifying")?;
    let verification = registry.store.verify(&|done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    if context.json() {
        print_json(&verification)?;
    } else {
        println!(
            "{}, {}, {}",
            count(verification.records, "record"),
            count(verification.blobs, "blob"),
            BinaryBytes(verification.bytes)
        );
        if let Some(head) = &verification.audit {
            println!("the audit log ends with {head}");
        }
        if !verification.findings.is_empty() {
            let mut rows = table(&["what", "fault"]);
            for finding in &verification.findings {
                rows.add_row([&finding.subject, &finding.fault]);
            }
            println!("{rows}");
        }
    }
    match verification.findings.len() {
        0 => Ok(()),
        1 => anyhow::bail!("the registry is damaged in one place"),
        places => anyhow::bail!("the registry is damaged in {places} places"),
    }
}

fn collect(context: &Context, dry_run: bool, keep_hours: u32) -> anyhow::Result<()> {
    let store = context.registry("registry gc")?.store;
    let keep = Duration::from_secs(u64::from(keep_hours) * 3600);
    let collected = store.collect_blobs(keep, dry_run, &actor())?;
    if context.json() {
        return print_json(&collected);
    }
    let done = if dry_run { "would be removed" } else { "removed" };
    println!(
        "{} {done}, {}",
        count(collected.count, "blob"),
        BinaryBytes(collected.bytes)
    );
    Ok(())
}

//! `lglp models export`.

use std::io::ErrorKind;
use std::path::PathBuf;

use lglp_registry::{Digest, HardwareName};
use lglp_sdk::count;
use lglp_server::bundles::{Bundle, export_to};
use lglp_terminal::{print_json, whole};

use crate::Context;

/// Write a version into one checksummed file, to import it elsewhere
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp models export --hardware xeon-1t 3 -o xeon-1t-3.lglp\n\n\
    The file holds the model, its dataset, its training log and everything that is recorded of it. The same version gives the\n\
    same bytes; keep the SHA-256 that is printed, to import by it. docs/bundles.md has the layout.")]
pub(super) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    #[arg(value_parser = whole::<u32>())]
    version: u32,
    /// The file to write.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry("models")?;
    let bytes = registry.operations.export_version(&args.hardware, args.version)?;
    // It is read as the importing server will.
    let digest: Digest = Bundle::read(&bytes)?.digest;
    let shown = args.output.display();
    export_to(&args.output, &bytes, args.force).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow::anyhow!("{shown} is there already; give another name, or --force"),
        _ => anyhow::anyhow!("cannot write {shown}: {error}"),
    })?;
    if context.json() {
        return print_json(&serde_json::json!({
            "file": args.output, "sha256": digest, "bytes": bytes.len(),
        }));
    }
    println!(
        "{shown}: {} version {}, {}",
        args.hardware,
        args.version,
        count(bytes.len(), "byte")
    );
    println!("SHA-256 {}", digest.hex());
    Ok(())
}

//! `lglp models import`.

use std::path::PathBuf;

use anyhow::Context as _;
use lglp_openapi::bundles::ImportQuery;
use lglp_registry::{Digest, HardwareName};
use lglp_server::api::{BODY_LIMIT, too_large_for_http};
use lglp_server::bundles::{Bundle, BundleError};
use lglp_terminal::{actor, print_json, short};

use crate::Context;

/// Import a version that `lglp models export` wrote
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp models import xeon-1t-3.lglp\n  \
    lglp models import xeon-1t-3.lglp --sha256 $(cat xeon-1t-3.sha256)    # the file that was meant, and no other\n  \
    lglp models import xeon-1t-3.lglp --hardware lab-xeon                 # under another name\n\n\
    Everything is checked first: every checksum, that the hardware target is the same machine (it is created where there is none\n\
    of its name), that the search space is defined alike, that the plugins are the very files that the version was fitted with;\n\
    and the model is loaded and has to predict. Importing the same file again gives the same version. Import only what comes\n\
    from people you trust: checksums tell damage, not who wrote a file, and plugins read its content.")]
pub(super) struct Args {
    /// The bundle.
    file: PathBuf,
    /// Hardware target to import to [default: the one that it was exported from].
    #[arg(long, value_name = "NAME")]
    hardware: Option<HardwareName>,
    /// SHA-256 that the file must have.
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    sha256: Option<Digest>,
    /// Import although plugins are others than the version was fitted with, if the model passes its self-test.
    #[arg(long)]
    accept_other_plugins: bool,
}

/// 64 hex digits, with `sha256:` before them or without.
fn digest(text: &str) -> lglp_registry::Result<Digest> {
    Digest::from_hex(text.strip_prefix("sha256:").unwrap_or(text))
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let shown = args.file.display();
    let bytes = std::fs::read(&args.file).with_context(|| shown.to_string())?;
    let found = Digest::of(&bytes);
    if let Some(expected) = args.sha256.clone().filter(|expected| *expected != found) {
        return Err(BundleError::OtherDigest { expected, found }).with_context(|| shown.to_string());
    }
    let bundle = Bundle::read(&bytes).with_context(|| shown.to_string())?;
    let there = bundle.manifest.version.clone();
    let hardware = args.hardware.clone().unwrap_or_else(|| there.hardware.clone());
    let query = ImportQuery {
        accept_other_plugins: args.accept_other_plugins,
        actor: actor(),
    };
    let registry = match context.served()? {
        Some(served) => {
            anyhow::ensure!(bytes.len() <= BODY_LIMIT, too_large_for_http());
            served
        }
        None => {
            // Whoever lacks what it needs makes no registry.
            context.environment()?;
            context.registry_or_new("models")?
        }
    };
    let version = registry.operations.import_version(&hardware, bytes, query)?;
    if context.json() {
        return print_json(&version);
    }
    println!(
        "{} version {} ({}) is {} version {} ({}) of {shown}; put it to use with:",
        version.hardware,
        version.version,
        short(version.digest.as_str()),
        there.hardware,
        there.version,
        short(there.digest.as_str())
    );
    println!("  lglp promote --hardware {} {}", version.hardware, version.version);
    Ok(())
}

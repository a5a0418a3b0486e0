//! `lglp models import`.

use std::path::PathBuf;

use anyhow::Context as _;
use lglp_client::Method;
use lglp_engine::predictor::ServedModel;
use lglp_openapi::bundles::ImportQuery;
use lglp_registry::{Digest, HardwareName, Quota, Version};
use lglp_server::api::{BODY_LIMIT, too_large_for_http};
use lglp_server::bundles::{Bundle, BundleError, Importer, Terms};
use lglp_terminal::{actor, print_json, short};

use crate::Context;
use crate::context::Opened;

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
    let terms = Terms {
        hardware: args.hardware.clone().unwrap_or_else(|| there.hardware.clone()),
        accept_other_plugins: args.accept_other_plugins,
        actor: actor(),
        quota: Quota::NONE,
    };
    let version: Version = match context.served()?.and_then(Opened::into_server) {
        Some(server) => {
            anyhow::ensure!(bytes.len() <= BODY_LIMIT, too_large_for_http());
            let query = serde_urlencoded::to_string(ImportQuery {
                accept_other_plugins: terms.accept_other_plugins,
                actor: terms.actor,
            })?;
            let path = format!("/v1/{}/models/import?{query}", terms.hardware);
            serde_json::from_slice(&server.bytes(Method::POST, &path, bytes)?)?
        }
        None => {
            let (host, spaces) = (context.plugins()?, context.spaces()?);
            let importer = Importer {
                store: &*context.registry_or_new("models")?.store,
                host: &host,
                spaces: &spaces,
                try_out: &|target, version, state| {
                    Ok(ServedModel::from_state(&host, &spaces, target, version, &state).map(drop)?)
                },
            };
            importer.import(&bundle, &terms)?.version
        }
    };
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

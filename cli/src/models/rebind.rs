//! `lglp models rebind`.

use lglp_openapi::rebind::RebindRequest;
use lglp_registry::HardwareName;
use lglp_sdk::count;
use lglp_terminal::{actor, print_json, short, whole};

use crate::Context;

/// Make a version of another with the builds of its plugins that are there now, if they predict the same
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp models rebind --hardware xeon-1t 3\n  \
    lglp models rebind --hardware xeon-1t 3 --tolerance 1e-6 && lglp promote --hardware xeon-1t 4\n\n\
    Versions go on with the builds of plugins that they were fitted with, which are kept in the registry's folder.")]
pub(super) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    #[arg(value_parser = whole::<u32>())]
    version: u32,
    /// How far a prediction may lie from what it was, relative to it: 0.001 at most.
    #[arg(long, value_name = "SHARE", default_value_t = RebindRequest::default().tolerance)]
    tolerance: f64,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry("models")?;
    let request = RebindRequest {
        tolerance: args.tolerance,
    };
    let rebound = registry
        .operations
        .rebind(&args.hardware, args.version, &request, &actor())?;
    if context.json() {
        return print_json(&rebound);
    }
    println!(
        "version {} is version {} with these builds; on {} it predicts the same within {:.1e}",
        rebound.version,
        rebound.rebound_from,
        count(rebound.compared, "architecture"),
        rebound.largest_difference
    );
    for used in &rebound.plugins {
        println!(
            "  {} `{}`: {} {}",
            used.kind,
            used.component,
            used.plugin,
            short(used.sha256.as_str())
        );
    }
    Ok(())
}

//! `lglp rollback`.

use lglp_registry::{AliasName, HardwareName, Registry, Rollback};
use lglp_terminal::{actor, print_json};

use super::Context;

/// Move an alias, `production` unless told otherwise, back to the version it pointed at before
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp rollback --hardware xeon-1t --reason '4 is off on deep networks'\n  \
    lglp rollback --hardware xeon-1t                 # once more goes back further\n\n\
    No gate is asked. A server has the version still loaded: the next request is answered by it.")]
pub(crate) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    #[arg(long, default_value = "production")]
    alias: AliasName,
    /// For the audit log.
    #[arg(long, default_value = "")]
    reason: String,
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry("rollback")?;
    let store: &dyn Registry = &*registry.store;
    let seen = store.alias(&args.hardware, &args.alias)?;
    let moved = registry.operations.roll_back(
        &args.hardware,
        &Rollback {
            alias: args.alias.clone(),
            expected_generation: Some(seen.generation.into()),
            actor: actor(),
            reason: args.reason.clone(),
            idempotency_key: None,
        },
    )?;
    if context.json() {
        return print_json(&moved);
    }
    println!(
        "{} of {} is version {} again, instead of {} (move {})",
        moved.name, args.hardware, moved.version, seen.version, moved.generation
    );
    Ok(())
}

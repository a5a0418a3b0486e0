//! `lglp promote`.

use std::sync::Arc;

use lglp_registry::{AliasMove, AliasName, Error, HardwareName, Store};

use super::Context;
use super::context::actor;
use super::table::print_json;
use crate::serving::Serving;

/// Move an alias, `production` unless told otherwise, to a version
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp promote --hardware xeon-1t 3\n  \
    lglp promote --hardware xeon-1t 2 --reason 'roll back: 3 is worse on deep networks'\n  \
    lglp promote --hardware xeon-1t 4 --alias candidate")]
pub struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    #[arg(long, default_value = "production")]
    alias: AliasName,
    /// For the audit log.
    #[arg(long, default_value = "")]
    reason: String,
    version: u32,
}

pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry("promote")?;
    if registry.server.is_none() {
        // As a server does before it moves an alias: a version that cannot be loaded must not be promoted.
        let (host, spaces) = (Arc::new(context.plugins()?), Arc::new(context.spaces()?));
        let serving = Serving::for_command(registry.store.clone(), host, spaces)?;
        serving.load_blocking(&args.hardware, args.version)?;
    }
    let store: &dyn Store = &*registry.store;
    let expected_generation = match store.alias(&args.hardware, &args.alias) {
        Ok(alias) => alias.generation,
        Err(Error::NotFound { .. }) => 0,
        Err(error) => return Err(error.into()),
    };
    let moved = store.move_alias(
        &args.hardware,
        &AliasMove {
            alias: args.alias.clone(),
            version: args.version,
            expected_generation,
            actor: actor(),
            reason: args.reason.clone(),
        },
    )?;
    if context.json() {
        return print_json(&moved);
    }
    println!(
        "{} of {} is version {} (move {})",
        moved.name, args.hardware, moved.version, moved.generation
    );
    Ok(())
}

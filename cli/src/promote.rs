//! `lglp promote`.

use lglp_registry::{AliasMove, AliasName, Error, Forecast, HardwareName, Registry};
use lglp_terminal::{actor, print_json, whole};

use super::Context;
use super::gate::verdict_table;

/// Move an alias, `production` unless told otherwise, to a version
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp promote --hardware xeon-1t 3\n  \
    lglp promote --hardware xeon-1t 3 --dry-run            # what would the gate say?\n  \
    lglp promote --hardware xeon-1t 4 --alias candidate\n\n\
    `lglp rollback` goes back.")]
pub(crate) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    #[arg(long, default_value = "production")]
    alias: AliasName,
    /// For the audit log.
    #[arg(long, default_value = "")]
    reason: String,
    /// Promote although the gate refuses; needs a reason, and the role admin where there are tokens.
    #[arg(long, requires = "reason")]
    force: bool,
    /// Say what would happen, rule by rule, and do nothing.
    #[arg(long)]
    dry_run: bool,
    #[arg(value_parser = whole::<u32>())]
    version: u32,
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry("promote")?;
    let store: &dyn Registry = &*registry.store;
    let expected_generation = match store.alias(&args.hardware, &args.alias) {
        Ok(alias) => alias.generation,
        Err(Error::NotFound { .. }) => 0,
        Err(error) => return Err(error.into()),
    };
    let order = AliasMove {
        alias: args.alias.clone(),
        version: args.version,
        expected_generation: expected_generation.into(),
        actor: actor(),
        reason: args.reason.clone(),
        force: args.force,
        idempotency_key: None,
    };
    if args.dry_run {
        return forecast(context, args, &store.forecast_move(&args.hardware, &order)?);
    }
    let moved = registry.operations.move_alias(&args.hardware, &order)?;
    if context.json() {
        return print_json(&moved);
    }
    println!(
        "{} of {} is version {} (move {})",
        moved.name, args.hardware, moved.version, moved.generation
    );
    Ok(())
}

/// Says what a promotion would do.
fn forecast(context: &Context, args: &Args, forecast: &Forecast) -> anyhow::Result<()> {
    if context.json() {
        return print_json(forecast);
    }
    let from = forecast
        .from
        .map_or_else(|| "nothing".to_owned(), |version| format!("version {version}"));
    let would = match (forecast.moves, forecast.forced) {
        (true, true) => "would move by force",
        (true, false) => "would move",
        (false, _) => "would NOT move",
    };
    println!(
        "{} of {} {would} from {from} to version {}",
        args.alias, args.hardware, forecast.to
    );
    match &forecast.verdict {
        Some(verdict) => println!("{}", verdict_table(verdict)),
        None => println!("no gate is asked"),
    }
    Ok(())
}

//! `lglp models`.

mod diff;
mod export;
mod import;
mod lineage;
mod list;
mod rebind;
mod show;

use anyhow::Context as _;
use clap::Subcommand;
use lglp_registry::HardwareName;
use lglp_terminal::whole;

use super::Context;

/// List the versions of a hardware target, show one; compare, trace, export and import versions
#[derive(clap::Args)]
#[command(
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  \
        lglp models --hardware xeon-1t              # every version\n  \
        lglp models --hardware xeon-1t 3            # one: how good it is, and what it was made of\n  \
        lglp models lineage --hardware xeon-1t 3    # what it follows from, and who promoted it\n  \
        lglp models diff --hardware xeon-1t 3 4     # how two differ\n  \
        lglp models export --hardware xeon-1t 3 -o xeon-1t-3.lglp\n  \
        lglp models import xeon-1t-3.lglp\n  \
        lglp models rebind --hardware xeon-1t 3     # the same with other builds of its plugins"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Hardware target.
    #[arg(long, value_name = "NAME", required = true)]
    hardware: Option<HardwareName>,
    /// Show this version; with --json, all of it.
    #[arg(value_parser = whole::<u32>())]
    version: Option<u32>,
}

#[derive(Subcommand)]
enum Action {
    Lineage(lineage::Args),
    Diff(diff::Args),
    Export(export::Args),
    Import(import::Args),
    Rebind(rebind::Args),
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.action.is_none() || (args.hardware.is_none() && args.version.is_none()),
        "--hardware and versions stand behind the subcommand, as in `lglp models diff --hardware NAME 3 4`"
    );
    match &args.action {
        Some(Action::Lineage(args)) => lineage::run(context, args),
        Some(Action::Diff(args)) => diff::run(context, args),
        Some(Action::Export(args)) => export::run(context, args),
        Some(Action::Import(args)) => import::run(context, args),
        Some(Action::Rebind(args)) => rebind::run(context, args),
        None => {
            let hardware = args.hardware.as_ref().context("give --hardware NAME")?;
            match args.version {
                Some(number) => show::run(context, hardware, number),
                None => list::run(context, hardware),
            }
        }
    }
}

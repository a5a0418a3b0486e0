//! `lglp hardware`.

use clap::Subcommand;
use lglp_engine::host::PluginHost;
use lglp_engine::measure::{Difference, Setup, difference, fingerprint, is_at_hand};
use lglp_registry::{HardwareName, HardwareTarget, Registry};
use lglp_sdk::Printable;
use lglp_terminal::{print_json, table};

use super::Context;
use super::intervention::Why;

/// List hardware targets, and which of them this machine can measure; `lglp measure` and `lglp dataset import` create them
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
    lglp hardware\n  \
    lglp hardware rename xoen-1t xeon-1t --reason 'misspelt'\n  \
    lglp hardware delete phone --reason 'imported with seconds as milliseconds'\n\n\
    What is in production is left alone unless forced. The audit log tells of both, and keeps what it told before. They need the\n\
    role admin where there are tokens."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Give a target another name, which its measurements, versions and aliases take over
    Rename {
        #[arg(value_name = "NAME")]
        hardware: HardwareName,
        #[arg(value_name = "NEW-NAME")]
        to: HardwareName,
        #[command(flatten)]
        why: Why,
    },
    /// Delete a target with its measurements, datasets, versions, aliases and reports
    Delete {
        #[arg(value_name = "NAME")]
        hardware: HardwareName,
        #[command(flatten)]
        why: Why,
    },
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let store = context.registry("hardware")?.store;
    match &args.action {
        None => list(context, &*store),
        Some(Action::Rename { hardware, to, why }) => {
            store.rename_hardware(hardware, to, &why.intervention())?;
            println!("{hardware} is called {to} from now on");
            Ok(())
        }
        Some(Action::Delete { hardware, why }) => {
            store.delete_hardware(hardware, &why.intervention())?;
            println!("{hardware} is deleted; `lglp registry gc` frees the disk of what nothing else names");
            Ok(())
        }
    }
}

fn list(context: &Context, store: &dyn Registry) -> anyhow::Result<()> {
    let targets = store.hardware_targets()?;
    if context.json() {
        return print_json(&targets);
    }
    let mut rows = table(&[
        "hardware",
        "runtime",
        "settings",
        "machine",
        "reference ms",
        "production",
        "runtime here",
    ]);
    // What a runtime needs is looked for where the machine is the target's; an unusable plugin folder is a reason as well.
    let host = targets.iter().any(is_at_hand).then(|| context.plugins());
    let mut reasons = Vec::new();
    for target in targets {
        let reason = match &host {
            _ if !is_at_hand(&target) => Some("another machine".to_owned()),
            Some(Ok(host)) => unavailable(host, &target),
            Some(Err(error)) => Some(error.to_string()),
            None => None,
        };
        let here = if reason.is_some() { "no" } else { "ok" };
        reasons.extend(reason.map(|reason| format!("{}: not measured here: {reason}", target.name)));
        let production = store
            .aliases(&target.name)?
            .into_iter()
            .find(|a| a.name.as_str() == "production");
        let settings: Vec<String> = target.settings.iter().map(|(k, v)| format!("{k} {v}")).collect();
        rows.add_row([
            target.name.to_string(),
            target.runtime,
            settings.join(", "),
            target.fingerprint["cpu"].as_str().unwrap_or_default().to_owned(),
            target
                .reference
                .map_or_else(String::new, |r| format!("{:.2}", r.latency_ms)),
            production.map_or_else(|| "none".into(), |a| format!("version {}", a.version)),
            here.to_owned(),
        ]);
    }
    println!("{rows}");
    for reason in reasons {
        println!("{}", Printable::of(reason));
    }
    Ok(())
}

/// Why this machine, which is the target's, cannot measure for it: something is missing, or is another than it was.
fn unavailable(host: &PluginHost, target: &HardwareTarget) -> Option<String> {
    let described = Setup::of_target(target)
        .on(host)
        .and_then(|runtime| runtime.open())
        .and_then(|runtime| runtime.describe());
    match described {
        Err(error) => Some(error.to_string()),
        Ok(description) => {
            let Difference { fact, there, here } = difference(target, &fingerprint(&description))?;
            Some(format!("its {fact} is {there}, this one's is {here}"))
        }
    }
}

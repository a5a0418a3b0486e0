//! `lglp traffic`.

use std::str::FromStr;

use lglp_registry::{Agreement, Alias, AliasName, HardwareName, SetTraffic, Share, Traffic};
use lglp_terminal::{actor, print_json, table};
use serde_json::json;

use super::Context;

/// Show or set who else predicts what production is asked: a shadow, to be compared, or a canary, to answer
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp traffic --hardware xeon-1t                               # who, and how far they agree with production\n  \
    lglp traffic --hardware xeon-1t --shadow candidate=100% --reason 'try version 2'\n  \
    lglp traffic --hardware xeon-1t --canary candidate=10% --reason 'it agrees'\n  \
    lglp traffic --hardware xeon-1t --no-canary --no-shadow --reason 'promoted'\n\n\
    An architecture belongs to a share by its digest: the same one always gets the same version.")]
pub(crate) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Let an alias answer a share of the architectures that production is asked for, e.g. candidate=10%.
    #[arg(long, value_name = "ALIAS=SHARE", value_parser = share)]
    canary: Option<Share>,
    /// Let an alias predict a share of the architectures that production is asked for, e.g. candidate=100%.
    #[arg(long, value_name = "ALIAS=SHARE", value_parser = share)]
    shadow: Option<Share>,
    /// End the canary.
    #[arg(long, conflicts_with = "canary")]
    no_canary: bool,
    /// End the shadow.
    #[arg(long, conflicts_with = "shadow")]
    no_shadow: bool,
    /// For the audit log.
    #[arg(long, default_value = "")]
    reason: String,
}

impl Args {
    fn changes(&self) -> bool {
        self.canary.is_some() || self.shadow.is_some() || self.no_canary || self.no_shadow
    }
}

/// `candidate=10%` or `candidate=0.1`.
fn share(text: &str) -> Result<Share, String> {
    let how = "expected ALIAS=SHARE, e.g. candidate=10%";
    let (alias, share) = text.split_once('=').ok_or(how)?;
    let number = |text: &str| f64::from_str(text).map_err(|_| how.to_owned());
    let share = match share.strip_suffix('%') {
        Some(percent) => number(percent)? / 100.0,
        None => number(share)?,
    };
    let alias = alias.parse().map_err(|error: lglp_registry::Error| error.to_string())?;
    Ok(Share { alias, share })
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry("traffic")?;
    let store = &*registry.store;
    let mut traffic = store.traffic(&args.hardware)?;
    if args.changes() {
        let keep = |new: &Option<Share>, end: bool, old: Option<Share>| new.clone().or(old.filter(|_| !end));
        let order = SetTraffic {
            canary: keep(&args.canary, args.no_canary, traffic.canary),
            shadow: keep(&args.shadow, args.no_shadow, traffic.shadow),
            expected_generation: traffic.generation.into(),
            actor: actor(),
            reason: args.reason.clone(),
        };
        traffic = registry.operations.set_traffic(&args.hardware, &order)?;
    }
    let agreements = store.agreements(&args.hardware)?;
    if context.json() {
        let mut shown = json!(traffic);
        shown["agreement"] = json!(agreements);
        return print_json(&shown);
    }
    print(&args.hardware, &traffic, &store.aliases(&args.hardware)?, &agreements);
    Ok(())
}

fn print(hardware: &HardwareName, traffic: &Traffic, aliases: &[Alias], agreements: &[Agreement]) {
    let version = |name: &AliasName| {
        let found = aliases.iter().find(|alias| alias.name == *name);
        found.map_or_else(|| "no version".to_owned(), |alias| format!("version {}", alias.version))
    };
    let line = |role: &str, share: &Option<Share>, does: &str| match share {
        None => println!("{hardware} has no {role}"),
        Some(Share { alias, share }) => {
            let version = version(alias);
            println!(
                "{role} of {hardware}: {alias} ({version}) {does} {} % of the architectures asked of production",
                percent(*share)
            );
        }
    };
    line("canary", &traffic.canary, "answers");
    line("shadow", &traffic.shadow, "also predicts");
    if agreements.is_empty() {
        return;
    }
    let mut rows = table(&[
        "production",
        "candidate",
        "compared",
        "mean difference",
        "mean size",
        "largest",
        "within 5 %",
        "within 10 %",
        "dropped",
        "failed",
    ]);
    for a in agreements {
        let of_all = |part: u64| format!("{} %", percent(part as f64 / a.n.max(1) as f64));
        rows.add_row([
            a.production.to_string(),
            a.candidate.to_string(),
            a.n.to_string(),
            format!("{:+.2} %", a.mean_relative * 100.0),
            format!("{:.2} %", a.mean_absolute_relative * 100.0),
            format!("{:.2} %", a.max_absolute_relative * 100.0),
            of_all(a.within_5),
            of_all(a.within_10),
            a.dropped.to_string(),
            a.failed.to_string(),
        ]);
    }
    println!("{rows}");
    let Some(last) = agreements.iter().rfind(|a| !a.most_different.is_empty()) else {
        return;
    };
    println!("where versions {} and {} differ most:", last.production, last.candidate);
    let mut rows = table(&["production ms", "candidate ms", "difference", "architecture"]).with_open_end();
    for one in &last.most_different {
        let difference = (one.candidate_ms - one.production_ms) / one.production_ms.abs() * 100.0;
        rows.add_row([
            format!("{:.2}", one.production_ms),
            format!("{:.2}", one.candidate_ms),
            format!("{difference:+.1} %"),
            one.architecture.clone(),
        ]);
    }
    println!("{rows}");
}

/// A share in percent, with as few digits as tell it.
fn percent(share: f64) -> String {
    let rounded = (share * 10_000.0).round() / 100.0;
    rounded.to_string()
}

//! `lglp hardware`.

use super::Context;
use super::table::{print_json, table};

/// List hardware targets; `lglp measure` and `lglp dataset import` create them
#[derive(clap::Args)]
pub struct Args {}

pub fn run(context: &Context, _: &Args) -> anyhow::Result<()> {
    let store = context.registry("hardware")?.store;
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
    ]);
    for target in targets {
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
        ]);
    }
    println!("{rows}");
    Ok(())
}

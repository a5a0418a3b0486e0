//! `lglp models --hardware NAME`.

use lglp_registry::{HardwareName, NewVersion};
use lglp_terminal::{print_json, short, table, when};

use crate::Context;

/// Lists the versions of a hardware target.
pub(super) fn run(context: &Context, hardware: &HardwareName) -> anyhow::Result<()> {
    let store = context.registry("models")?.store;
    let (versions, aliases) = (store.versions(hardware)?, store.aliases(hardware)?);
    if context.json() {
        return print_json(&serde_json::json!({ "versions": versions, "aliases": aliases }));
    }
    let mut rows = table(&[
        "version",
        "alias",
        "recipe",
        "r2",
        "mape %",
        "within 10 %",
        "created",
        "digest",
    ]);
    for version in &versions {
        let names: Vec<&str> = aliases
            .iter()
            .filter(|a| a.version == version.version)
            .map(|a| a.name.as_str())
            .collect();
        let metric = |name: &str, digits: usize| {
            let value = version.content.metrics.get(name);
            value.map_or_else(String::new, |v| format!("{v:.digits$}"))
        };
        rows.add_row([
            version.version.to_string(),
            names.join(", "),
            recipe(&version.content),
            metric("r2", 4),
            metric("mape", 2),
            metric("within_10", 1),
            when(&version.created_at),
            short(version.digest.as_str()).to_owned(),
        ]);
    }
    println!("{rows}");
    Ok(())
}

/// Its name, and what it predicts where that is not latency.
fn recipe(content: &NewVersion) -> String {
    let name = content.recipe["name"].as_str().unwrap_or_default();
    match content.quantity.is_latency() {
        true => name.to_owned(),
        false => format!("{name} ({})", content.quantity),
    }
}

//! `lglp models --hardware NAME VERSION`.

use lglp_openapi::lineage::SplitSizes;
use lglp_registry::{Alias, FittedNetworks, HardwareName, Version};
use lglp_sdk::count;
use lglp_server::lineage::split_sizes;
use lglp_terminal::{Facts, print_json, short, when};

use crate::Context;
use crate::accuracy::{metric, recorded_metrics};

/// Prints one version: what a person asks of it, or all of it as JSON.
pub(super) fn run(context: &Context, hardware: &HardwareName, number: u32) -> anyhow::Result<()> {
    let store = context.registry("models")?.store;
    let version = store.version(hardware, number)?;
    if context.json() {
        return print_json(&version);
    }
    let rows = store.dataset(hardware, &version.content.dataset)?.rows;
    println!("{}\n", facts(&version, &store.aliases(hardware)?, rows));
    println!(
        "{}",
        recorded_metrics(&version.content.metrics, version.content.quantity.unit())
    );
    println!("--json prints all of it, `lglp models lineage --hardware {hardware} {number}` what became of it");
    Ok(())
}

fn facts(version: &Version, aliases: &[Alias], rows: usize) -> Facts {
    let content = &version.content;
    let mut facts = Facts::default();
    facts.push("version", format!("{} of {}", version.version, version.hardware));
    let aliases = aliases.iter().filter(|alias| alias.version == version.version);
    let names: Vec<&str> = aliases.map(|alias| alias.name.as_str()).collect();
    facts.push_any("alias", (!names.is_empty()).then(|| names.join(", ")));
    facts.push("predicts", format!("{}, {}", content.quantity, content.quantity.unit()));
    let name = content.recipe["name"].as_str().unwrap_or_default();
    facts.push("recipe", format!("{name}, seed {}", content.seed));
    let dataset = short(content.dataset.as_str());
    let networks = content.networks.as_ref();
    let of_space = rows.saturating_sub(networks.map_or(0, |networks| networks.count));
    let architectures = count(of_space, "architecture");
    facts.push("dataset", format!("{architectures} of {} ({dataset})", content.space));
    let of_none = |networks: &FittedNetworks| {
        let error = networks.metrics.get("median_ape").copied().unwrap_or(f64::NAN);
        let told = metric("median_ape", error, "");
        format!(
            "{} of no space, each told by all others with a median error of {told}",
            networks.count
        )
    };
    facts.push_any("networks", networks.map(of_none));
    let split = |SplitSizes {
                     train,
                     validation,
                     test,
                 }| { format!("{train} to train on, {validation} to stop by, {test} to test on") };
    facts.push_any("split", split_sizes(content).map(split));
    for used in &content.plugins {
        let plugin = format!("{} of {} {}", used.component, used.plugin, used.version);
        facts.push(&used.kind, format!("{plugin} ({})", short(used.sha256.as_str())));
    }
    for origin in &content.imported {
        let there = format!("{} version {}", origin.hardware, origin.version);
        facts.push(
            "imported",
            format!("{there}, created {} by {}", when(&origin.created_at), origin.creator),
        );
    }
    facts.push(
        "created",
        format!("{} by {}", when(&version.created_at), content.creator),
    );
    facts.push("digest", version.digest.to_string());
    facts
}

//! `lglp models lineage`.

use lglp_openapi::lineage::{Happened, HistoryEntry, Lineage, PluginState, TracedPlugin};
use lglp_registry::{HardwareName, ONNX};
use lglp_sdk::count;
use lglp_terminal::{Tree, print_json, short, when, whole};

use crate::Context;
use crate::accuracy::metric;

/// Show what a version follows from, and what happened to it since
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp models lineage --hardware xeon-1t 3\n  \
    lglp models lineage --hardware xeon-1t 3 --json\n\n\
    Dataset, recipe, seed and the plugins that it was fitted with, each beside the one that is loaded now; the registries that it\n\
    was imported from; and from the audit log who made it and who moved which alias to it or away, when and why.")]
pub(super) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    #[arg(value_parser = whole::<u32>())]
    version: u32,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry("models")?;
    let found = registry.operations.lineage(&args.hardware, args.version)?;
    if context.json() {
        return print_json(&found);
    }
    println!("{}", tree(&found));
    Ok(())
}

fn tree(found: &Lineage) -> Tree {
    let leading_here = match found.aliases.is_empty() {
        true => String::new(),
        false => format!(", {}", found.aliases.join(", ")),
    };
    let mut tree = Tree::new(format!(
        "{} version {} ({}){leading_here}",
        found.hardware,
        found.version,
        short(&found.digest)
    ));
    if !found.imported.is_empty() {
        let steps = found.imported.iter().map(|step| {
            format!(
                "{} version {} ({}), created {} by {}; bundle {}",
                step.hardware,
                step.version,
                short(step.digest.as_str()),
                when(&step.created_at),
                step.creator,
                short(step.bundle.as_str())
            )
        });
        tree.push(Tree::of("imported", steps));
    }
    let dataset = &found.dataset;
    let frozen_by = found.dataset_frozen_by.as_ref();
    let mut rows = vec![format!(
        "frozen {}{}",
        when(&dataset.created_at),
        frozen_by.map_or_else(String::new, |by| format!(" by {by}"))
    )];
    if let Some(split) = &found.split {
        rows.push(format!(
            "{} training, {} early-stopping, {} test",
            split.train, split.validation, split.test
        ));
    }
    let rows_of = match &*dataset.space {
        ONNX => count(dataset.rows, "network"),
        space => format!("{} of {space}", count(dataset.rows, "architecture")),
    };
    tree.push(Tree::of(
        format!(
            "dataset {}: {rows_of}, {}",
            short(dataset.digest.as_str()),
            dataset.origin
        ),
        rows,
    ));
    let name = found.recipe["name"].as_str().unwrap_or_default();
    let title = found.recipe["title"].as_str().unwrap_or_default();
    let metrics = found
        .metrics
        .iter()
        .map(|(name, value)| format!("{name} {}", metric(name, *value, found.quantity.unit())));
    tree.push(Tree::of(
        format!("recipe {name}, seed {}", found.seed),
        [title.to_owned(), metrics.collect::<Vec<_>>().join(", ")],
    ));
    if !found.validations.is_empty() {
        let reports = found.validations.iter().map(|report| {
            let mape = report.metrics.get("mape");
            format!(
                "report {}: {}, mape {}, finished {} for {}",
                report.number,
                count(report.architectures, "architecture"),
                mape.map_or_else(
                    || "unknown".to_owned(),
                    |mape| metric("mape", *mape, found.quantity.unit())
                ),
                when(&report.finished_at),
                report.creator
            )
        });
        tree.push(Tree::of("validations", reports));
    }
    tree.push(Tree::of("plugins", found.plugins.iter().map(plugin)));
    tree.push(Tree::of(
        "history",
        found
            .history
            .iter()
            .map(|entry| step(entry, !found.imported.is_empty())),
    ));
    tree
}

fn plugin(traced: &TracedPlugin) -> String {
    let used = &traced.fitted_with;
    let now = match (traced.state, &traced.loaded_sha256) {
        (PluginState::Same, _) => "loaded here".to_owned(),
        (_, Some(other)) => format!("here it is another one ({})", short(other)),
        (_, None) => "missing here".to_owned(),
    };
    format!(
        "{} {}: {} {} ({}), {now}",
        used.kind,
        used.component,
        used.plugin,
        used.version,
        short(used.sha256.as_str())
    )
}

fn step(entry: &HistoryEntry, imported: bool) -> String {
    let what = match &entry.what {
        Happened::Created if imported => "imported".to_owned(),
        Happened::Created => "created".to_owned(),
        Happened::Validated { validation } => format!("validated, report {validation},"),
        Happened::AliasCame { alias, from: None, .. } => format!("{alias} set to it"),
        Happened::AliasCame {
            alias,
            from: Some(from),
            forced,
            rolled_back,
            ..
        } => {
            let how = match (rolled_back, forced) {
                (true, _) => "rolled back",
                (_, true) => "moved by force",
                _ => "moved",
            };
            format!("{alias} {how} to it from version {from}")
        }
        Happened::AliasLeft {
            alias,
            to,
            rolled_back: true,
            ..
        } => format!("{alias} rolled back to version {to}"),
        Happened::AliasLeft { alias, to, .. } => format!("{alias} moved on to version {to}"),
    };
    let reason = entry.reason.as_ref();
    format!(
        "{} {what} by {}{}",
        when(&entry.at),
        entry.actor,
        reason.map_or_else(String::new, |why| format!(": {why}"))
    )
}

//! `lglp explain`.

use std::path::PathBuf;

use anyhow::Context as _;
use lglp_openapi::explain::{ExplainRequest, Explanation};
use lglp_registry::HardwareName;
use lglp_sdk::{Printable, count};
use lglp_server::explain::picture;
use lglp_terminal::{print_json, table, whole};
use serde_json::Value;

use super::predict::measured_by;
use super::{Context, input};

/// Explain a prediction: what each layer takes, and what single changes would save
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp explain --hardware xeon-1t \"$(lglp sample --space mobilenetv3 --seed 7)\"\n  \
    lglp explain --hardware xeon-1t @architecture.json --model 2 --changes 30 --plot explained.svg\n  \
    lglp explain --hardware xeon-1t @architecture.json --json | jq '.operators[] | [.kind, .share]'")]
pub(crate) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Alias or version number.
    #[arg(long, default_value = "production")]
    model: String,
    /// Search space; the model knows its own.
    #[arg(long)]
    space: Option<String>,
    /// How many of the single changes to show, those that save most first.
    #[arg(long, default_value_t = 10, value_parser = whole::<usize>())]
    changes: usize,
    /// Draw what each layer takes and what these changes would save.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Canonical text, JSON, `@FILE` or `-`.
    #[arg(value_name = "ARCH")]
    architecture: String,
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let mut architectures = input::architectures(std::slice::from_ref(&args.architecture))?;
    anyhow::ensure!(
        architectures.len() == 1,
        "one architecture is explained at a time, and {} were given",
        architectures.len()
    );
    let request = ExplainRequest {
        space: args.space.clone(),
        architecture: architectures.remove(0),
        model: Some(Value::String(args.model.clone())),
    };
    let registry = context.registry("explain")?;
    let found = registry.operations.explain(&args.hardware, &request)?;
    if let Some(file) = &args.plot {
        std::fs::write(file, picture(&found, args.changes)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    if context.json() {
        return print_json(&found);
    }
    show(&found, args.changes);
    Ok(())
}

fn show(found: &Explanation, changes: usize) {
    let unit = &found.unit;
    let value = found
        .prediction
        .latency_ms
        .or(found.prediction.energy_j)
        .unwrap_or(f64::NAN);
    println!("{}", found.architecture);
    println!(
        "{value:.2} {unit} on {}, by version {} ({}) of {}\n",
        found.hardware,
        found.model.version,
        Printable::of(&found.model.recipe),
        measured_by(&found.runtime, found.batch_size)
    );

    let mut rows = table(&["block", "layer", unit, "share", ""]).with_numbers(1..=3);
    for layer in &found.layers {
        rows.add_row([
            layer.block.to_string(),
            layer.layer.to_string(),
            format!("{:.3}", layer.value),
            format!("{:.1} %", 100.0 * layer.share),
            bar(layer.share),
        ]);
    }
    let fixed = found.operators.iter().filter(|operator| operator.block == 0);
    for operator in fixed {
        rows.add_row([
            operator.kind.clone(),
            String::new(),
            format!("{:.3}", operator.value),
            format!("{:.1} %", 100.0 * operator.share),
            bar(operator.share),
        ]);
    }
    let share = found.rest / value;
    rows.add_row([
        "the rest".into(),
        String::new(),
        format!("{:.3}", found.rest),
        format!("{:.1} %", 100.0 * share),
        bar(share),
    ]);
    println!("{rows}\n");

    let saves = format!("saves {unit}");
    let mut rows = table(&["single change", &saves, "90 % interval", "would take"]);
    for change in found.changes.iter().take(changes) {
        let value = change
            .prediction
            .latency_ms
            .or(change.prediction.energy_j)
            .unwrap_or(f64::NAN);
        let interval = change.saving_interval.as_ref();
        rows.add_row([
            change.change.clone(),
            format!("{:.3}", change.saving),
            interval
                .map(|i| format!("{:.2} to {:.2}", i.low, i.high))
                .unwrap_or_default(),
            format!("{value:.2}"),
        ]);
    }
    println!("{rows}");
    if let Some(why) = found
        .changes
        .iter()
        .find_map(|change| change.no_saving_interval.as_ref())
    {
        println!("savings without an interval: {why}");
    }
    println!(
        "{} in all; --changes N shows more, --json all of them",
        count(found.changes.len(), "single change")
    );
}

/// A share as a bar of fifty characters for all.
fn bar(share: f64) -> String {
    "#".repeat((50.0 * share.clamp(0.0, 1.0)).round() as usize)
}

//! `lglp models diff`.

use lglp_openapi::lineage::{ComparedVersion, DataDifference, DiffQuery, ModelDiff, PredictionDifference};
use lglp_openapi::models::PluginUse;
use lglp_registry::HardwareName;
use lglp_sdk::{Printable, count};
use lglp_terminal::{print_json, short, table, when, whole};
use serde_json::Value;

use crate::Context;
use crate::accuracy::metric;

/// Show how two versions differ: recipe, plugins, data, metrics and predictions
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp models diff --hardware xeon-1t 3 4\n  \
    lglp models diff --hardware xeon-1t 3 4 --count 10000 --top 50 --json\n\n\
    Both versions predict the same architectures, those that `lglp sample` draws with the same --count and --seed. A relative\n\
    difference is |A - B| to the mean of |A| and |B|.")]
pub(super) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// The version A.
    #[arg(value_parser = whole::<u32>())]
    a: u32,
    /// The version B.
    #[arg(value_parser = whole::<u32>())]
    b: u32,
    /// Architectures that both predict, 1 to 10,000.
    #[arg(long, value_name = "N", default_value_t = DiffQuery::default().count, value_parser = whole::<usize>())]
    count: usize,
    /// Architectures to list, of those on which they differ most.
    #[arg(long, value_name = "N", default_value_t = DiffQuery::default().top, value_parser = whole::<usize>())]
    top: usize,
    /// Seed that the architectures are drawn by.
    #[arg(long, default_value_t = DiffQuery::default().seed, value_parser = whole::<u64>())]
    seed: u64,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let query = DiffQuery {
        count: args.count,
        top: args.top,
        seed: args.seed,
    };
    let registry = context.registry("models")?;
    let found = registry.operations.diff(&args.hardware, (args.a, args.b), &query)?;
    if context.json() {
        return print_json(&found);
    }
    print(&found);
    Ok(())
}

fn print(found: &ModelDiff) {
    let (a, b) = (&found.a, &found.b);
    let names = [format!("A: version {}", a.version), format!("B: version {}", b.version)];
    let beside = |first: &str| table(&[first, &names[0], &names[1]]);

    let mut rows = beside(&found.hardware);
    let split = |split: &Option<lglp_openapi::lineage::SplitSizes>| {
        split.map_or_else(String::new, |s| format!("{} / {} / {}", s.train, s.validation, s.test))
    };
    for (what, a, b) in [
        ("digest", short(&a.digest).to_owned(), short(&b.digest).to_owned()),
        ("recipe", a.recipe.clone(), b.recipe.clone()),
        ("seed", a.seed.to_string(), b.seed.to_string()),
        ("split", split(&a.split), split(&b.split)),
        ("created", when(&a.created_at), when(&b.created_at)),
        ("by", a.creator.clone(), b.creator.clone()),
    ] {
        rows.add_row([what.to_owned(), a, b]);
    }
    println!("{rows}\n");

    if found.recipe.is_empty() {
        println!("the recipes are the same\n");
    } else {
        let mut rows = beside("recipe");
        for place in &found.recipe {
            rows.add_row([place.pointer.clone(), leaf(place.a.as_ref()), leaf(place.b.as_ref())]);
        }
        println!("{rows}\n");
    }

    if found.plugins.is_empty() {
        println!("the plugins are the same\n");
    } else {
        let mut rows = beside("plugins");
        for kind in &found.plugins {
            rows.add_row([kind.kind.clone(), plugin(kind.a.as_ref()), plugin(kind.b.as_ref())]);
        }
        println!("{rows}\n");
    }

    println!("{}\n", data(&found.data));

    let mut rows = table(&["metric", &names[0], &names[1], "B - A"]).with_numbers(1..=3);
    let shown = |name: &str, value: Option<f64>, of: &ComparedVersion| {
        value.map_or_else(String::new, |value| metric(name, value, of.quantity.unit()))
    };
    for line in &found.metrics {
        let difference = line.difference.map_or_else(String::new, |d| {
            let sign = if d > 0.0 { "+" } else { "" };
            format!("{sign}{}", metric(&line.name, d, found.a.quantity.unit()))
        });
        rows.add_row([
            line.name.clone(),
            shown(&line.name, line.a, &found.a),
            shown(&line.name, line.b, &found.b),
            difference,
        ]);
    }
    println!("{rows}\n");

    match (&found.predictions, &found.not_compared) {
        (Some(predictions), _) => print_predictions(predictions),
        (None, reason) => println!(
            "their predictions cannot be compared: {}",
            Printable::of(reason.as_deref().unwrap_or_default())
        ),
    }
}

fn leaf(value: Option<&Value>) -> String {
    match value {
        None => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn plugin(used: Option<&PluginUse>) -> String {
    used.map_or_else(
        || "-".to_owned(),
        |used| {
            format!(
                "{} of {} {} ({})",
                used.component,
                used.plugin,
                used.version,
                short(used.sha256.as_str())
            )
        },
    )
}

fn data(data: &DataDifference) -> String {
    let mut lines = match data.a == data.b {
        true => vec![format!(
            "the dataset is the same: {}, {}",
            short(&data.a),
            count(data.both, "architecture")
        )],
        false => vec![format!(
            "datasets A {} and B {}: {} in both, {} only in A, {} only in B; another latency in B: {} of those in both",
            short(&data.a),
            short(&data.b),
            count(data.both, "architecture"),
            data.only_a,
            data.only_b,
            data.relabelled
        )],
    };
    if let Some(tested) = data.tested_on_both {
        lines.push(format!(
            "in the test parts of both, which the metrics are of: {}",
            count(tested, "architecture")
        ));
    }
    if !data.most_relabelled.is_empty() {
        let mut rows = table(&["A ms", "B ms", "measured otherwise"])
            .with_numbers(0..=1)
            .with_open_end();
        for row in &data.most_relabelled {
            rows.add_row([
                format!("{:.2}", row.a_ms),
                format!("{:.2}", row.b_ms),
                row.architecture.clone(),
            ]);
        }
        lines.push(rows.to_string());
    }
    lines.join("\n")
}

fn print_predictions(found: &PredictionDifference) {
    println!(
        "on {} (seed {}) they differ by {:.2} % in the mean, {:.2} % at most; Spearman {:.4}",
        count(found.architectures, "architecture"),
        found.seed,
        100.0 * found.mean_relative_difference,
        100.0 * found.max_relative_difference,
        found.spearman
    );
    if found.most_different.is_empty() {
        return;
    }
    let mut rows = table(&["A ms", "B ms", "differ by", "measured ms", "architecture"])
        .with_numbers(0..=3)
        .with_open_end();
    for row in &found.most_different {
        rows.add_row([
            format!("{:.2}", row.a_ms),
            format!("{:.2}", row.b_ms),
            format!("{:.1} %", 100.0 * row.relative_difference),
            row.measured_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.2}")),
            row.architecture.clone(),
        ]);
    }
    println!("{rows}");
}

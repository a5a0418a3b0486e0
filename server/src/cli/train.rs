//! `lglp train`.

use std::collections::BTreeMap;

use indicatif::{ProgressBar, ProgressStyle};
use lglp_openapi::jobs::TrainParameters;
use lglp_openapi::models::Quantity;
use lglp_registry::{HardwareName, JobKind};
use serde_json::json;

use super::Context;
use super::accuracy::{metrics_table, noise_floor};
use super::context::actor;
use super::jobs::submit;
use super::table::{print_json, short};
use crate::jobs::wanted;
use crate::predictor::{FitEvent, Recipe};
use crate::train::{Metrics, Trained, Training, TrainingData, summaries};

/// What can be predicted.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Wanted {
    /// Milliseconds.
    Latency,
    /// Joules; of measurements that tell them.
    Energy,
}

/// Train a recipe on a hardware target's measurements; makes a version
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp train --hardware xeon-1t\n  \
    lglp train --hardware xeon-1t --recipe lightgbm --seed 7\n  \
    lglp train --hardware xeon-1t --recipe lglp --seeds 5   # accuracy over 5 splits; makes no version\n  \
    lglp train --hardware xeon-1t --job   # in the server, in the background\n  \
    lglp train --hardware xeon-1t --target energy   # joules instead of milliseconds\n\n\
    Metrics are of the test part, a tenth of the rows that the model never saw.")]
pub struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Recipe, by the name of its file in the folder of recipes.
    #[arg(long, default_value = "additive")]
    recipe: String,
    #[arg(long, default_value = "mobilenetv3")]
    space: String,
    /// Seed of split and fit: the same gives the same metrics.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// What to predict, where that is to be another quantity than the recipe's; a recipe that learns it per
    /// multiply-accumulate still does.
    #[arg(long, value_enum, value_name = "QUANTITY")]
    target: Option<Wanted>,
    /// Train on this many splits, from --seed on, print mean and deviation, and keep none.
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// Leave it to the server, as a job, and return at once.
    #[arg(long, conflicts_with = "seeds")]
    job: bool,
}

pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry("train")?;
    let parameters = TrainParameters {
        recipe: args.recipe.clone(),
        space: args.space.clone(),
        seed: args.seed,
        target: args.target.map(|wanted| match wanted {
            Wanted::Latency => Quantity::Latency,
            Wanted::Energy => Quantity::Energy,
        }),
    };
    if args.job {
        return submit(context, &registry, JobKind::Train, &args.hardware, &parameters);
    }
    let store = &*registry.store;
    let recipe = wanted(&parameters, context.recipes_folder())?;
    let quantity = recipe.target.quantity();
    let spaces = context.spaces()?;
    let space = spaces.get(&args.space)?;
    let host = context.plugins()?;
    let data = TrainingData::measured(store, &args.hardware, space, quantity)?;
    let noise_floor = match quantity.is_latency() {
        true => noise_floor(store, &args.hardware, &space.name)?,
        false => None,
    };
    let training = Training {
        store,
        host: &host,
        space,
        hardware: &args.hardware,
        recipe: &recipe,
        seed: args.seed,
    };
    if let Some(count) = args.seeds {
        anyhow::ensure!(count >= 1, "--seeds must be 1 or more");
        let metrics = (args.seed..args.seed + count)
            .map(|seed| Ok(fit(&Training { seed, ..training }, &data)?.metrics))
            .collect::<anyhow::Result<Vec<_>>>()?;
        return report_seeds(context, &recipe, &metrics, noise_floor);
    }
    let trained = fit(&training, &data)?;
    let content = training.content(&data, &trained, &actor())?;
    let version = store.create_version(&args.hardware, &content, None)?;
    if context.json() {
        return print_json(&version);
    }
    let split = &trained.split;
    println!(
        "{} on {}: trained on {} architectures, stopped by {}, tested on {}",
        recipe.name,
        args.hardware,
        split.train.len(),
        split.validation.len(),
        split.test.len()
    );
    print_metrics(&[trained.metrics], quantity.unit(), noise_floor);
    println!(
        "version {} ({}); put it to use with:",
        version.version,
        short(version.digest.as_str())
    );
    let alias = match quantity.is_latency() {
        true => String::new(),
        false => format!(" --alias {quantity}"),
    };
    println!("  lglp promote --hardware {}{alias} {}", args.hardware, version.version);
    Ok(())
}

/// Fits with a bar of progress.
fn fit(training: &Training<'_>, data: &TrainingData) -> anyhow::Result<Trained> {
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{prefix:10} {bar:20} {pos}/{len} {per_sec} eta {eta} {wide_msg}",
    )?);
    let unit = training.recipe.target.unit();
    let mut component = String::new();
    let mut progress = |event: FitEvent<'_>| {
        if component != event.component {
            component = event.component.to_owned();
            bar.reset();
            bar.set_prefix(component.clone());
        }
        bar.set_length(event.progress.total);
        bar.set_position(event.progress.done);
        bar.set_message(format!(
            "validation RMSE {:.3} {unit}",
            event.progress.validation_mse.sqrt()
        ));
        true
    };
    let trained = training.fit(data, &mut progress)?;
    bar.finish_and_clear();
    Ok(trained)
}

fn report_seeds(
    context: &Context,
    recipe: &Recipe,
    metrics: &[Metrics],
    noise_floor: Option<String>,
) -> anyhow::Result<()> {
    if context.json() {
        let columns: BTreeMap<_, _> = summaries(metrics).into_iter().collect();
        return print_json(&json!({ "recipe": recipe.name, "seeds": metrics.len(), "metrics": columns }));
    }
    println!(
        "{} over {} splits, mean +- standard deviation on the test parts",
        recipe.name,
        metrics.len()
    );
    print_metrics(metrics, recipe.target.quantity().unit(), noise_floor);
    Ok(())
}

fn print_metrics(runs: &[Metrics], unit: &str, noise_floor: Option<String>) {
    println!("{}", metrics_table(runs, unit));
    if let Some(line) = noise_floor {
        println!("{line}");
    }
}

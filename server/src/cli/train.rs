//! `lglp train`.

use std::collections::BTreeMap;

use indicatif::{ProgressBar, ProgressStyle};
use lglp_registry::{Dataset, HardwareName, NewVersion, PluginUse, Store, Version};
use lglp_sdk::SearchSpace;
use serde_json::json;

use super::Context;
use super::accuracy::{metrics_table, noise_floor};
use super::context::actor;
use super::table::{print_json, short};
use crate::plugins::PluginHost;
use crate::predictor::{FitEvent, Recipe};
use crate::serving::golden;
use crate::train::{Metrics, Split, Trained, TrainingData, summaries, train};

/// Train a recipe on a hardware target's measurements; makes a version
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp train --hardware xeon-1t\n  \
    lglp train --hardware xeon-1t --recipe lightgbm --seed 7\n  \
    lglp train --hardware xeon-1t --recipe lglp --seeds 5   # accuracy over 5 splits; makes no version\n\n\
    Metrics are of the test part, a tenth of the rows that the model never saw.")]
pub struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Recipe, by the name of its file in the folder of recipes.
    #[arg(long, default_value = "lglp-per-mac")]
    recipe: String,
    #[arg(long, default_value = "mobilenetv3")]
    space: String,
    /// Seed of split and fit: the same gives the same metrics.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Train on this many splits, from --seed on, print mean and deviation, and keep none.
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
}

pub fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry("train")?;
    let store = &*registry.store;
    let recipe = Recipe::load(context.recipes_folder(), &args.recipe)?;
    let spaces = context.spaces()?;
    let space = spaces.get(&args.space)?;
    let host = context.plugins()?;
    let data = TrainingData::measured(store, &args.hardware, space)?;
    let noise_floor = noise_floor(store, &args.hardware, &space.name)?;
    let fit = |seed| fit(&recipe, &host, space, &data, seed);
    if let Some(count) = args.seeds {
        anyhow::ensure!(count >= 1, "--seeds must be 1 or more");
        let metrics = (args.seed..args.seed + count)
            .map(|seed| Ok(fit(seed)?.metrics))
            .collect::<anyhow::Result<Vec<_>>>()?;
        return report_seeds(context, &recipe, &metrics, noise_floor);
    }
    let trained = fit(args.seed)?;
    let dataset = data.freeze(store, &args.hardware, space, &actor())?;
    let version = keep(store, &args.hardware, &recipe, space, &dataset, args.seed, &trained)?;
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
    print_metrics(&[trained.metrics], noise_floor);
    println!(
        "version {} ({}); put it to use with:",
        version.version,
        short(version.digest.as_str())
    );
    println!("  lglp promote --hardware {} {}", args.hardware, version.version);
    Ok(())
}

fn fit(
    recipe: &Recipe,
    host: &PluginHost,
    space: &SearchSpace,
    data: &TrainingData,
    seed: u64,
) -> anyhow::Result<Trained> {
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{prefix:10} {bar:20} {pos}/{len} {per_sec} eta {eta} {wide_msg}",
    )?);
    let unit = recipe.target.unit();
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
    let split = Split::new(data.architectures.len(), seed)?;
    let trained = train(recipe, host, space, data, split, seed, &mut progress)?;
    bar.finish_and_clear();
    Ok(trained)
}

/// Makes a version: its blobs first, then the record that names them.
fn keep(
    store: &dyn Store,
    hardware: &HardwareName,
    recipe: &Recipe,
    space: &SearchSpace,
    dataset: &Dataset,
    seed: u64,
    trained: &Trained,
) -> anyhow::Result<Version> {
    let mut artifacts = BTreeMap::new();
    for (role, state) in trained.model.save()? {
        artifacts.insert(role, store.put_blob(&state)?);
    }
    let plugins = trained.model.plugins().iter().map(|p| {
        Ok(PluginUse {
            plugin: p.plugin.clone(),
            component: p.component.clone(),
            kind: serde_json::to_value(p.kind)?.as_str().unwrap_or_default().to_owned(),
            version: p.version.clone(),
            sha256: p.sha256.parse()?,
            state_version: p.state_version,
        })
    });
    let new = NewVersion {
        space: dataset.space.clone(),
        space_digest: format!("sha256:{}", space.digest()).parse()?,
        recipe: json!(recipe),
        dataset: dataset.digest.clone(),
        seed,
        split: json!({
            "train": trained.split.train, "validation": trained.split.validation, "test": trained.split.test,
        }),
        plugins: plugins.collect::<anyhow::Result<_>>()?,
        metrics: trained
            .metrics
            .entries()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        artifacts,
        training_log: store.put_blob(trained.log.as_bytes())?,
        residuals: trained.residuals.clone().into_vec(),
        training_range: json!(trained.range),
        creator: actor(),
        golden: golden(&trained.model, space)?,
    };
    Ok(store.create_version(hardware, &new, None)?)
}

fn report_seeds(
    context: &Context,
    recipe: &Recipe,
    metrics: &[Metrics],
    noise_floor: Option<String>,
) -> anyhow::Result<()> {
    if context.json() {
        let columns: BTreeMap<_, _> = summaries(metrics).into();
        return print_json(&json!({ "recipe": recipe.name, "seeds": metrics.len(), "metrics": columns }));
    }
    println!(
        "{} over {} splits, mean +- standard deviation on the test parts",
        recipe.name,
        metrics.len()
    );
    print_metrics(metrics, noise_floor);
    Ok(())
}

fn print_metrics(runs: &[Metrics], noise_floor: Option<String>) {
    println!("{}", metrics_table(runs));
    if let Some(line) = noise_floor {
        println!("{line}");
    }
}

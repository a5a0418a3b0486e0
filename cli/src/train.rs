//! `lglp train`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use lglp_engine::plots::{ErrorBars, Held, reliability};
use lglp_engine::predictor::{FitEvent, Recipe};
use lglp_engine::train::{self, Fitted, Metrics, Split, Summary, Trained, Training, TrainingData, Verdict, summaries};
use lglp_openapi::jobs::TrainParameters;
use lglp_openapi::models::Quantity;
use lglp_registry::{FittedNetworks, HardwareName, JobKind};
use lglp_sdk::count;
use lglp_server::jobs::{quantity, wanted};
use lglp_terminal::{Table, actor, print_json, short, table, whole};
use serde_json::json;

use super::Context;
use super::accuracy::{self, metrics_table, noise_floor};
use super::jobs::submit;

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
    lglp train --hardware xeon-1t   # with the recipe that suits the measurements best\n  \
    lglp train --hardware xeon-1t --recipe lightgbm --seed 7\n  \
    lglp train --hardware xeon-1t --recipe lglp --seeds 5   # accuracy over 5 splits; makes no version\n  \
    lglp train --hardware xeon-1t --seeds 10 --reliability held.svg   # and whether intervals hold what they promise\n  \
    lglp train --hardware xeon-1t --job   # in the server, in the background\n  \
    lglp train --hardware xeon-1t --target energy   # joules instead of milliseconds\n\n\
    Metrics are of the test part, a tenth of the rows that the model never saw.")]
pub(crate) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Recipe, by the name of its file in the folder of recipes. Left out, those that suit the data are compared by rows that they
    /// do not know, and the best is taken.
    #[arg(long)]
    recipe: Option<String>,
    /// Search space [default: the one that the target was measured in].
    #[arg(long, value_name = "NAME")]
    space: Option<String>,
    /// Seed of split and fit: the same gives the same metrics.
    #[arg(long, default_value_t = 0, value_parser = whole::<u64>())]
    seed: u64,
    /// What to predict, where that is to be another quantity than the recipe's; a recipe that learns it per
    /// multiply-accumulate still does.
    #[arg(long, value_enum, value_name = "QUANTITY")]
    target: Option<Wanted>,
    /// Train on this many splits, from --seed on, print mean and deviation, and keep none.
    #[arg(long, value_name = "N", value_parser = whole::<u64>().range(1..))]
    seeds: Option<u64>,
    /// Draw what intervals of each coverage hold of the test parts.
    #[arg(long, value_name = "FILE.svg", requires = "seeds")]
    reliability: Option<PathBuf>,
    /// Leave it to the server, as a job, and return at once.
    #[arg(long, conflicts_with = "seeds")]
    job: bool,
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
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
    let quantity = quantity(&parameters, context.recipes_folder())?;
    let spaces = context.spaces()?;
    let space = spaces.of_target(store, &args.hardware, args.space.as_deref())?;
    let host = context.plugins()?;
    let data = TrainingData::with_networks(store, &args.hardware, space, quantity)?;
    if data.counted_otherwise > 0 {
        eprintln!(
            "note: {} of {} left out, counted by other rules of its runtime than this release has: delete them (lglp dataset delete), and measure or \
             import them again",
            count(data.counted_otherwise, "network"),
            args.hardware
        );
    }
    let recipes = wanted(&parameters, context.recipes_folder(), data.labels.len())?;
    let noise_floor = match quantity.is_latency() {
        true => noise_floor(store, &args.hardware, space.name())?,
        false => None,
    };
    let training = Training {
        store,
        host: &host,
        space,
        hardware: &args.hardware,
        recipe: &recipes[0],
        seed: args.seed,
    };
    let Fitted {
        recipe,
        trained,
        compared,
    } = fit(&training, &recipes, &data)?;
    if let Some(compared) = compared.filter(|_| !context.json()) {
        println!("{}", compared_table(&compared));
    }
    let training = Training {
        recipe: &recipe,
        ..training
    };
    if let Some(splits) = args.seeds {
        let only = std::slice::from_ref(&recipe);
        let others = (args.seed + 1..args.seed + splits)
            .map(|seed| Ok(fit(&Training { seed, ..training }, only, &data)?.trained));
        let runs = std::iter::once(Ok(trained)).chain(others);
        let (metrics, shares): (Vec<_>, Vec<_>) = runs
            .map(|run| run.map(|trained| (trained.metrics, shares(&trained))))
            .collect::<anyhow::Result<Vec<_>>>()?
            .into_iter()
            .unzip();
        if let Some(file) = &args.reliability {
            let heading = format!("{} on {}, {}", recipe.name, args.hardware, count(splits, "split"));
            draw_reliability(file, &heading, &shares)?;
        }
        return report_seeds(context, &recipe, &metrics, noise_floor);
    }
    let content = training.content(&data, &trained, &actor())?;
    let version = store.create_version(&args.hardware, &content, None)?;
    if context.json() {
        return print_json(&version);
    }
    let split = &trained.split;
    println!(
        "{} on {}: {}",
        recipe.name,
        args.hardware,
        trained_on(split, trained.networks.as_ref())
    );
    print_metrics(&[trained.metrics], quantity.unit(), noise_floor);
    if trained.metrics.is_trivial() {
        println!("it is no better than multiply-accumulates times a constant: measure more, or take another recipe");
    }
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

/// What a model was fitted on, and how well it knows networks of no space.
fn trained_on(split: &Split, networks: Option<&FittedNetworks>) -> String {
    let of_space = format!(
        "{} training, {} early-stopping, {} test architectures",
        split.train.len(),
        split.validation.len(),
        split.test.len()
    );
    let Some(networks) = networks else { return of_space };
    let other = format!("{}, each told by all others", count(networks.count, "network"));
    if split.train.is_empty() {
        return other;
    }
    let metric = |name| accuracy::metric(name, networks.metrics.get(name).copied().unwrap_or(f64::NAN), "");
    format!(
        "{of_space}; and {other}: {} median error, {} within 10 %, {} mean error of multiply-accumulates times a constant",
        metric("median_ape"),
        metric("within_10"),
        metric("mac_mape")
    )
}

/// Coverages of a reliability diagram.
const COVERAGES: [f64; 12] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98];

/// What intervals of each coverage hold of a test part; none where there are no such intervals.
fn shares(trained: &Trained) -> Vec<Option<f64>> {
    COVERAGES.iter().map(|coverage| trained.held(*coverage)).collect()
}

fn draw_reliability(file: &Path, heading: &str, shares: &[Vec<Option<f64>>]) -> anyhow::Result<()> {
    let held = COVERAGES.iter().enumerate().filter_map(|(at, asked)| {
        let values: Option<Vec<f64>> = shares.iter().map(|run| run[at]).collect();
        let Summary { mean, sd, .. } = Summary::of(values?);
        Some(Held {
            asked: *asked,
            mean,
            deviation: sd,
        })
    });
    let held: Vec<Held> = held.collect();
    anyhow::ensure!(!held.is_empty(), "nothing to draw: there are no intervals");
    let drawn = reliability(heading, ErrorBars::StandardDeviation, &held)?;
    std::fs::write(file, drawn).with_context(|| format!("cannot write {}", file.display()))
}

/// Fits the only recipe, or the best of several, with a bar of progress.
fn fit(training: &Training<'_>, recipes: &[Recipe], data: &TrainingData) -> anyhow::Result<Fitted> {
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{prefix:10} {bar:20} {pos}/{len} {per_sec} eta {eta} {wide_msg}",
    )?);
    let mut component = String::new();
    let mut progress = |event: FitEvent<'_>| {
        if component != event.component {
            component = event.component.to_owned();
            bar.reset();
            bar.set_prefix(component.clone());
        }
        bar.set_length(event.progress.total);
        bar.set_position(event.progress.done);
        bar.set_message(event.error());
        true
    };
    let fitted = train::fit(training, recipes, data, &mut progress)?;
    bar.finish_and_clear();
    Ok(fitted)
}

/// The recipes that were compared, those first that are preferred where errors do not differ.
fn compared_table(verdicts: &[Verdict]) -> Table {
    let mut rows = table(&["recipe", "error of rows left out", "remark"]).with_numbers([1]);
    for verdict in verdicts {
        let gate = verdict.residual.map(|gate| match gate.is_open() {
            true => format!(
                "its residual lowers the error from {:.2} to {:.2} %",
                gate.without, gate.with
            ),
            false => "its residual does not help, and is left out".to_owned(),
        });
        let taken = verdict.taken.then(|| "taken".to_owned());
        let remarks: Vec<String> = taken.into_iter().chain(gate).collect();
        rows.add_row([&verdict.recipe, &format!("{:.2} %", verdict.mape), &remarks.join("; ")]);
    }
    rows
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
        "{} over {}, mean +- standard deviation on the test parts",
        recipe.name,
        count(metrics.len(), "split")
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

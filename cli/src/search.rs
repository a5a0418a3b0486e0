//! `lglp search`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use lglp_engine::plots::{Curves, Series};
use lglp_engine::search::{Candidate, Found, Score, Search};
use lglp_engine::train::cores;
use lglp_openapi::jobs::{SearchParameters, SearchScore};
use lglp_openapi::savings::SavingsQuery;
use lglp_registry::{HardwareName, JobKind};
use lglp_sdk::count;
use lglp_server::savings;
use lglp_server::serving::{ModelRef, Serving};
use lglp_terminal::{print_json, table, whole};
use serde_json::json;

use super::Context;
use super::jobs::submit;
use super::plot::write_lines;
use super::predict::measured_by;

/// What is built in.
#[derive(Clone, Copy, clap::ValueEnum)]
enum BuiltIn {
    /// Multiply-accumulates, millions: the more a network computes, the better.
    Macs,
    /// Weights and biases, millions.
    Parameters,
}

/// Search for networks that are fast and score well: the Pareto front, by evolution over predictions
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp search --hardware xeon-1t --max-ms 40\n  \
    lglp search --hardware xeon-1t --max-ms 40 --upper   # the upper end of each interval is to keep the limit\n  \
    lglp search --hardware xeon-1t --program 'python3 accuracy.py' --candidates 20000 --plot front.svg\n  \
    lglp search --hardware xeon-1t --max-ms 40 --candidates 1000000 --job   # in the server, in the background\n\n\
    The program is started once. It reads one architecture a line, as canonical text, and prints a number for each, the more the\n\
    better; it has to flush what it prints.")]
pub(crate) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Alias or version number, of latencies.
    #[arg(long, default_value = "production")]
    model: String,
    /// The most that a network may take, milliseconds.
    #[arg(long, value_name = "MS", value_parser = positive)]
    max_ms: Option<f64>,
    /// Take the upper end of a network's 90 % interval for its latency.
    #[arg(long)]
    upper: bool,
    /// What a network scores.
    #[arg(long, value_enum, default_value = "macs")]
    score: BuiltIn,
    /// A program that scores networks, with its arguments.
    #[arg(long, value_name = "COMMAND", conflicts_with = "score")]
    program: Option<String>,
    /// Distinct networks to look at.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = whole::<u64>().range(10..=10_000_000))]
    candidates: u64,
    /// Networks of the front to show, evenly over their latencies.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = whole::<usize>())]
    show: usize,
    #[arg(long, default_value_t = 0, value_parser = whole::<u64>())]
    seed: u64,
    /// Write the front as a plot.
    #[arg(long, value_name = "FILE.svg", conflicts_with = "job")]
    plot: Option<PathBuf>,
    /// Leave it to the server, as a job, and return at once.
    #[arg(long, conflicts_with = "program")]
    job: bool,
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|ms| ms.is_finite() && *ms > 0.0);
    number.ok_or_else(|| format!("expected milliseconds, more than 0, got {text:?}"))
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    if args.job {
        let parameters = SearchParameters {
            model: args.model.clone().into(),
            max_ms: args.max_ms,
            upper: args.upper,
            score: match args.score {
                BuiltIn::Macs => SearchScore::Macs,
                BuiltIn::Parameters => SearchScore::Parameters,
            },
            candidates: args.candidates as usize,
            seed: args.seed,
        };
        let registry = context.registry("search")?;
        return submit(context, &registry, JobKind::Search, &args.hardware, &parameters);
    }
    let (mut score, name) = match &args.program {
        Some(command) => {
            let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
            anyhow::ensure!(
                !words.is_empty(),
                "--program is empty; give a command, such as 'python3 accuracy.py'"
            );
            (Score::program(words)?, "score")
        }
        None => match args.score {
            BuiltIn::Macs => (Score::Macs, "million MACs"),
            BuiltIn::Parameters => (Score::Parameters, "million parameters"),
        },
    };
    let store = context.registry("search")?.store;
    let (host, spaces) = (Arc::new(context.plugins()?), Arc::new(context.spaces()?));
    let serving = Serving::for_command(store.clone(), host, spaces.clone())?;
    let reference = match args.model.parse() {
        Ok(version) => ModelRef::Version(version),
        Err(_) => ModelRef::Alias(args.model.parse()?),
    };
    let model = serving.route_blocking(&args.hardware, &reference)?.model;
    let search = Search {
        model: &model,
        most_ms: args.max_ms,
        upper: args.upper,
        candidates: args.candidates as usize,
        seed: args.seed,
        threads: cores(),
    };
    let bar = ProgressBar::new(args.candidates).with_style(ProgressStyle::with_template(
        "{bar:30} {pos}/{len} networks {per_sec} eta {eta}",
    )?);
    let found = search.run(&mut score, &mut |done| {
        bar.set_position(done as u64);
        true
    })?;
    bar.finish_and_clear();
    let query = SavingsQuery {
        predictions: Some(found.candidates as u64),
        ..SavingsQuery::default()
    };
    let saved = savings::report(&query, &*store, &args.hardware)?;
    if let Some(file) = &args.plot {
        plot(file, args, name, &found.front)?;
    }
    if context.json() {
        return print_json(
            &json!({ "hardware": args.hardware, "version": model.version, "runtime": model.runtime, "batch_size": model.batch_size, "score": name, "front": found.front,
            "candidates": found.candidates, "seconds": found.seconds, "instead_of_measuring": saved.saved }),
        );
    }
    show(args, name, &found);
    println!(
        "{} in {:.1} s ({:.0} a second), by version {} of {} ({}); measuring them would have taken {:.0} hours and {:.0} kWh",
        count(found.candidates, "network"),
        found.seconds,
        found.candidates as f64 / found.seconds,
        model.version,
        args.hardware,
        measured_by(&model.runtime, model.batch_size),
        saved.saved.hours,
        saved.saved.kwh
    );
    Ok(())
}

fn show(args: &Args, name: &str, found: &Found) {
    let front = &found.front;
    let Some(last) = front.len().checked_sub(1) else {
        let limit = args.max_ms.unwrap_or(f64::NAN);
        println!("no network of those that were looked at takes {limit} ms or less");
        return;
    };
    let latency = if args.upper { "ms, upper end" } else { "ms" };
    let mut rows = table(&[latency, name, "architecture"])
        .with_numbers([0, 1])
        .with_open_end();
    let shown = args.show.clamp(1, front.len());
    for at in 0..shown {
        let candidate = &front[at * last / (shown - 1).max(1)];
        rows.add_row([
            format!("{:.2}", candidate.latency_ms),
            format!("{:.1}", candidate.score),
            candidate.architecture.clone(),
        ]);
    }
    println!("{rows}");
    let outside = front.iter().filter(|one| one.outside_training_range.is_some()).count();
    if outside > 0 {
        println!(
            "outside of what the version was trained on: {outside} of {}; --json says in what",
            count(front.len(), "network")
        );
    }
    if shown < front.len() {
        println!("{shown} of {} on the front; --json has all of them", front.len());
    }
}

fn plot(file: &Path, args: &Args, name: &str, front: &[Candidate]) -> anyhow::Result<()> {
    anyhow::ensure!(
        front.iter().any(|candidate| candidate.score > 0.0),
        "nothing to plot: no network of the front scores more than 0"
    );
    let points = front
        .iter()
        .map(|candidate| (candidate.latency_ms, candidate.score, 0.0));
    let curves = Curves {
        heading: &format!("{}: what the fastest networks score", args.hardware),
        x: match args.upper {
            true => "upper end of the 90 % interval of the latency, ms",
            false => "predicted latency, ms",
        },
        y: name,
        error_bars: None,
        series: &[Series {
            name: "Pareto front".into(),
            points: points.collect(),
        }],
    };
    write_lines(file, &curves)
}

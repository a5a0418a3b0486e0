//! `lglp reproduce`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use lglp_engine::measure::{Draw, Repeatability, median};
use lglp_engine::reproduce::{Cells, Experiments, Results, Subject, figures, markdown, report, run as run_cells};
use lglp_engine::train::{Split, TrainingData, cores, labels};
use lglp_registry::{Digest, HardwareName, Quantity, Registry};
use lglp_sdk::{SearchSpace, count};
use lglp_terminal::{actor, print_json, whole};

use super::Context;

/// Run the paper's experiments on a hardware target's measurements and write a report; goes on where it was cut off
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp reproduce --hardware epyc-1t                      # an hour or two; kill it anywhere, start it again\n  \
    lglp reproduce --hardware epyc-1t --splits 2           # a first look\n  \
    lglp reproduce --hardware titan-xp-b64 --space ofa-mobilenetv3 --rows 1500\n\n\
    The folder gets README.md, report.json, the figures, and cells.jsonl with every fit.")]
pub(crate) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Search space [default: the one that the target was measured in].
    #[arg(long, value_name = "NAME")]
    space: Option<String>,
    /// What to run.
    #[arg(long, value_name = "FILE", default_value = EXPERIMENTS)]
    experiments: PathBuf,
    /// Folder of the report [default: docs/reproduction/HARDWARE].
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Splits, instead of those that the experiments name.
    #[arg(long, value_name = "N", value_parser = whole::<u64>().range(1..))]
    splits: Option<u64>,
    /// Use this many of the architectures only, in the order of their digests, which is as good as random.
    #[arg(long, value_name = "N", value_parser = whole::<usize>())]
    rows: Option<usize>,
    /// A frozen dataset, instead of the measurements that there are now.
    #[arg(long, value_name = "DIGEST")]
    dataset: Option<Digest>,
    /// Fits at once [default: one per core].
    #[arg(long, value_name = "N", value_parser = whole::<usize>().range(1..))]
    jobs: Option<usize>,
}

/// The paper's.
const EXPERIMENTS: &str = "catalog/experiments/lu-lyu.toml";

/// Between two lines of progress where there is no terminal.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let experiments = Experiments::load(&args.experiments)?;
    let store = context.registry("reproduce")?.store;
    let spaces = context.spaces()?;
    let space = spaces.of_target(&*store, &args.hardware, args.space.as_deref())?;
    let host = context.plugins()?;
    let (dataset, data) = dataset(&*store, args, space)?;
    let rows = data.architectures.len();
    let split = Split::new(rows, 0)?;
    let splits = args.splits.unwrap_or(experiments.splits);
    let cells = Cells::new(
        &experiments,
        context.recipes_folder(),
        &host,
        space,
        &dataset,
        rows,
        splits,
    )?;
    let output = match &args.output {
        Some(folder) => folder.clone(),
        None => Path::new("docs/reproduction").join(args.hardware.as_str()),
    };
    std::fs::create_dir_all(&output).with_context(|| output.display().to_string())?;
    let mut results = Results::open(&output.join("cells.jsonl"))?;

    let all = cells.all()?;
    let done = all.iter().filter(|cell| results.get(&cell.key).is_some()).count();
    let progress = Progress::new(done, all.len())?;
    let jobs = args.jobs.unwrap_or_else(cores);
    run_cells(&all, &mut results, &host, space, &data, jobs, &|result| {
        progress.done(&format!(
            "{} on {}, split {}",
            result.recipe, result.encoding, result.seed
        ));
    })?;
    progress.end();

    let (subject, weighted) = subject(&*store, args, space, dataset, &data)?;
    let sizes = (split.train.len(), split.validation.len(), split.test.len());
    let report = report(&cells, &results, subject, sizes)?;
    let write = |name: &str, text: &str| {
        let path = output.join(name);
        std::fs::write(&path, text).with_context(|| path.display().to_string())
    };
    for (name, svg) in figures(&cells, &results, &report, &data, &weighted, &split)? {
        write(name, &svg)?;
    }
    write("report.json", &format!("{}\n", serde_json::to_string_pretty(&report)?))?;
    write("README.md", &markdown(&report, &command(args)))?;
    if context.json() {
        return print_json(&report);
    }
    println!(
        "{}, {} of them new: {}",
        count(all.len(), "fit"),
        all.len() - done,
        output.join("README.md").display()
    );
    Ok(())
}

/// The frozen dataset, and its rows.
fn dataset(store: &dyn Registry, args: &Args, space: &SearchSpace) -> anyhow::Result<(Digest, TrainingData)> {
    if let Some(digest) = &args.dataset {
        // The paper knows of one search space.
        let data = TrainingData {
            networks: Default::default(),
            ..TrainingData::frozen(store, digest, space)?
        };
        return Ok((digest.clone(), data));
    }
    let mut data = TrainingData::measured(store, &args.hardware, space, Quantity::Latency)?;
    if let Some(rows) = args.rows {
        let there = data.architectures.len();
        anyhow::ensure!(
            rows <= there,
            "--rows asks for {rows}, and {hardware} has measurements of {} in {}; ask for no more",
            count(there, "architecture"),
            space.name(),
            hardware = args.hardware
        );
        data = data.part(&(0..rows).collect::<Vec<_>>());
    }
    // Too few rows are refused before anything is frozen.
    Split::new(data.architectures.len(), 0)?;
    let frozen = data.freeze(store, &args.hardware, space, &[], &actor())?;
    Ok((frozen.digest, data))
}

/// What was measured, and which rows are weighted draws.
fn subject(
    store: &dyn Registry,
    args: &Args,
    space: &SearchSpace,
    dataset: Digest,
    data: &TrainingData,
) -> anyhow::Result<(Subject, Vec<bool>)> {
    let labels = labels(store, &args.hardware, space.name())?;
    let flagged = |m: &lglp_registry::Measurement| m.flags.iter().any(|flag| Draw::Weighted.flags().contains(flag));
    let draws: HashMap<&str, bool> = labels.iter().map(|m| (m.architecture.as_str(), flagged(m))).collect();
    let texts = data.architectures.iter().map(|a| space.canonical_text(a));
    let weighted: Vec<bool> = texts
        .map(|text| draws.get(text.as_str()).copied().unwrap_or(false))
        .collect();
    let latencies = &data.labels;
    let subject = Subject {
        hardware: args.hardware.clone(),
        target: store.hardware(&args.hardware)?,
        space: space.name().to_owned(),
        dataset,
        architectures: latencies.len(),
        weighted_draws: weighted.iter().filter(|w| **w).count(),
        latency_ms: (
            latencies.iter().copied().fold(f64::MAX, f64::min),
            median(latencies),
            latencies.iter().copied().fold(f64::MIN, f64::max),
        ),
        excluded: store.exclusions(&args.hardware, space.name())?.len(),
        repeatability: Repeatability::between(store, &args.hardware, space.name(), (0, 1))?,
    };
    Ok((subject, weighted))
}

/// What makes the report again.
fn command(args: &Args) -> String {
    let mut command = format!("lglp reproduce --hardware {}", args.hardware);
    if let Some(space) = &args.space {
        command += &format!(" --space {space}");
    }
    if args.experiments != Path::new(EXPERIMENTS) {
        command += &format!(" --experiments {}", args.experiments.display());
    }
    for (option, value) in [("splits", args.splits), ("rows", args.rows.map(|rows| rows as u64))] {
        if let Some(value) = value {
            command += &format!(" --{option} {value}");
        }
    }
    if let Some(dataset) = &args.dataset {
        command += &format!(" --dataset {dataset}");
    }
    command
}

/// A bar on a terminal, else a line now and then.
struct Progress {
    bar: ProgressBar,
    started: Instant,
    before: usize,
    /// Seconds after the start at which the last line was printed.
    said: AtomicUsize,
}

impl Progress {
    fn new(done: usize, of: usize) -> anyhow::Result<Self> {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} fits, {elapsed} eta {eta} {wide_msg}")?;
        let bar = ProgressBar::new(of as u64).with_style(style).with_position(done as u64);
        bar.reset_eta();
        if done > 0 {
            eprintln!("done before: {done} of {}", count(of, "fit"));
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        let started = Instant::now();
        Ok(Self {
            bar,
            started,
            before: done,
            said: AtomicUsize::new(0),
        })
    }

    fn done(&self, what: &str) {
        self.bar.inc(1);
        self.bar.set_message(what.to_owned());
        let elapsed = self.started.elapsed();
        let last = self.said.load(Ordering::Relaxed);
        if self.bar.is_hidden() && elapsed.as_secs() as usize >= last + LOG_INTERVAL.as_secs() as usize {
            self.said.store(elapsed.as_secs() as usize, Ordering::Relaxed);
            let (at, of) = (self.bar.position() as f64, self.bar.length().unwrap_or(0) as f64);
            let left = elapsed.as_secs_f64() * (of - at) / (at - self.before as f64).max(1.0);
            eprintln!(
                "fits done: {at} of {of}, about {:.0} min left; last: {what}",
                left / 60.0
            );
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}

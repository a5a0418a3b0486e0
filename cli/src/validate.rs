//! `lglp validate` and `lglp validations`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use lglp_engine::measure::{CampaignEvent, Protocol};
use lglp_engine::networks::GivenNetwork;
use lglp_engine::validate::{Judges, Selection, Validating, can_measure};
use lglp_openapi::jobs::ValidateParameters;
use lglp_registry::{HardwareName, JobKind, NewJob, Registry, Validation};
use lglp_sdk::{Printable, count};
use lglp_server::jobs::{judges, selection};
use lglp_server::serving::Serving;
use lglp_terminal::{actor, print_json, table, when, whole};
use serde::Deserialize as _;
use serde_json::json;

use super::Context;
use super::context::{Opened, Place};
use super::jobs::{submit, until_ended};
use super::measure::given;
use super::selection::{By, Method, Rows};

/// Compare a version's predictions with measurements that it was not fitted on, fresh ones where it can; makes a report
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp validate --hardware my-box 3\n  \
    lglp validate --hardware my-box 3 --n 100 --select stratified\n  \
    lglp validate --hardware my-box 3 --onnx networks/    # by your own networks, measured where they are not yet\n  \
    lglp validate --hardware my-box 3 --by networks --n 30    # by random networks that were never measured\n  \
    lglp validate --hardware my-box 3 --select disagreement    # where it differs most from production\n  \
    lglp validate --hardware imported 3 --on held-out          # where nothing can be measured\n\n\
    It runs on this machine, or on the server's where one holds the registry. Kill it anywhere: what was measured stays.\n `lglp validations` shows reports.")]
pub(crate) struct Args {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Whose measurements [default: fresh, where the target can be measured; else recorded, where there are so many; else held-out].
    #[arg(long, value_enum, value_name = "WHOSE")]
    on: Option<Rows>,
    /// Compare on these networks of no space, ONNX files or folders of such: all that the version was not fitted on.
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["by", "on", "n", "seed"])]
    onnx: Vec<PathBuf>,
    /// What judges it [default: architectures, unless it was fitted on networks alone]. Fresh networks are random ones.
    #[arg(long, value_enum, value_name = "WHAT")]
    by: Option<By>,
    /// Architectures or networks.
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = whole::<u64>().range(Selection::LEAST as u64..=Selection::MOST as u64))]
    n: u64,
    /// How to choose them.
    #[arg(long, value_enum, default_value_t = Method::Random, value_name = "HOW")]
    select: Method,
    /// Seed of the choice.
    #[arg(long, default_value_t = 0, value_parser = whole::<u64>())]
    seed: u64,
    /// Time for the runs of one attempt at one architecture, seconds.
    #[arg(long, default_value_t = Protocol::default().budget_s, value_name = "S")]
    budget: f64,
    /// Leave it to the server, as a job, and return at once.
    #[arg(long)]
    job: bool,
    #[arg(value_parser = whole::<u32>())]
    version: u32,
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry("validate")?;
    let given = match &args.onnx[..] {
        [] => None,
        paths => Some(given::files(paths)?),
    };
    if args.job {
        let parameters = args.parameters(&*registry.store, given.as_deref())?;
        return submit(context, &registry, JobKind::Validate, &args.hardware, &parameters);
    }
    let Place::Here(store) = &registry.place else {
        return by_the_server(context, args, &registry, given.as_deref());
    };
    let (host, spaces) = (Arc::new(context.plugins()?), Arc::new(context.spaces()?));
    let serving = Serving::for_command(store.clone(), host.clone(), spaces.clone())?;
    let target = store.hardware(&args.hardware)?;
    let mut validating = Validating {
        store: &**store,
        host: &host,
        spaces: &spaces,
        versions: &serving,
        hardware: &args.hardware,
        version: args.version,
        judges: Judges::Architectures,
        selection: selection(&args.chosen(None)),
        protocol: Protocol::within(Some(args.budget))?,
    };
    validating.judges = judges(&args.chosen(None), given.as_deref(), &validating)?;
    if args.on.is_none() && given.is_none() {
        validating.selection.on = validating.default_rows(can_measure(&host, &target))?;
    }
    let plan = validating.plan()?;
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {per_sec} eta {eta} {wide_msg}")?;
    let bar = ProgressBar::new(plan.architectures.len() as u64).with_style(style);
    let mut progress = |event| match event {
        CampaignEvent::Resuming { done } => bar.set_position(done as u64),
        CampaignEvent::Measured { latency_ms, .. } => {
            bar.inc(1);
            bar.set_message(format!("{latency_ms:.1} ms"));
        }
        CampaignEvent::LeftOut(network) => {
            bar.inc(1);
            bar.suspend(|| eprintln!("left out: {network}"));
        }
        CampaignEvent::Waiting | CampaignEvent::Calibrating { .. } => {}
    };
    validating.measure(&plan, &actor(), &mut progress, &|| false)?;
    let report = validating.report(&plan, &actor(), None)?;
    bar.finish_and_clear();
    print(context, &report)
}

/// Lets the server measure, on its own machine, and waits for the report.
fn by_the_server(
    context: &Context,
    args: &Args,
    registry: &Opened,
    given: Option<&[GivenNetwork]>,
) -> anyhow::Result<()> {
    let new = NewJob {
        kind: JobKind::Validate,
        hardware: args.hardware.clone(),
        parameters: json!(args.parameters(&*registry.store, given)?),
        creator: actor(),
        parent: None,
    };
    let job = registry.operations.submit_job(new)?;
    if !context.json() {
        eprintln!("the server validates: job {}", job.id);
    }
    let ended = until_ended(registry, job.id)?;
    let number = ended.result.as_ref().and_then(|result| result["validation"].as_u64());
    let Some(number) = number else {
        anyhow::bail!(
            "job {} is {}: {}",
            ended.id,
            ended.state,
            Printable::of(ended.error.unwrap_or_default())
        );
    };
    let report = registry.store.validation(&args.hardware, u32::try_from(number)?)?;
    print(context, &report)
}

impl Args {
    /// What a server is asked for, which finds the networks that are given in its registry from then on.
    fn parameters(&self, store: &dyn Registry, given: Option<&[GivenNetwork]>) -> anyhow::Result<ValidateParameters> {
        let networks = given.map(|networks| given::sent(store, networks)).transpose()?;
        Ok(self.chosen(networks.map(|plan| plan.to_string())))
    }

    fn chosen(&self, networks: Option<String>) -> ValidateParameters {
        ValidateParameters {
            version: self.version,
            by: self.by.map(Into::into),
            networks,
            on: self.on.map(Into::into),
            n: self.n as usize,
            select: self.select.into(),
            seed: self.seed,
            budget_s: Some(self.budget),
        }
    }
}

/// List the validation reports of a hardware target, or show one
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp validations --hardware my-box\n  \
    lglp validations --hardware my-box 2 --svg scatter.svg")]
pub(crate) struct ListArgs {
    /// Hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Those of this version only.
    #[arg(long, value_name = "VERSION", conflicts_with = "number", value_parser = whole::<u32>())]
    of: Option<u32>,
    /// Write the scatter plot of the report here.
    #[arg(long, value_name = "FILE", requires = "number")]
    svg: Option<PathBuf>,
    /// Show this report.
    #[arg(value_parser = whole::<u32>())]
    number: Option<u32>,
}

pub(crate) fn list(context: &Context, args: &ListArgs) -> anyhow::Result<()> {
    let registry = context.registry("validations")?;
    let store: &dyn Registry = &*registry.store;
    if let Some(number) = args.number {
        let report = store.validation(&args.hardware, number)?;
        if let Some(file) = &args.svg {
            std::fs::write(file, store.get_blob(&report.content.scatter)?)
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        return print(context, &report);
    }
    let reports = store.validations(&args.hardware, args.of)?;
    if context.json() {
        return print_json(&reports);
    }
    let mut rows = table(&[
        "report",
        "version",
        "on",
        "n",
        "mape %",
        "spearman",
        "coverage",
        "production mape %",
        "finished",
    ]);
    for report in &reports {
        let content = &report.content;
        let baseline = content.baseline.as_ref().and_then(|b| b.metrics.get("mape"));
        rows.add_row([
            report.number.to_string(),
            content.version.to_string(),
            content.space.clone(),
            content.pairs.len().to_string(),
            figure(content.metrics.get("mape"), 2),
            figure(content.metrics.get("spearman"), 4),
            figure(content.coverage.as_ref(), 2),
            figure(baseline, 2),
            when(&content.finished_at),
        ]);
    }
    println!("{rows}");
    Ok(())
}

/// A report as people read it.
fn print(context: &Context, report: &Validation) -> anyhow::Result<()> {
    if context.json() {
        return print_json(report);
    }
    let content = &report.content;
    let on = Selection::deserialize(&content.selection)
        .map_or_else(|_| String::new(), |selection| format!("{} ", selection.on.adjective()));
    println!(
        "report {}: version {} of {} against {} taken {} to {}",
        report.number,
        content.version,
        report.hardware,
        count(content.pairs.len(), &format!("{on}measurement")),
        when(&content.started_at),
        when(&content.finished_at)
    );
    let production = content
        .baseline
        .as_ref()
        .map(|b| format!("version {} (production)", b.version));
    let own = format!("version {}", content.version);
    let mut rows = table(&["metric", &own, production.as_deref().unwrap_or("nothing in production")]);
    for (name, value) in &content.metrics {
        let other = content.baseline.as_ref().and_then(|b| b.metrics.get(name));
        rows.add_row([name.clone(), figure(Some(value), 4), figure(other, 4)]);
    }
    if let Some(coverage) = content.coverage {
        rows.add_row(["coverage".to_owned(), format!("{coverage:.2}"), String::new()]);
    }
    println!("{rows}");
    if content.drifted > 0 {
        println!("marked for drift: {}", count(content.drifted, "measurement"));
    }
    println!(
        "promote it with:\n  lglp promote --hardware {} {}",
        report.hardware, content.version
    );
    Ok(())
}

fn figure(value: Option<&f64>, digits: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.digits$}"))
}

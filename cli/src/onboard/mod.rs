//! `lglp onboard`.

mod networks;

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use lglp_engine::measure::{Campaign, CampaignEvent, Protocol, Setup, Wanted};
use lglp_engine::onboard::{Known, OnboardEvent, Onboarded, Onboarding, Rehearsal, Step, Way};
use lglp_engine::plots::{Curves, ErrorBars, Series};
use lglp_engine::predictor::Recipe;
use lglp_engine::spaces::Spaces;
use lglp_engine::train::Training;
use lglp_openapi::jobs::OnboardParameters;
use lglp_registry::{HardwareName, JobKind, Version};
use lglp_sdk::{Architecture, count};
use lglp_terminal::{SetupArgs, actor, print_json, short, table, whole};
use serde::Serialize;
use serde_json::json;

use super::Context;
use super::jobs::submit;
use super::plot::write_lines;

/// Get a predictor for a new device by few measurements: chosen ones, with what other targets teach
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp onboard --hardware my-box --budget 50\n  \
    lglp onboard --hardware my-box --budget 200 --until mape=3   # stop as soon as it is that good\n  \
    lglp onboard --hardware my-box --for onnx --budget 200    # for any network: random ones are measured\n  \
    lglp onboard --hardware gpu --runtime command --set preset=python --batch-size 32\n  \
    lglp onboard --hardware board --budget 50 --job   # in the server; workers of `board` measure\n  \
    lglp onboard --hardware xeon-1t --rehearse --budget 200 --seeds 5 --plot curve.svg   # how it would have gone\n\n\
    Architectures that are measured already count. Its error is estimated from the rows themselves: each is predicted by all others.\n  \
    Kill it anywhere and start it again: nothing that is measured is lost or measured again.")]
pub(crate) struct Args {
    /// Hardware target, created where there is none of that name.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Search space [default: the one that the target was measured in, or mobilenetv3].
    #[arg(long, value_name = "NAME")]
    space: Option<String>,
    /// What is to be predicted: architectures of the space, or any network as an ONNX file.
    #[arg(long = "for", value_name = "WHAT", value_enum, default_value_t)]
    purpose: Purpose,
    /// Architectures or networks to measure in all, those that are measured already included [default: 50; 200 for onnx].
    #[arg(long, value_name = "N", value_parser = whole::<usize>())]
    budget: Option<usize>,
    /// Stop before where the mean error is no more than so many percent, its own standard error included: mape=3.
    #[arg(long, value_name = "mape=PERCENT", value_parser = goal, conflicts_with = "rehearse")]
    until: Option<f64>,
    /// A recipe whose regressor tells how it would do without each row.
    #[arg(long, default_value = "additive")]
    recipe: String,
    /// Do without what other targets teach.
    #[arg(long)]
    alone: bool,
    /// Seed of the architectures that are chosen from.
    #[arg(long, default_value_t = 0, value_parser = whole::<u64>())]
    seed: u64,
    #[command(flatten)]
    setup: SetupArgs,
    /// Measure nothing: choose among what is measured already, and tell the error on the rest, beside random choice.
    #[arg(long, conflicts_with_all = ["runtime", "set", "batch_size"])]
    rehearse: bool,
    /// Rehearsals to average, from --seed on.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = whole::<u64>().range(1..=100), requires = "rehearse")]
    seeds: u64,
    /// Write the error by number of measurements as a plot.
    #[arg(long, value_name = "FILE.svg", conflicts_with = "job")]
    plot: Option<PathBuf>,
    /// Leave it to the server, as a job, and return at once: workers measure where the target is theirs.
    #[arg(long, conflicts_with = "rehearse")]
    job: bool,
}

/// What is to be predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Purpose {
    /// Architectures of a search space.
    #[default]
    Space,
    /// Any network.
    Onnx,
}

impl Args {
    fn budget(&self) -> usize {
        self.budget.unwrap_or(match self.purpose {
            Purpose::Space => 50,
            Purpose::Onnx => 200,
        })
    }
}

/// `mape=3`.
fn goal(text: &str) -> Result<f64, String> {
    let number = text.strip_prefix("mape=").and_then(|number| number.parse::<f64>().ok());
    let number = number.filter(|number| *number > 0.0 && *number <= 100.0);
    number.ok_or_else(|| format!("expected mape=PERCENT, more than 0 and at most 100, such as mape=3; got {text:?}"))
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    if args.purpose == Purpose::Onnx {
        return networks::run(context, args);
    }
    if args.job {
        let registry = context.registry("onboard")?;
        let spaces = context.spaces()?;
        let space = spaces.of_new_target(&*registry.store, &args.hardware, args.space.as_deref())?;
        let parameters = OnboardParameters {
            space: Some(space.name().to_owned()),
            budget: args.budget(),
            until_mape: args.until,
            alone: args.alone,
            sources: None,
            recipe: args.recipe.clone(),
            seed: args.seed,
            runtime: args.setup.runtime.clone(),
            settings: args.setup.settings(),
            batch_size: args.setup.batch_size,
            budget_s: None,
        };
        return submit(context, &registry, JobKind::Onboard, &args.hardware, &parameters);
    }
    let mut host = context.plugins()?;
    let setup = args.setup.setup(&mut host);
    let spaces = context.spaces()?;
    let recipe = Recipe::load(context.recipes_folder(), &args.recipe)?;
    // What is not there is said before a registry is made.
    if let Some(asked) = &args.space {
        spaces.get(asked)?;
    }
    let registry = match args.rehearse {
        true => context.registry("onboard")?,
        false => context.registry_or_new("onboard")?,
    };
    let space = spaces.of_new_target(&*registry.store, &args.hardware, args.space.as_deref())?;
    let training = Training {
        store: &*registry.store,
        host: &host,
        space,
        hardware: &args.hardware,
        recipe: &recipe,
        seed: args.seed,
    };
    if args.rehearse {
        let rehearsal = Rehearsal {
            training,
            budget: args.budget(),
            transfer: !args.alone,
            seeds: args.seed..args.seed + args.seeds,
        };
        return rehearse(context, args, &rehearsal);
    }
    let actor = actor();
    let onboarding = Onboarding {
        training,
        batch: setup.batch,
        budget: args.budget(),
        goal: args.until,
        transfer: !args.alone,
        sources: None,
        before: Known::default(),
        actor: &actor,
    };
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{prefix:12} {bar:30} {pos}/{len} {per_sec} eta {eta} {wide_msg}",
    )?);
    let mut measure = |architectures: &[Architecture]| -> anyhow::Result<()> {
        let wanted = Wanted::These {
            replicate: 0,
            architectures,
        };
        let mut show = |event| show_measuring(&bar, event);
        measure_wanted(&training, &spaces, &setup, wanted, &actor, &mut show)
    };
    let mut progress = |event: OnboardEvent<'_>| {
        show(&bar, context.json(), &event);
        anyhow::Ok(())
    };
    let (found, content) = onboarding.run(&mut progress, &mut measure, &|| false)?;
    bar.finish_and_clear();
    let version = training.store.create_version(&args.hardware, &content, None)?;
    if let Some(file) = &args.plot {
        let points = found
            .steps
            .iter()
            .map(|step| (step.measured as f64, step.error, step.uncertainty));
        let name = match found.sources.is_empty() {
            true => "each row left out".to_owned(),
            false => format!("each row left out, with {}", found.sources.join(", ")),
        };
        let points = points.collect();
        plot(
            file,
            &args.hardware,
            ErrorBars::StandardError,
            &[Series { name, points }],
        )?;
    }
    tell(context, &recipe, &found, &version, "")
}

/// Measures what a training is to be on.
fn measure_wanted(
    training: &Training<'_>,
    spaces: &Spaces,
    setup: &Setup,
    wanted: Wanted<'_>,
    actor: &str,
    show: &mut dyn FnMut(CampaignEvent),
) -> anyhow::Result<()> {
    let campaign = Campaign {
        store: training.store,
        host: training.host,
        space: training.space,
        spaces,
        hardware: training.hardware,
        setup: Some(setup.clone()),
        protocol: Protocol::default(),
        wanted,
        actor,
    };
    campaign.run(show, &|| false)?;
    Ok(())
}

/// What is known after a step.
fn show_step(bar: &ProgressBar, quiet: bool, step: &Step) {
    say(
        bar,
        quiet,
        format!(
            "{:>5} measured: error {:.1} +- {:.1} %, each row left out ({:.0} s)",
            step.measured, step.error, step.uncertainty, step.seconds
        ),
    );
}

fn say(bar: &ProgressBar, quiet: bool, line: String) {
    match bar.is_hidden() {
        _ if quiet => {}
        true => println!("{line}"),
        false => bar.println(line),
    }
}

/// A line for each step as it comes, a bar for what takes time.
fn show(bar: &ProgressBar, quiet: bool, event: &OnboardEvent<'_>) {
    let say = |line: String| say(bar, quiet, line);
    match event {
        OnboardEvent::Learning(source) => {
            say(format!(
                "learning from {} ({})",
                source.hardware,
                count(source.rows, "measurement")
            ));
        }
        OnboardEvent::Measuring { done, of } => {
            bar.set_prefix("measuring");
            bar.set_length(*of as u64);
            bar.set_position(*done as u64);
            bar.reset_eta();
        }
        OnboardEvent::Known(known) => {
            if let Some(step) = known.steps.last() {
                show_step(bar, quiet, step);
            }
        }
    }
}

fn show_measuring(bar: &ProgressBar, event: CampaignEvent) {
    match event {
        CampaignEvent::Waiting => bar.set_message("another process measures on the device"),
        CampaignEvent::Calibrating { done, of } => {
            bar.set_message(format!("calibrating the reference network, {done} of {of}"));
        }
        CampaignEvent::Resuming { .. } => bar.set_message(""),
        CampaignEvent::LeftOut(network) => bar.println(format!("left out: {network}")),
        CampaignEvent::Measured { latency_ms, half_width } => {
            bar.inc(1);
            bar.set_message(format!("{latency_ms:.1} ms +- {:.1} %", 100.0 * half_width));
        }
    }
}

/// What programs are told.
#[derive(Serialize)]
struct Told<'a> {
    version: &'a Version,
    #[serde(flatten)]
    found: &'a Onboarded,
}

/// Tells how it ended; `purpose` is what else the command was asked for, to be asked for again.
fn tell(context: &Context, recipe: &Recipe, found: &Onboarded, version: &Version, purpose: &str) -> anyhow::Result<()> {
    if context.json() {
        return print_json(&Told { version, found });
    }
    let hardware = &version.hardware;
    println!(
        "version {} of {hardware} ({}, {})",
        version.version,
        recipe.name,
        short(version.digest.as_str())
    );
    if found.reached {
        println!("the goal is reached");
    } else if let Some(forecast) = found.forecast {
        let advice = match forecast.worthwhile {
            true => format!(
                "going on is worth it: lglp onboard --hardware {hardware}{purpose} --budget {}",
                forecast.measured
            ),
            false => "more would bring little".to_owned(),
        };
        println!(
            "after {} about {:.1} % is to be expected; {advice}",
            count(forecast.measured, "measurement"),
            forecast.error
        );
    }
    println!(
        "put it to use with:\n  lglp promote --hardware {hardware} {}",
        version.version
    );
    Ok(())
}

fn rehearse(context: &Context, args: &Args, rehearsal: &Rehearsal<'_>) -> anyhow::Result<()> {
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template("fits {bar:30} {pos}/{len} eta {eta}")?);
    let (ways, sources) = rehearsal.run(&|done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    if let Some(file) = &args.plot {
        let series: Vec<Series> = ways.iter().map(|way| curve(way, &sources)).collect();
        plot(file, &args.hardware, ErrorBars::StandardDeviation, &series)?;
    }
    if context.json() {
        return print_json(
            &json!({ "hardware": args.hardware, "recipe": rehearsal.training.recipe.name, "seeds": args.seeds,
            "sources": sources, "ways": ways }),
        );
    }
    println!(
        "{} on {}: mean error in percent of what is not measured, after so many measurements, over {}",
        rehearsal.training.recipe.name,
        args.hardware,
        count(args.seeds, "choice")
    );
    let sizes = ways
        .iter()
        .flat_map(|way| way.errors.iter().map(|(size, ..)| size.to_string()));
    let sizes: Vec<String> = sizes.take(ways.first().map_or(0, |way| way.errors.len())).collect();
    let headings: Vec<&str> = std::iter::once("measured")
        .chain(sizes.iter().map(String::as_str))
        .collect();
    let mut rows = table(&headings);
    for way in &ways {
        let errors = way.errors.iter().map(|(_, mean, sd)| format!("{mean:.1} +- {sd:.1}"));
        rows.add_row(std::iter::once(name(way, &sources)).chain(errors));
    }
    println!("{rows}");
    Ok(())
}

fn name(way: &Way, sources: &[String]) -> String {
    let choice = if way.chosen { "chosen" } else { "random" };
    match way.transfer {
        true => format!("{choice}, with {}", sources.join(", ")),
        false => choice.to_owned(),
    }
}

fn curve(way: &Way, sources: &[String]) -> Series {
    let points = way.errors.iter().map(|(size, mean, sd)| (*size as f64, *mean, *sd));
    Series {
        name: name(way, sources),
        points: points.collect(),
    }
}

fn plot(file: &Path, hardware: &HardwareName, error_bars: ErrorBars, series: &[Series]) -> anyhow::Result<()> {
    let curves = Curves {
        heading: &format!("{hardware}: error by number of measurements"),
        x: "architectures measured",
        y: "mean relative error, %",
        error_bars: Some(error_bars),
        series,
    };
    write_lines(file, &curves)
}

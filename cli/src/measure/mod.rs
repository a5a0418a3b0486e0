//! `lglp measure`.

pub(crate) mod given;

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use lglp_engine::measure::{Campaign, CampaignEvent, Protocol, Setup, Wanted};
use lglp_openapi::jobs::MeasureParameters;
use lglp_registry::{HardwareName, JobKind, ONNX, Registry};
use lglp_sdk::count as count_of;
use lglp_terminal::{SetupArgs, actor, print_json, whole};

use super::Context;
use super::jobs::submit;
use given::Given;

/// Measure architectures, or networks as ONNX files, on this machine; kill it anywhere and start it again, nothing is lost or repeated
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    lglp measure --hardware my-box --space mobilenetv3 --count 500\n  \
    lglp measure --hardware my-box --space mobilenetv3 --count 500 --weighted 200   # and 200 large ones\n  \
    lglp measure --hardware my-box --space mobilenetv3 --count 50 --replicate 1   # measure 50 of them again\n  \
    lglp measure --hardware my-box --space mobilenetv3 --count 500 --job   # by the server, in the background\n  \
    lglp measure --hardware my-box --onnx networks/    # the ONNX files of a folder\n  \
    lglp measure --hardware my-board --onnx networks/ --job   # by its worker; weights stay here\n  \
    lglp measure --hardware my-box --space my-choices --onnx exported/    # named by architecture: my-choices@3,true.onnx\n  \
    lglp measure --hardware my-box --random 200    # random networks, which teach what any network takes\n  \
    lglp measure --hardware my-box-4t --space mobilenetv3 --count 500 --set threads=4   # settings: lglp plugins --json\n\n\
    The first call creates the hardware target, with this machine's fingerprint, and calibrates its reference network.")]
pub(crate) struct Args {
    /// Hardware target, created where there is none of that name.
    #[arg(long, value_name = "NAME")]
    hardware: HardwareName,
    /// Search space of the architectures. Of other networks: the space by whose smallest network a new target is calibrated
    /// [default: that of the target, or mobilenetv3].
    #[arg(long, required_unless_present_any = ["onnx", "random"])]
    space: Option<String>,
    /// How many architectures are to be measured in all, finished ones included: evenly over depth x resolution.
    #[arg(long, value_name = "N", value_parser = whole::<usize>().range(1..), required_unless_present_any = ["onnx", "random"])]
    count: Option<usize>,
    #[command(flatten)]
    given: Given,
    /// How many more, weighted to large depth and resolution, where latencies are thinly spread.
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "replicate", value_parser = whole::<usize>())]
    weighted: usize,
    /// 0 measures new architectures; 1 and up repeat those of replicate 0, in another order.
    #[arg(long, alias = "round", default_value_t = 0, value_parser = whole::<u32>())]
    replicate: u32,
    /// Seed of the sequence of architectures.
    #[arg(long, default_value_t = 0, value_parser = whole::<u64>())]
    seed: u64,
    #[command(flatten)]
    setup: SetupArgs,
    /// Time for the runs of one attempt at one architecture, seconds.
    #[arg(long, default_value_t = Protocol::default().budget_s, value_name = "S")]
    budget: f64,
    /// Seconds that each architecture is run once more to tell its energy, where the device counts it; 0 for never.
    #[arg(long, default_value_t = Protocol::default().energy_window_s, value_name = "S", conflicts_with = "job")]
    energy_window: f64,
    /// Leave it to the server, as a job, and return at once.
    #[arg(long)]
    job: bool,
}

/// Between two lines of progress where there is no terminal.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.budget.is_finite() && args.budget > 0.0,
        "--budget must be a positive number of seconds"
    );
    anyhow::ensure!(
        args.energy_window.is_finite() && args.energy_window >= 0.0,
        "--energy-window must be a number of seconds, 0 or more"
    );
    let count = args.count.unwrap_or_default();
    if args.job {
        let registry = context.registry("measure")?;
        anyhow::ensure!(
            args.space.is_none() || !args.given.are_given(),
            "a job measures files as networks of no space; leave --space out, or leave --job out"
        );
        if args.given.are_random() {
            require_single(&*registry.store, &args.hardware, args.setup.batch_size.unwrap_or(1))?;
        }
        let plan = match args.given.networks()? {
            Some(networks) => Some(given::sent(&*registry.store, &networks)?),
            None => None,
        };
        let space = match plan {
            Some(_) => ONNX.to_owned(),
            None => args.space.clone().unwrap_or_default(),
        };
        let parameters = MeasureParameters {
            space,
            count,
            weighted: args.weighted,
            replicate: args.replicate,
            seed: args.seed,
            plan: plan.map(|plan| plan.to_string()),
            runtime: args.setup.runtime.clone(),
            settings: args.setup.settings(),
            batch_size: args.setup.batch_size,
            budget_s: Some(args.budget),
        };
        return submit(context, &registry, JobKind::Measure, &args.hardware, &parameters);
    }
    let mut host = context.plugins()?;
    let setup = args.setup.setup(&mut host);
    let spaces = context.spaces()?;
    let registry = context.registry_or_new("measure")?;
    let space = spaces.of_new_target(&*registry.store, &args.hardware, args.space.as_deref())?;
    if args.given.are_random() {
        require_single(&*registry.store, &args.hardware, setup.batch)?;
    }
    let mut networks = args.given.networks()?;
    let is_exported = args.space.is_some() && !space.has_networks() && !args.given.are_random();
    let exported = networks.take_if(|_| is_exported);
    let exported = exported.map(|networks| given::named(space, networks)).transpose()?;
    let campaign = Campaign {
        store: &*registry.store,
        host: &host,
        space,
        spaces: &spaces,
        hardware: &args.hardware,
        setup: Some(setup),
        protocol: Protocol {
            budget_s: args.budget,
            energy_window_s: args.energy_window,
            ..Protocol::default()
        },
        wanted: match (&exported, &networks, args.replicate) {
            (Some(architectures), _, replicate) => Wanted::Exported {
                replicate,
                architectures,
            },
            (None, Some(networks), replicate) => Wanted::Networks { replicate, networks },
            (None, None, 0) => Wanted::Fresh {
                seed: args.seed,
                uniform: count,
                weighted: args.weighted,
            },
            (None, None, replicate) => Wanted::Again { replicate, count },
        },
        actor: &actor(),
    };
    let given = networks.as_ref().map(Vec::len).or(exported.as_ref().map(Vec::len));
    let wanted = given.unwrap_or(count + args.weighted);
    let bar = ProgressBar::new(wanted as u64).with_style(style()?);
    let started = Instant::now();
    let mut said = started;
    let mut progress = |event| match event {
        CampaignEvent::Waiting => bar.set_message("another process measures on the device"),
        CampaignEvent::Calibrating { done, of } => {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
            bar.set_message("calibrating the reference network");
        }
        CampaignEvent::Resuming { done } => {
            bar.set_length(wanted as u64);
            bar.set_position(done as u64);
            bar.reset_eta();
            bar.set_message(format!("{done} measured before"));
        }
        CampaignEvent::LeftOut(network) => {
            bar.inc(1);
            bar.suspend(|| eprintln!("left out: {network}"));
        }
        CampaignEvent::Measured {
            latency_ms, half_width, ..
        } => {
            bar.inc(1);
            // A log file wants a line now and then where a terminal has a bar.
            if bar.is_hidden() && said.elapsed() >= LOG_INTERVAL {
                eprintln!(
                    "{} of {wanted} measured, {:.0} s left",
                    bar.position(),
                    bar.eta().as_secs_f64()
                );
                said = Instant::now();
            }
            bar.set_message(format!("{latency_ms:.1} ms +- {:.1} %", 100.0 * half_width));
        }
    };
    let summary = campaign.run(&mut progress, &|| false)?;
    bar.finish_and_clear();
    if context.json() {
        return print_json(&summary);
    }
    println!(
        "{}: {} measured now, {} in replicate {} ({:.0} s)",
        args.hardware,
        summary.measured,
        summary.total,
        args.replicate,
        started.elapsed().as_secs_f64()
    );
    if !summary.left_out.is_empty() {
        println!("{} left out, see above", count_of(summary.left_out.len(), "network"));
    }
    if let Some(r) = &summary.repeatability {
        println!(
            "repeatability over {}: median {:.2} %, 95th percentile {:.2} % (relative difference of replicates)",
            count_of(
                r.architectures,
                if networks.is_some() { "network" } else { "architecture" }
            ),
            r.median_percent,
            r.p95_percent
        );
        println!(
            "a label's standard deviation is {:.2} %; the replicate as a whole lies {:+.2} % from replicate 0; measurements in a row correlate \
             by {:.2}",
            r.label_percent, r.shift_percent, r.autocorrelation
        );
    }
    Ok(())
}

/// Random networks take one input at a time: refuses a target of another batch, which `batch` is of a new one.
pub(crate) fn require_single(store: &dyn Registry, hardware: &HardwareName, batch: u32) -> anyhow::Result<()> {
    let there = store.hardware(hardware).ok();
    let batch = there.map_or(batch, |target| Setup::of_target(&target).batch);
    anyhow::ensure!(
        batch == 1,
        "random networks take one input at a time, and `{hardware}` measures {batch}; measure files of that batch by `lglp measure --onnx`"
    );
    Ok(())
}

fn style() -> anyhow::Result<ProgressStyle> {
    let template = "{bar:30} {pos}/{len} {per_sec} eta {eta} {wide_msg}";
    Ok(ProgressStyle::with_template(template)?)
}

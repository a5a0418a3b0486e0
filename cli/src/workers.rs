//! `lglp workers`.

use clap::Subcommand;
use lglp_openapi::workers::WorkerState;
use lglp_registry::{Role, WorkerName};
use lglp_sdk::Printable;
use lglp_terminal::{actor, print_json, table, when};

use super::Context;
use super::context::Opened;

/// List the workers that measure for the server, let one in, or let one go
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
    lglp workers\n  \
    lglp workers confirm gpu-box --reason \"new driver, the same latencies in 20 repetitions\"\n  \
    lglp workers remove gpu-box       # it is gone for good: its target is measured by others\n\n\
    `lglp worker --help` tells how to start one."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Let a worker measure for its target although its machine is another one, from now on
    Confirm {
        name: WorkerName,
        /// Why its latencies belong with the others, for the audit log.
        #[arg(long)]
        reason: String,
    },
    /// Sign a worker off that is gone for good; what it had leased is queued again
    Remove { name: WorkerName },
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry("workers")?;
    match &args.action {
        None => list(context, &registry),
        Some(Action::Confirm { name, reason }) => confirm(context, &registry, name, reason),
        Some(Action::Remove { name }) => remove(&registry, name),
    }
}

fn list(context: &Context, registry: &Opened) -> anyhow::Result<()> {
    let workers = registry.operations.workers()?;
    if context.json() {
        return print_json(&workers);
    }
    if workers.is_empty() {
        println!(
            "no worker has registered; on the machine that is to measure:\n  {}",
            start(registry)
        );
        return Ok(());
    }
    let mut rows = table(&[
        "worker",
        "hardware",
        "state",
        "job",
        "queued",
        "measured",
        "per hour",
        "timed",
        "reference",
        "last seen",
    ]);
    for worker in &workers {
        let figure = |value: Option<f64>, unit: &str, digits: usize| {
            value.map_or_else(String::new, |value| format!("{value:.digits$}{unit}"))
        };
        rows.add_row([
            worker.name.clone(),
            worker.hardware.clone(),
            format!("{:?}", worker.state).to_lowercase(),
            worker.job.map_or_else(String::new, |job| job.to_string()),
            worker.queued.to_string(),
            worker.measured.to_string(),
            figure(worker.per_hour, "", 0),
            figure(worker.timed_share.map(|share| 100.0 * share), " %", 0),
            figure(worker.reference_ratio, " x", 2),
            when(&worker.last_seen),
        ]);
    }
    println!("{rows}");
    for worker in workers.iter().filter(|worker| worker.state == WorkerState::Unconfirmed) {
        let (name, why) = (
            &worker.name,
            Printable::of(worker.difference.as_deref().unwrap_or_default()),
        );
        println!(
            "{name} gets no work: {why}; if its latencies belong with the target's:\n  lglp workers confirm {name} --reason WHY"
        );
    }
    Ok(())
}

fn start(registry: &Opened) -> String {
    let server = registry.server().map_or("http://SERVER:8080", |server| server.base());
    let role = Role::Worker;
    format!(
        "LGLP_TOKEN=... lglp worker --server {server} --hardware NAME   # token: lglp token create --name NAME --role {role}"
    )
}

fn confirm(context: &Context, registry: &Opened, name: &WorkerName, reason: &str) -> anyhow::Result<()> {
    let worker = registry.operations.confirm_worker(name, &actor(), reason)?;
    if context.json() {
        return print_json(&worker);
    }
    println!("{name} may measure for {} from now on", worker.hardware);
    Ok(())
}

fn remove(registry: &Opened, name: &WorkerName) -> anyhow::Result<()> {
    registry.operations.remove_worker(name)?;
    println!("{name} is signed off");
    Ok(())
}

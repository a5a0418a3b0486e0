//! The program `lglp`: its command line, one file per subcommand.

mod accuracy;
mod audit;
mod clean;
mod context;
mod dataset;
mod explain;
mod files;
mod gate;
mod hardware;
mod input;
mod intervention;
mod jobs;
mod measure;
mod models;
mod network;
mod onboard;
mod openapi;
mod plot;
mod plugins;
mod predict;
mod promote;
mod registry;
mod reproduce;
mod rollback;
mod sample;
mod savings;
mod search;
mod selection;
mod serve;
mod spaces;
mod token;
mod traffic;
mod train;
mod validate;
mod webhook;
mod workers;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lglp_terminal::{HostOptions, ServerOptions};

use lglp_engine::host::child_process;

use context::Context;

/// Predicts how long a neural network takes on a device, without running it there.
#[derive(Parser)]
#[command(
    version,
    after_help = "A first day with lglp:\n  \
        lglp onboard --hardware my-box --budget 50\n  \
        lglp promote --hardware my-box 1\n  \
        lglp serve\n\n\
        Commands talk to the server that holds the registry, where one runs, and open it themselves where none does."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(clap::Args)]
pub struct Global {
    /// Folder of the registry.
    #[arg(
        long,
        global = true,
        env = "LGLP_REGISTRY",
        default_value = "data/registry",
        value_name = "DIR"
    )]
    registry: PathBuf,
    #[command(flatten)]
    host: HostOptions,
    /// Folder of the search spaces.
    #[arg(
        long,
        global = true,
        env = "LGLP_SPACES",
        default_value = "catalog/spaces",
        value_name = "DIR"
    )]
    spaces: PathBuf,
    /// Folder of the recipes.
    #[arg(
        long,
        global = true,
        env = "LGLP_RECIPES",
        default_value = "catalog/recipes",
        value_name = "DIR"
    )]
    recipes: PathBuf,
    #[command(flatten)]
    server: ServerOptions,
    /// Print JSON instead of tables.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Args),
    Predict(predict::Args),
    Explain(explain::Args),
    Search(search::Args),
    Onboard(onboard::Args),
    Measure(measure::Args),
    Clean(clean::Args),
    Train(train::Args),
    Validate(validate::Args),
    Validations(validate::ListArgs),
    Promote(promote::Args),
    Rollback(rollback::Args),
    Gate(gate::Args),
    Jobs(jobs::Args),
    Traffic(traffic::Args),
    Models(models::Args),
    Hardware(hardware::Args),
    Dataset(dataset::Args),
    Reproduce(reproduce::Args),
    Sample(sample::Args),
    Savings(savings::Args),
    Network(network::Args),
    #[command(visible_alias = "plugin")]
    Plugins(plugins::Args),
    #[command(visible_alias = "space")]
    Spaces(spaces::Args),
    Token(token::Args),
    Openapi(openapi::Args),
    Webhook(webhook::Args),
    Worker(lglp_worker::command::Args),
    Workers(workers::Args),
    Audit(audit::Args),
    Registry(registry::Args),
}

/// Runs the program.
fn main() -> ExitCode {
    lglp_terminal::prepare();
    if let Some(status) = child_process() {
        return status;
    }
    let cli = Cli::parse();
    let context = Context::new(cli.global);
    let result = match cli.command {
        Command::Serve(args) => serve::run(&context, &args),
        Command::Predict(args) => predict::run(&context, &args),
        Command::Explain(args) => explain::run(&context, &args),
        Command::Search(args) => search::run(&context, &args),
        Command::Onboard(args) => onboard::run(&context, &args),
        Command::Measure(args) => measure::run(&context, &args),
        Command::Clean(args) => clean::run(&context, &args),
        Command::Train(args) => train::run(&context, &args),
        Command::Validate(args) => validate::run(&context, &args),
        Command::Validations(args) => validate::list(&context, &args),
        Command::Promote(args) => promote::run(&context, &args),
        Command::Rollback(args) => rollback::run(&context, &args),
        Command::Gate(args) => gate::run(&context, &args),
        Command::Jobs(args) => jobs::run(&context, &args),
        Command::Traffic(args) => traffic::run(&context, &args),
        Command::Models(args) => models::run(&context, &args),
        Command::Hardware(args) => hardware::run(&context, &args),
        Command::Dataset(args) => dataset::run(&context, &args),
        Command::Savings(args) => savings::run(&context, &args),
        Command::Reproduce(args) => reproduce::run(&context, &args),
        Command::Sample(args) => sample::run(&context, &args),
        Command::Network(args) => network::run(&context, &args),
        Command::Plugins(args) => plugins::run(&context, &args),
        Command::Spaces(args) => spaces::run(&context, &args),
        Command::Token(args) => token::run(&context, &args),
        Command::Openapi(args) => openapi::run(&args),
        Command::Workers(args) => workers::run(&context, &args),
        Command::Webhook(args) => webhook::run(&context, &args),
        Command::Worker(args) => context.worker(&args),
        Command::Audit(args) => audit::run(&context, &args),
        Command::Registry(args) => registry::run(&context, &args),
    };
    lglp_terminal::exit(result)
}

//! The program `lglp-worker`, for machines that measure and do nothing else.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Command, CommandFactory as _, FromArgMatches as _, Parser};
use lglp_engine::host::{MACHINE_FILE, child_process};
use lglp_terminal::{HostOptions, ServerOptions};
use lglp_worker::command::{self, Surroundings};

/// Measures neural networks on this machine for an lglp server elsewhere.
#[derive(Parser)]
#[command(name = "lglp-worker", version, about, long_about = None)]
struct Program {
    #[command(flatten)]
    host: HostOptions,
    #[command(flatten)]
    server: ServerOptions,
    /// Print JSON instead of lines and tables.
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    args: command::Args,
}

fn main() -> ExitCode {
    lglp_terminal::prepare();
    if let Some(status) = child_process() {
        return status;
    }
    let read = Program::from_arg_matches(&options().get_matches()).unwrap_or_else(|error| error.exit());
    let beside = || std::env::current_exe().map(|program| program.with_file_name(MACHINE_FILE));
    let result = command::run(
        &Surroundings {
            server: &read.server,
            host: &read.host,
            runtimes: &beside().unwrap_or_else(|_| PathBuf::from(MACHINE_FILE)),
            json: read.json,
        },
        &read.args,
    );
    lglp_terminal::exit(result)
}

/// What is told of the options that `lglp` has as well, and of examples, as it is for this program.
fn options() -> Command {
    let options = Program::command()
        .mut_subcommand("doctor", with_own_examples)
        .mut_arg("server", |server| {
            server.help("The server to measure for, e.g. http://127.0.0.1:8080")
        })
        .mut_arg("runtimes", |runtimes| {
            runtimes.help(
                "File in which the owner of this machine names the programs, libraries and files that runtimes use here [default: \
                 `runtimes.toml` beside this program, where there is one]",
            )
        });
    with_own_examples(options)
}

fn with_own_examples(command: Command) -> Command {
    let examples = command.get_after_help().map(|help| help.to_string());
    let own = examples.unwrap_or_default().replace("lglp worker", "lglp-worker");
    command.after_help(own)
}

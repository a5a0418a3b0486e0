//! `lglp-tensorrt`, the helper of the plugin: asks the NVIDIA driver and TensorRT in a process of its own, which may hang or
//! crash without harm. Its argument is a request, its output an answer; see `wire.rs`.

mod bench;
mod driver;
mod engine;
mod shim;
mod tensorrt;
#[path = "../src/wire.rs"]
mod wire;

use std::fs::File;
use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;
use wire::{Answer, Request};

/// Why there is nothing to answer.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    /// Something is missing on this machine.
    #[error("{0}")]
    Unavailable(String),
    /// What is there failed.
    #[error("{0}")]
    Failed(String),
}

fn main() -> ExitCode {
    let request = std::env::args().nth(1).unwrap_or_default();
    let request: Request = match serde_json::from_str(&request) {
        Ok(request) => request,
        Err(problem) => {
            eprintln!("lglp-tensorrt is started by the plugin beside it, with a request in JSON: {problem}");
            return ExitCode::FAILURE;
        }
    };
    let Ok(mut answers) = own_output() else {
        eprintln!("lglp-tensorrt: no output to answer on");
        return ExitCode::FAILURE;
    };
    let written = match request {
        Request::Probe { driver, device } => answer(&mut answers, driver::probe(driver.as_deref(), device)),
        Request::Find { library } => answer(&mut answers, tensorrt::find(library.as_deref())),
        Request::Build(build) => answer(&mut answers, engine::build(&build)),
        Request::Serve(serve) => bench::serve(&serve, &mut answers),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("lglp-tensorrt: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Standard output for answers alone: what libraries print goes to standard error.
fn own_output() -> std::io::Result<File> {
    let answers = rustix::io::dup(rustix::stdio::stdout())?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    Ok(answers.into())
}

fn answer<T: Serialize>(to: &mut File, result: Result<T, Refusal>) -> std::io::Result<()> {
    let answer = match result {
        Ok(value) => Answer::Done(value),
        Err(Refusal::Unavailable(reason)) => Answer::Unavailable(reason),
        Err(Refusal::Failed(reason)) => Answer::Failed(reason),
    };
    let line = serde_json::to_string(&answer)?;
    writeln!(to, "{line}")
}

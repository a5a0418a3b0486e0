//! The helper's own side.

use std::fs::File;
use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::mpsc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Answer;

/// Why there is nothing to answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// Something is missing on this machine.
    #[error("{0}")]
    Unavailable(String),
    /// What is there failed.
    #[error("{0}")]
    Failed(String),
}

/// Where a helper answers.
#[derive(Debug)]
pub struct Answers(File);

impl Answers {
    /// Gives a helper's request, its only argument, and the place for its answers to `serve`; the status that it ends with.
    /// Standard output is for answers alone from then on: what libraries print goes to standard error.
    pub fn to<R: DeserializeOwned>(serve: impl FnOnce(R, &mut Self) -> std::io::Result<()>) -> ExitCode {
        let mut arguments = std::env::args();
        let program = arguments.next().unwrap_or_default();
        let request = match serde_json::from_str(&arguments.next().unwrap_or_default()) {
            Ok(request) => request,
            Err(problem) => {
                eprintln!("{program} is started by the plugin beside it, with a request in JSON: {problem}");
                return ExitCode::FAILURE;
            }
        };
        let served = Self::own_output().and_then(|mut answers| serve(request, &mut answers));
        match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => {
                eprintln!("{program}: {problem}");
                ExitCode::FAILURE
            }
        }
    }

    fn own_output() -> std::io::Result<Self> {
        let answers = rustix::io::dup(rustix::stdio::stdout())?;
        rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
        Ok(Self(answers.into()))
    }

    /// Answers with a line.
    ///
    /// # Errors
    /// Nobody reads it any more.
    pub fn give<T: Serialize>(&mut self, result: Result<T, Refusal>) -> std::io::Result<()> {
        let answer = match result {
            Ok(value) => Answer::Done(value),
            Err(Refusal::Unavailable(reason)) => Answer::Unavailable(reason),
            Err(Refusal::Failed(reason)) => Answer::Failed(reason),
        };
        let line = serde_json::to_string(&answer)?;
        writeln!(self.0, "{line}")
    }
}

/// The questions of a [`Session`](super::Session), a line each. The process ends with its input: the plugin is gone then, even if
/// something still hangs.
pub fn questions<T: FromStr + Send + 'static>() -> mpsc::Receiver<T> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let Ok(question) = line.trim().parse() else { break };
            if send.send(question).is_err() {
                break;
            }
        }
        std::process::exit(0);
    });
    receive
}

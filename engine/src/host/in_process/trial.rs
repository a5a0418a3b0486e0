//! A trial: a child process loads files as this process will, one after the other, and tells how each went.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::library::Library;
use crate::host::PluginError;
use crate::host::child::{Answering, End, Heard, Question, is_asked};
use crate::host::components::Components;
use crate::host::file::Opening;

/// The argument that a child process is started with.
const SUBCOMMAND: &str = "try-plugins";

/// How a trial went.
pub(super) struct Trial {
    /// What came of each file, up to the one at which the child ended.
    pub told: Vec<Result<(), PluginError>>,
    /// What happened at the next file; none where all were told of.
    pub cut_off: Option<PluginError>,
}

/// Has a child load files, in their order. One that takes longer than `patience` for a file is killed, with whatever it has
/// started. `program` is the lglp that is started.
pub(super) fn try_out(program: &Path, files: &[&Opening], patience: Duration) -> Trial {
    let question = Question {
        program,
        subcommand: SUBCOMMAND,
        files,
        asked: files,
        answers: files.len(),
    };
    match question.ask::<Result<(), String>>(patience) {
        Ok(Heard { told, cut_off }) => Trial {
            told: told
                .into_iter()
                .map(|outcome| outcome.map_err(PluginError::NotLoadable))
                .collect(),
            cut_off: cut_off.map(|cut_off| PluginError::NotLoadable(cut_off.told_as(in_words(cut_off.end)))),
        },
        Err(error) => Trial {
            told: Vec::new(),
            cut_off: Some(PluginError::NotLoadable(format!("it cannot be tried out: {error}"))),
        },
    }
}

fn in_words(end: End) -> String {
    match end {
        End::Killed(signal) => format!("loading it kills the process (signal {signal})"),
        End::Exited(status) => format!("loading it ends the process (status {status})"),
        End::Overdue(seconds) => format!("it was still loading after {seconds} s"),
    }
}

/// The child's side, where this process is one; the status that it ends with.
pub(in crate::host) fn child() -> Option<ExitCode> {
    is_asked(SUBCOMMAND).then(try_files)
}

fn try_files() -> ExitCode {
    let (files, mut answering) = match Answering::begin::<Vec<Opening>>() {
        Ok(begun) => begun,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let mut components = Components::default();
    for file in &files {
        let library = Library::open(file);
        let outcome = library.and_then(|library| components.admit(&library.opened()?));
        if answering
            .tell(outcome.map(drop).map_err(|error| error.to_string()))
            .is_err()
        {
            return ExitCode::FAILURE;
        }
    }
    answering.wait()
}

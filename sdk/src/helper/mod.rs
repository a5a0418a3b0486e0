//! A plugin's helper: a program of its own that lies beside the plugin's file, for libraries that may hang, crash, or want an
//! environment that the host does not have. It is started with a request in JSON, its only argument, and answers in lines of JSON.
//!
//! The plugin asks by [`Helper`] and [`Session`]; the helper itself answers by [`Answers`].

mod answers;
mod session;

pub use answers::{Answers, Refusal, questions};
pub use session::Session;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::plugin::PluginError;
use crate::program::{self, ProgramError};

/// A helper, by the name of its file.
#[derive(Clone, Copy, Debug)]
pub struct Helper(pub &'static str);

/// An answer: what was asked for, or why there is none.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer<T> {
    Done(T),
    /// Something is missing on this machine.
    Unavailable(String),
    /// What is there failed.
    Failed(String),
}

impl Helper {
    /// Whether its file is there.
    ///
    /// # Errors
    /// `Unavailable`, with the place where it is looked for.
    pub fn check(self) -> Result<(), PluginError> {
        let file = folder()?.join(self.0);
        if file.is_file() {
            return Ok(());
        }
        let message = format!("{} is missing; `make build` puts it beside the plugin", file.display());
        Err(PluginError::Unavailable(message))
    }

    /// Asks for one answer, within a time. `what` it is about begins the reason where there is none.
    ///
    /// # Errors
    /// `Unavailable` and `Failed`, as the helper says; `Failed` too where it ends without an answer, or is late.
    pub fn ask<T: DeserializeOwned>(
        self,
        request: &impl Serialize,
        limit: Duration,
        what: &str,
    ) -> Result<T, PluginError> {
        let output = program::run(self.command(request)?, limit).map_err(|error| match error {
            ProgramError::NotStarted { program, reason } => not_started(&program, &reason),
            error => PluginError::Failed(format!("{what}: {error}")),
        })?;
        read(output.stdout.lines().next_back().unwrap_or_default(), what)
    }

    /// The helper with a request, not started yet.
    ///
    /// # Errors
    /// `Failed` where the system does not tell which file the plugin is.
    pub fn command(self, request: &impl Serialize) -> Result<Command, PluginError> {
        let request = serde_json::to_string(request).map_err(PluginError::failed)?;
        let mut command = Command::new(folder()?.join(self.0));
        command.arg(request);
        Ok(command)
    }
}

fn not_started(program: &str, reason: &std::io::Error) -> PluginError {
    PluginError::Unavailable(format!(
        "the plugin's helper cannot be started: {program}: {reason}; `make build` puts it beside the plugin"
    ))
}

/// An answer of a helper.
fn read<T: DeserializeOwned>(line: &str, what: &str) -> Result<T, PluginError> {
    match serde_json::from_str(line) {
        Ok(Answer::Done(value)) => Ok(value),
        Ok(Answer::Unavailable(reason)) => Err(PluginError::Unavailable(reason)),
        Ok(Answer::Failed(reason)) => Err(PluginError::Failed(reason)),
        Err(problem) => Err(PluginError::Failed(format!(
            "{what}: the helper answers {line:?} ({problem})"
        ))),
    }
}

/// The folder of the file that this code was loaded from. The host runs a copy of it in memory, which has the file's path for its name.
fn folder() -> Result<PathBuf, PluginError> {
    let here = folder as fn() -> Result<PathBuf, PluginError> as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").map_err(PluginError::failed)?;
    let file = maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        let path = &rest[rest.find('/')?..];
        let path = path.strip_prefix("/memfd:").unwrap_or(path);
        let path = path.strip_suffix(" (deleted)").unwrap_or(path);
        (number(start)?..number(end)?)
            .contains(&here)
            .then(|| PathBuf::from(path))
    });
    // The name of a plugin in memory is no path where that is too long; a program of the search path is none of its own.
    let file = file.filter(|file| file.is_absolute());
    let folder = file.as_deref().and_then(|file| file.parent()).map(PathBuf::from);
    folder.ok_or_else(|| PluginError::Failed("the kernel does not tell which file this plugin is".into()))
}

//! The helper, `lglp-tensorrt`, which lies beside the plugin's file.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use lglp_sdk::plugin::PluginError;
use lglp_sdk::program::{self, ProgramError};
use serde::de::DeserializeOwned;

use crate::wire::{Answer, Request};

const NAME: &str = "lglp-tensorrt";

/// Asks the helper, which has so much time to answer. `what` it is about begins the reason where it ends without an answer.
pub fn ask<T: DeserializeOwned>(request: &Request, limit: Duration, what: &str) -> Result<T, PluginError> {
    let output = program::run(command(request)?, limit).map_err(|error| match error {
        ProgramError::NotStarted { program, reason } => PluginError::Unavailable(format!(
            "the plugin's helper cannot be started: {program}: {reason}; `make build` puts it beside the plugin"
        )),
        error => PluginError::Failed(format!("{what}: {error}")),
    })?;
    read(output.stdout.lines().next_back().unwrap_or_default(), what)
}

/// The helper with a request, not started yet.
pub fn command(request: &Request) -> Result<Command, PluginError> {
    let request = serde_json::to_string(request).map_err(PluginError::failed)?;
    let mut command = Command::new(folder()?.join(NAME));
    command.arg(request);
    Ok(command)
}

/// An answer of the helper.
pub fn read<T: DeserializeOwned>(line: &str, what: &str) -> Result<T, PluginError> {
    match serde_json::from_str(line) {
        Ok(Answer::Done(value)) => Ok(value),
        Ok(Answer::Unavailable(reason)) => Err(PluginError::Unavailable(reason)),
        Ok(Answer::Failed(reason)) => Err(PluginError::Failed(reason)),
        Err(problem) => Err(PluginError::Failed(format!(
            "{what}: the helper answers {line:?} ({problem})"
        ))),
    }
}

/// The folder of the file that this code was loaded from. The host opens plugins by their descriptor, so that only the kernel
/// still knows the name.
fn folder() -> Result<PathBuf, PluginError> {
    let here = folder as fn() -> Result<PathBuf, PluginError> as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").map_err(PluginError::failed)?;
    let file = maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        let path = &rest[rest.find('/')?..];
        (number(start)?..number(end)?)
            .contains(&here)
            .then(|| PathBuf::from(path))
    });
    let folder = file.as_deref().and_then(|file| file.parent()).map(PathBuf::from);
    folder.ok_or_else(|| PluginError::Failed("the kernel does not tell which file this plugin is".into()))
}

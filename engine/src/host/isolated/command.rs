//! The command that a process is started by, and the environment that it is given.

use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::message::{SUBCOMMAND, Start};
use crate::host::file::Opening;

/// Variables that a plugin is given, and how others begin. None may hold a secret.
const VARIABLES: &[&str] = &[
    "CUDA_DEVICE_ORDER",
    "CUDA_HOME",
    "CUDA_MODULE_LOADING",
    "CUDA_VISIBLE_DEVICES",
    "HOME",
    "LANG",
    "LD_LIBRARY_PATH",
    "LGLP_NATIVE",
    "NVIDIA_DRIVER_CAPABILITIES",
    "NVIDIA_TF32_OVERRIDE",
    "NVIDIA_VISIBLE_DEVICES",
    "PATH",
    "TZ",
    "USER",
];
const PREFIXES: &[&str] = &["KMP_", "LC_", "MKL_", "OMP_", "OPENBLAS_"];

/// `socket` stands in for its standard input.
pub(super) fn command(program: &Path, start: &Start<&Opening>, socket: OwnedFd) -> std::io::Result<Command> {
    let mut command = Command::new(program);
    command
        .arg(SUBCOMMAND)
        .arg(serde_json::to_string(start)?)
        .env_clear()
        .stdin(Stdio::from(socket))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0);
    for (name, value) in std::env::vars_os() {
        let is_given = name
            .to_str()
            .is_some_and(|name| VARIABLES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
        if is_given {
            command.env(name, value);
        }
    }
    Ok(command)
}

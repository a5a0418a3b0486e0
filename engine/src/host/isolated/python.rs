//! Plugins that are Python programs: the interpreter takes the place of the process that lglp would run a library in, and the bridge
//! speaks for it.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::host::Settings;
use crate::host::file::{Language, Opening};

/// The other side of [`super::child`], in Python.
const BRIDGE: &str = include_str!("bridge.py");

/// The interpreter that a plugin needs, if it does.
pub(super) fn interpreter(file: &Opening, settings: &Settings) -> Option<String> {
    let found = || found_in_path(&settings.python).unwrap_or_else(|| PathBuf::from(&settings.python));
    (file.language == Language::Python).then(|| found().display().to_string())
}

fn found_in_path(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return std::path::absolute(program).ok();
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Folders that an interpreter and its packages lie in: its own, that of an environment it belongs to, and those on the way where it is
/// a link.
pub(super) fn folders(interpreter: &str) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    let mut program = PathBuf::from(interpreter);
    loop {
        folders.extend(program.parent().and_then(Path::parent).map(Path::to_owned));
        let Ok(target) = std::fs::read_link(&program) else {
            break;
        };
        let folder = program.parent().map(Path::to_owned).unwrap_or_default();
        // More links than the system follows are a circle.
        if folders.len() > 40 {
            break;
        }
        program = folder.join(target);
    }
    folders.extend(
        std::fs::canonicalize(interpreter)
            .ok()
            .and_then(|program| Some(program.parent()?.parent()?.to_owned())),
    );
    folders.retain(|folder| is_prefix(folder));
    folders
}

/// Whether an interpreter's packages lie in a folder: no other folder that somebody put a link into is to be read.
fn is_prefix(folder: &Path) -> bool {
    let has_packages = |libraries: &str| {
        let entries = std::fs::read_dir(folder.join(libraries))
            .into_iter()
            .flatten()
            .flatten();
        entries
            .into_iter()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("python3"))
    };
    folder.join("pyvenv.cfg").is_file() || has_packages("lib") || has_packages("lib64")
}

/// Becomes the interpreter, which runs the bridge; the error where that cannot be. In the sandbox the bridge gives up starting programs
/// before it runs the plugin: the one that a thread becomes would not end with lglp.
pub(super) fn become_interpreter(interpreter: &str, start: &str, sandbox: bool) -> std::io::Error {
    let given_up = if sandbox { libc::SYS_execve } else { 0 }.to_string();
    // Isolated from the user's environment, and without writing what it compiled.
    let arguments = ["-I", "-B", "-c", BRIDGE, start, &given_up];
    let error = Command::new(interpreter).args(arguments).exec();
    let why = match error.kind() {
        ErrorKind::NotFound => "there is no such program".to_owned(),
        _ => error.to_string(),
    };
    std::io::Error::other(format!(
        "cannot start the Python interpreter {interpreter}: {why}; name one by `python` in plugins.toml, or by LGLP_PYTHON"
    ))
}

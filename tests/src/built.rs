//! What was built, and that it is what the sources say.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

/// The folder that `make build` fills: the one that this program was built into itself.
///
/// # Panics
/// Where the system does not tell.
pub fn release() -> PathBuf {
    let own = std::env::current_exe().expect("a program has a file");
    own.ancestors()
        .nth(2)
        .expect("tests lie in deps/, others in examples/")
        .to_owned()
}

/// A built program, with `plugins/` beside it.
///
/// # Panics
/// Where it, or a plugin, is older than a source of it: a test would judge a program that is not there any more.
pub(crate) fn current(program: &str) -> PathBuf {
    static OLDER: OnceLock<Option<String>> = OnceLock::new();
    if let Some(why) = OLDER.get_or_init(older) {
        panic!("{why}; `make build` builds anew what tests run");
    }
    release().join(program)
}

/// What is older than a source of it, if anything is. Cargo writes beside each thing that it builds which files it was built from.
fn older() -> Option<String> {
    let programs = ["lglp", "lglp-worker"].map(|name| (release().join(name), release().join(format!("{name}.d"))));
    let plugins = std::fs::read_dir(release().join("plugins"))
        .into_iter()
        .flatten()
        .flatten();
    let plugins = plugins.filter_map(|entry| {
        let told = release().join(entry.file_name()).with_extension("d");
        told.exists().then(|| (entry.path(), told))
    });
    programs.into_iter().chain(plugins).find_map(|(built, told)| {
        let newer = newer_source(&built, &told)?;
        Some(format!("{} is older than {}", built.display(), newer.display()))
    })
}

/// A source that is newer than what was built from it, or not there any more. What was not built is for whoever starts it to miss.
fn newer_source(built: &Path, told: &Path) -> Option<PathBuf> {
    let since = changed(built)?;
    let text = std::fs::read_to_string(told).ok()?;
    // As `make` reads it: spaces divide, those in names stand behind a backslash.
    let sources = text.split_once(": ")?.1.replace("\\ ", "\0");
    let mut sources = sources
        .split_whitespace()
        .map(|source| PathBuf::from(source.replace('\0', " ")));
    sources.find(|source| changed(source).is_none_or(|at| at > since))
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

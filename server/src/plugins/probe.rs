//! The probe: loading a file in a child process before the server loads it.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{PluginDescription, PluginError, library::Library};

/// The hidden subcommand that a child process is started with.
pub const SUBCOMMAND: &str = "probe-plugin";

/// Loading takes 0.2 s with libtorch; a plugin that takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a plugin file says of itself, loaded into this process.
pub fn describe(file: &Path) -> Result<PluginDescription, PluginError> {
    Library::open(file)?.describe()
}

/// The child's side: loads the file, prints nothing, and leaves the reason on standard error where it cannot.
pub fn main(file: &Path) -> std::process::ExitCode {
    match describe(file) {
        Ok(_) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// Probes files side by side.
pub fn probe_all(program: &Path, files: &[PathBuf]) -> Vec<Result<(), PluginError>> {
    std::thread::scope(|scope| {
        let probes: Vec<_> = files.iter().map(|file| scope.spawn(|| probe(program, file))).collect();
        let lost = || Err(PluginError::NotLoadable("its probe did not end".into()));
        probes
            .into_iter()
            .map(|p| p.join().unwrap_or_else(|_| lost()))
            .collect()
    })
}

fn probe(program: &Path, file: &Path) -> Result<(), PluginError> {
    let fail = |message: String| PluginError::NotLoadable(message);
    let mut child = Command::new(program)
        .arg(SUBCOMMAND)
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| fail(format!("cannot start a probe: {e}")))?;
    let mut stderr = child.stderr.take().expect("piped");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        // What a crashing plugin printed is for people; where it is no text, the signal says enough.
        let _ = stderr.read_to_string(&mut text);
        text
    });
    let started = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|e| fail(e.to_string()))? {
            Some(status) => break status,
            None if started.elapsed() > PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(fail(format!("it was still loading after {} s", PATIENCE.as_secs())));
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    if status.success() {
        return Ok(());
    }
    let said = reader.join().unwrap_or_default();
    let last = said
        .lines()
        .rev()
        .find(|l| !l.trim().is_empty())
        .unwrap_or("no message");
    match std::os::unix::process::ExitStatusExt::signal(&status) {
        Some(signal) => Err(fail(format!("loading it kills the process (signal {signal}): {last}"))),
        None => Err(fail(last.to_owned())),
    }
}

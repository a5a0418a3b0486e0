//! A trial: a child process loads files as this process will, one after the other, and tells how each went.
//!
//! The child inherits the very descriptors, the environment and the working folder. What it tells carries a number that the
//! parent chose and that no plugin is told, so that neither exit status 0 nor anything that a plugin writes passes for having
//! come through.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use lglp_sdk::program::ProcessGroup;
use lglp_sdk::{Excerpt, Printable};
use rand::Rng;
use rustix::fs::{MemfdFlags, OFlags, fcntl_setfl, memfd_create};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::stdio::{dup2_stdin, dup2_stdout, stdout};
use serde::{Deserialize, Serialize};

use super::file::Opening;
use super::library::Library;
use super::{Components, PluginError};

/// The argument that a child process is started with: a word that no program takes for a subcommand of its own.
const SUBCOMMAND: &str = "try-plugins";

/// Between two looks at a child.
const LOOK: Duration = Duration::from_millis(5);

/// The end of what a child writes that is kept, bytes.
const KEPT: usize = 64 << 10;

/// Characters of a child's last line that an error repeats.
const LAST_LINE: usize = 500;

/// What the parent hands to the child, on standard input.
#[derive(Serialize, Deserialize)]
struct Request {
    nonce: String,
    files: Vec<Opening>,
}

/// What the child tells of one file: a line, on what was its standard output.
#[derive(Serialize, Deserialize)]
struct Told {
    nonce: String,
    /// The reason where it cannot be used.
    outcome: Result<(), String>,
}

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
    let mut told = Vec::with_capacity(files.len());
    let cut_off = watch(program, files, patience, &mut told).unwrap_or_else(|error| {
        let reason = format!("it cannot be tried out: {error}");
        Some(PluginError::NotLoadable(reason))
    });
    Trial { told, cut_off }
}

fn watch(
    program: &Path,
    files: &[&Opening],
    patience: Duration,
    told: &mut Vec<Result<(), PluginError>>,
) -> std::io::Result<Option<PluginError>> {
    let nonce = format!("{:032x}", rand::rng().random::<u128>());
    let mut child = start(program, files, &nonce)?;
    let mut proof = Pipe::new(child.0.stdout.take().map(OwnedFd::from))?;
    let mut said = Pipe::new(child.0.stderr.take().map(OwnedFd::from))?;
    let mut deadline = Instant::now() + patience;
    loop {
        // Asked before it is read what the child wrote: then nothing that it wrote before its end is missed.
        let status = child.0.try_wait()?;
        proof.read();
        said.read();
        while let Some(line) = proof.line() {
            let line: Option<Told> = serde_json::from_slice(&line).ok();
            if let Some(Told { outcome, .. }) = line.filter(|line| line.nonce == nonce) {
                told.push(outcome.map_err(PluginError::NotLoadable));
                deadline = Instant::now() + patience;
            }
        }
        let why = match status {
            _ if told.len() >= files.len() => return Ok(None),
            Some(status) => ended(status),
            None if Instant::now() >= deadline => format!("it was still loading after {} s", patience.as_secs()),
            None => {
                std::thread::sleep(LOOK);
                continue;
            }
        };
        drop(child);
        said.read();
        let last_words = said.last_line().map_or_else(String::new, |line| format!(": {line}"));
        return Ok(Some(PluginError::NotLoadable(format!("{why}{last_words}"))));
    }
}

fn start(program: &Path, files: &[&Opening], nonce: &str) -> std::io::Result<ProcessGroup> {
    let request = Request {
        nonce: nonce.to_owned(),
        files: files.iter().copied().cloned().collect(),
    };
    // In memory and not through a pipe: writing to a child that died would end this process.
    let mut input = File::from(memfd_create("lglp-trial", MemfdFlags::CLOEXEC)?);
    input.write_all(serde_json::to_string(&request)?.as_bytes())?;
    input.rewind()?;
    let descriptors: Vec<_> = files.iter().map(|file| file.descriptor).collect();
    let mut command = Command::new(program);
    command
        .arg(SUBCOMMAND)
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let prepare = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        for descriptor in &descriptors {
            // SAFETY: the parent has it open, and so has this child until it starts the program.
            let descriptor = unsafe { BorrowedFd::borrow_raw(*descriptor) };
            fcntl_setfd(descriptor, FdFlags::empty())?;
        }
        Ok(())
    };
    // SAFETY: system calls alone, which are allowed between fork and exec.
    unsafe { command.pre_exec(prepare) };
    command.spawn().map(ProcessGroup)
}

/// The child's side, where this process is one; the status that it ends with. A program that has a plugin host begins with it.
pub fn trial() -> Option<ExitCode> {
    let asked = std::env::args_os().nth(1).is_some_and(|first| first == SUBCOMMAND);
    asked.then(try_files)
}

fn try_files() -> ExitCode {
    let request: Request = match serde_json::from_reader(std::io::stdin()) {
        Ok(request) => request,
        Err(error) => {
            eprintln!("not started by lglp: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut proof = match hide_proof() {
        Ok(proof) => proof,
        Err(error) => {
            eprintln!("cannot prepare a trial: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut components = Components::default();
    for file in &request.files {
        let outcome = Library::open(file).and_then(|library| components.admit(library));
        let told = Told {
            nonce: request.nonce.clone(),
            outcome: outcome.map(drop).map_err(|error| error.to_string()),
        };
        // Between line breaks, so that nothing that a plugin wrote stands on the same line.
        if writeln!(proof, "\n{}", serde_json::json!(told)).is_err() {
            return ExitCode::FAILURE;
        }
    }
    // Waits for the end: how plugins behave while a process exits is not what was asked.
    loop {
        std::thread::park();
    }
}

/// Takes standard output for the proof, and leaves nothing there and on standard input for plugins to write and read.
fn hide_proof() -> std::io::Result<File> {
    /// Above the descriptors that programs pass on by number.
    const HIGH: i32 = 1000;
    let proof = fcntl_dupfd_cloexec(stdout(), HIGH).or_else(|_| fcntl_dupfd_cloexec(stdout(), 3))?;
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&nothing)?;
    dup2_stdout(&nothing)?;
    Ok(File::from(proof))
}

fn ended(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("loading it kills the process (signal {signal})"),
        (None, code) => format!("loading it ends the process (status {})", code.unwrap_or_default()),
    }
}

/// What comes through a pipe, read without waiting; somebody may hold its other end for ever.
struct Pipe {
    file: Option<File>,
    /// What came and was not taken: its end, where it is too much.
    bytes: Vec<u8>,
}

impl Pipe {
    fn new(end: Option<OwnedFd>) -> std::io::Result<Self> {
        if let Some(end) = &end {
            fcntl_setfl(end.as_fd(), OFlags::NONBLOCK)?;
        }
        let bytes = Vec::new();
        let file = end.map(File::from);
        Ok(Self { file, bytes })
    }

    /// Takes in what is there, as much as a pipe holds.
    fn read(&mut self) {
        let Some(file) = &mut self.file else { return };
        let mut buffer = [0; 16 << 10];
        for _ in 0..KEPT / buffer.len() {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let surplus = self.bytes.len().saturating_sub(KEPT);
        self.bytes.drain(..surplus);
    }

    /// Takes the next whole line out.
    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        Some(self.bytes.drain(..=end).collect())
    }

    /// The last line that says something, fit for a terminal.
    fn last_line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.bytes);
        let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
        Some(Excerpt::within(Printable::of(line), LAST_LINE).to_string())
    }
}

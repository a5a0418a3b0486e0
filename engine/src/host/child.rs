//! A child process of lglp's own that has to do with plugins, and tells how that goes.
//!
//! The child inherits the very descriptors, the environment and the working folder. What it tells carries a number that the
//! parent chose and that no plugin is told, so that neither exit status 0 nor anything that a plugin writes by mistake passes for having
//! come through. It keeps no secret from a plugin that means harm: that reads the memory of its process.

use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use lglp_sdk::program::ProcessGroup;
use lglp_sdk::{Excerpt, Printable};
use rand::Rng;
use rustix::fs::{MemfdFlags, OFlags, fcntl_setfl, memfd_create};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::stdio::{dup2_stdin, dup2_stdout, stdout};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::file::Opening;

/// Between two looks at a child.
const LOOK: Duration = Duration::from_millis(5);

/// The end of what a child writes that is kept, bytes.
pub(super) const KEPT: usize = 64 << 10;

/// The same of what it tells: descriptions of components are as large as their schemas.
const TOLD: usize = 16 << 20;

/// Characters of a child's last line that an error repeats.
pub(super) const LAST_LINE: usize = 500;

/// What the parent hands to the child, on standard input.
#[derive(Serialize, Deserialize)]
struct Request<T> {
    nonce: String,
    asked: T,
}

/// What the child tells: a line, on what was its standard output.
#[derive(Serialize, Deserialize)]
struct Told<T> {
    nonce: String,
    told: T,
}

/// Why a child told no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A signal ended it.
    Killed(i32),
    /// It ended with a status.
    Exited(i32),
    /// It took longer than so many seconds, and was killed.
    Overdue(u64),
}

/// A child that told less than it was to.
pub(super) struct CutOff {
    pub end: End,
    /// The last line that it wrote.
    last_words: Option<String>,
}

impl CutOff {
    /// In words, `why` being the end.
    pub(super) fn told_as(&self, why: impl Display) -> String {
        match &self.last_words {
            Some(line) => format!("{why}: {line}"),
            None => why.to_string(),
        }
    }
}

/// What a child told, and why it told no more where that is less than it was to.
pub(super) struct Heard<T> {
    pub told: Vec<T>,
    pub cut_off: Option<CutOff>,
}

/// What a child is asked.
pub(super) struct Question<'a, R> {
    /// The lglp that is started.
    pub program: &'a Path,
    /// A word that no program takes for a subcommand of its own.
    pub subcommand: &'static str,
    /// What it inherits.
    pub files: &'a [&'a Opening],
    pub asked: R,
    /// Things that it has to tell.
    pub answers: usize,
}

impl<R: Serialize> Question<'_, R> {
    /// Asks a child. One that takes longer than `patience` for an answer is killed, with whatever it has started.
    ///
    /// # Errors
    /// Of the system: the child cannot be started, or followed.
    pub(super) fn ask<T: DeserializeOwned>(&self, patience: Duration) -> std::io::Result<Heard<T>> {
        let nonce = format!("{:032x}", rand::rng().random::<u128>());
        let mut child = self.start(&nonce)?;
        let mut proof = Pipe::new(child.0.stdout.take().map(OwnedFd::from), TOLD)?;
        let mut said = Pipe::new(child.0.stderr.take().map(OwnedFd::from), KEPT)?;
        let mut told = Vec::with_capacity(self.answers);
        let mut deadline = Instant::now() + patience;
        loop {
            // Asked before it is read what the child wrote: then nothing that it wrote before its end is missed.
            let status = child.0.try_wait()?;
            proof.read();
            said.read();
            while let Some(line) = proof.line() {
                let line: Option<Told<T>> = serde_json::from_slice(&line).ok();
                if let Some(line) = line.filter(|line| line.nonce == nonce) {
                    told.push(line.told);
                    deadline = Instant::now() + patience;
                }
            }
            let end = match status {
                _ if told.len() >= self.answers => return Ok(Heard { told, cut_off: None }),
                Some(status) => End::of(status),
                None if Instant::now() >= deadline => End::Overdue(patience.as_secs()),
                None => {
                    std::thread::sleep(LOOK);
                    continue;
                }
            };
            drop(child);
            said.read();
            let last_words = said.last_line();
            return Ok(Heard {
                told,
                cut_off: Some(CutOff { end, last_words }),
            });
        }
    }

    fn start(&self, nonce: &str) -> std::io::Result<ProcessGroup> {
        let request = Request {
            nonce: nonce.to_owned(),
            asked: &self.asked,
        };
        // In memory and not through a pipe: writing to a child that died would end this process.
        let mut input = File::from(memfd_create("lglp-question", MemfdFlags::CLOEXEC)?);
        input.write_all(serde_json::to_string(&request)?.as_bytes())?;
        input.rewind()?;
        let descriptors: Vec<_> = self.files.iter().map(|file| file.descriptor).collect();
        let mut command = Command::new(self.program);
        command
            .arg(self.subcommand)
            .env_remove("LGLP_TOKEN")
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
}

/// The child's side.
pub(super) struct Answering {
    nonce: String,
    proof: File,
}

/// Whether this process was started as a child with this subcommand.
pub(super) fn is_asked(subcommand: &str) -> bool {
    std::env::args_os().nth(1).is_some_and(|first| first == subcommand)
}

impl Answering {
    /// What is asked; then nothing is left on standard input and output for plugins to read and write.
    ///
    /// # Errors
    /// In words for people, where lglp did not start this process, or the system fails.
    pub(super) fn begin<R: DeserializeOwned>() -> Result<(R, Self), String> {
        let request: serde_json::Result<Request<R>> = serde_json::from_reader(std::io::stdin());
        let Request { nonce, asked } = request.map_err(|error| format!("not started by lglp: {error}"))?;
        let proof = hide_proof().map_err(|error| format!("cannot prepare a child of lglp: {error}"))?;
        Ok((asked, Self { nonce, proof }))
    }

    /// Tells something.
    ///
    /// # Errors
    /// Where nobody listens any more.
    pub(super) fn tell(&mut self, told: impl Serialize) -> std::io::Result<()> {
        let nonce = self.nonce.clone();
        let line = serde_json::to_string(&Told { nonce, told })?;
        // Between line breaks, so that nothing that a plugin wrote stands on the same line.
        writeln!(self.proof, "\n{line}")
    }

    /// Waits for the end: how plugins behave while a process exits is not what was asked.
    pub(super) fn wait(self) -> ! {
        loop {
            std::thread::park();
        }
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

impl End {
    pub(super) fn of(status: ExitStatus) -> Self {
        match (status.signal(), status.code()) {
            (Some(signal), _) => Self::Killed(signal),
            (None, code) => Self::Exited(code.unwrap_or_default()),
        }
    }
}

impl Display for End {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed(signal) => write!(f, "it kills the process (signal {signal})"),
            Self::Exited(status) => write!(f, "it ends the process (status {status})"),
            Self::Overdue(seconds) => write!(f, "it has not come back after {seconds} s"),
        }
    }
}

/// What comes through a pipe, read without waiting; somebody may hold its other end for ever.
pub(super) struct Pipe {
    file: Option<File>,
    /// What came and was not taken: its end, where it is too much.
    bytes: Vec<u8>,
    /// Bytes that are kept.
    kept: usize,
}

impl Pipe {
    pub(super) fn new(end: Option<OwnedFd>, kept: usize) -> std::io::Result<Self> {
        if let Some(end) = &end {
            fcntl_setfl(end.as_fd(), OFlags::NONBLOCK)?;
        }
        let bytes = Vec::new();
        let file = end.map(File::from);
        Ok(Self { file, bytes, kept })
    }

    /// Takes in what is there, as much as a pipe holds.
    pub(super) fn read(&mut self) {
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
        let surplus = self.bytes.len().saturating_sub(self.kept);
        self.bytes.drain(..surplus);
    }

    /// Takes the next whole line out.
    pub(super) fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        Some(self.bytes.drain(..=end).collect())
    }

    /// The last line that says something, fit for a terminal.
    pub(super) fn last_line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.bytes);
        let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
        Some(Excerpt::within(Printable::of(line), LAST_LINE).to_string())
    }
}

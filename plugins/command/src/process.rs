//! A program that stays: questions and answers are JSON objects, one a line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use lglp_sdk::Printable;
use lglp_sdk::plugin::PluginError;
use lglp_sdk::program::ProcessGroup;
use rustix::net::{SendFlags, send};
use rustix::process::{Signal, set_parent_process_death_signal};
use serde_json::{Map, Value};

use crate::parse::shortened;

/// Bytes of one answer at most.
const LONGEST_ANSWER: u64 = 16 << 20;

/// Bytes of the standard error at most; a program that is started once may write for days.
const LONGEST_ERRORS: u64 = 256 << 20;

/// Bytes of the standard error in which the last line is looked for.
const LAST_WORDS: usize = 4096;

/// A running program; killed with its group when it is dropped.
pub(crate) struct Process {
    child: ProcessGroup,
    questions: UnixStream,
    answers: Receiver<Vec<u8>>,
    errors: File,
    program: String,
}

/// Why there is no answer. The program is of no use any more.
#[derive(Debug)]
pub(crate) enum Silence {
    /// It ended, or closed its output: the same question to a new process may well be answered.
    Ended(String),
    /// It was too late, or talked nonsense.
    Faulty(String),
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Result<Self, PluginError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let system = |error: std::io::Error| PluginError::Failed(format!("cannot run {program}: {error}"));
        // A socket and not a pipe: writing to a program that has ended must be an error, and not the end of this
        // process by SIGPIPE.
        let (questions, theirs) = UnixStream::pair().map_err(system)?;
        let errors = tempfile::tempfile().map_err(system)?;
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::piped());
        command.stderr(errors.try_clone().map_err(system)?).process_group(0);
        // When the thread that started it ends, so does the program. A runtime that goes on in another thread starts it
        // anew.
        // SAFETY: a single system call, which is allowed between fork and exec.
        unsafe { command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?)) };
        let mut child = command
            .spawn()
            .map_err(|error| PluginError::Unavailable(format!("cannot start {program}: {error}")))?;
        // Or the other end of the socket would stay open here, and a program that ended would not be noticed.
        drop(command);
        let stdout = child.stdout.take().expect("piped");
        let (sender, answers) = sync_channel(1);
        std::thread::spawn(move || read_lines(stdout, &sender));
        Ok(Self {
            child: ProcessGroup(child),
            questions,
            answers,
            errors,
            program,
        })
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&mut self, question: &Value, limit: Duration) -> Result<Map<String, Value>, Silence> {
        if self.errors.metadata().is_ok_and(|file| file.len() > LONGEST_ERRORS) {
            let limit = LONGEST_ERRORS >> 20;
            return Err(self.faulty(&format!("wrote more than {limit} MiB to its standard error")));
        }
        let line = format!("{question}\n");
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            match send(&self.questions, rest, SendFlags::NOSIGNAL) {
                Ok(sent) => rest = &rest[sent..],
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return Err(self.ended()),
            }
        }
        match self.answers.recv_timeout(limit) {
            Ok(line) => self.object(&line),
            Err(RecvTimeoutError::Disconnected) => Err(self.ended()),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = limit.as_secs_f64();
                Err(self.faulty(&format!("did not answer {question} within {seconds} s and was killed")))
            }
        }
    }

    fn object(&self, line: &[u8]) -> Result<Map<String, Value>, Silence> {
        if let Ok(Value::Object(object)) = serde_json::from_slice(line) {
            return Ok(object);
        }
        let text = String::from_utf8_lossy(line);
        let said = Printable::of(shortened(text.trim_end()));
        Err(self.faulty(&format!(
            "answered with something that is not one JSON object a line: {said}; all else belongs on its standard error"
        )))
    }

    fn ended(&mut self) -> Silence {
        // Its output is closed a moment before it is gone, and what it ends with says more than that it was killed.
        let last_moment = Instant::now() + Duration::from_secs(1);
        while matches!(self.child.0.try_wait(), Ok(None)) && Instant::now() < last_moment {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child.kill();
        let status = self.child.0.wait();
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        Silence::Ended(format!(
            "{} ended without an answer ({how}){}",
            self.program,
            self.last_words()
        ))
    }

    /// Answers of another question are nonsense, too.
    pub(crate) fn faulty(&self, what: &str) -> Silence {
        Silence::Faulty(format!("{} {what}{}", self.program, self.last_words()))
    }

    /// Read without moving: the program writes where the file, which it shares, was moved to.
    fn last_words(&self) -> String {
        let mut bytes = vec![0; LAST_WORDS];
        let end = self.errors.metadata().map_or(0, |file| file.len());
        let read = self.errors.read_at(&mut bytes, end.saturating_sub(LAST_WORDS as u64));
        let text = String::from_utf8_lossy(&bytes[..read.unwrap_or(0)]);
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        last.map_or_else(String::new, |line| {
            format!("; its last line: {}", Printable::of(shortened(line.trim())))
        })
    }
}

/// Sends lines on, until there are no more or nobody wants them. A line that is too long is cut off, and the last one.
fn read_lines(stdout: ChildStdout, sender: &SyncSender<Vec<u8>>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut line = Vec::new();
        let read = (&mut stdout).take(LONGEST_ANSWER).read_until(b'\n', &mut line);
        let whole = line.ends_with(b"\n");
        if !matches!(read, Ok(1..)) || sender.send(line).is_err() || !whole {
            return;
        }
    }
}

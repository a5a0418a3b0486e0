//! A helper that stays, and is asked time and again.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::net::{SendFlags, send};
use rustix::process::{Signal, set_parent_process_death_signal};
use serde::de::DeserializeOwned;

use super::{not_started, read};
use crate::plugin::PluginError;
use crate::program::ProcessGroup;
use crate::{Excerpt, Printable};

/// Characters of a helper's last line that an error repeats.
const LAST_LINE: usize = 500;

/// Time between the end of a helper's output and its own.
const GRACE: Duration = Duration::from_millis(100);

/// A running helper; killed when it is dropped.
pub struct Session {
    child: ProcessGroup,
    /// None after the helper was killed, or ended.
    input: Option<UnixStream>,
    answers: Receiver<String>,
    stderr: File,
}

impl Session {
    /// Starts a [command](super::Helper::command), writes `input` to it, and waits for its first answer. `what` it is about begins
    /// the reason where there is none.
    ///
    /// # Errors
    /// As the helper says; `Failed` where it ends, or is late and is killed.
    pub fn start<T: DeserializeOwned>(
        mut command: Command,
        input: &[u8],
        limit: Duration,
        what: &str,
    ) -> Result<(Self, T), PluginError> {
        let stderr = tempfile::tempfile().map_err(PluginError::failed)?;
        // A socket and not a pipe: writing to a helper that has ended must be an error, and not the end of this process by SIGPIPE.
        let (to, theirs) = UnixStream::pair().map_err(PluginError::failed)?;
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::piped());
        command.stderr(stderr.try_clone().map_err(PluginError::failed)?);
        let program = command.get_program().to_string_lossy().into_owned();
        // SAFETY: a single system call, which is allowed between fork and exec.
        unsafe { command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?)) };
        let child = command.process_group(0).spawn();
        let mut child = ProcessGroup(child.map_err(|reason| not_started(&program, &reason))?);
        // Or the other end of the socket would stay open here, and a helper that ended would not be noticed.
        drop(command);
        let from = child.0.stdout.take();
        let (send, answers) = channel();
        // A pipe has no time limit, a channel has. The thread ends with the helper.
        std::thread::spawn(move || {
            let lines = from.map(|from| BufReader::new(from).lines());
            for line in lines.into_iter().flatten().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let mut session = Self {
            child,
            input: None,
            answers,
            stderr,
        };
        let first = std::thread::scope(|scope| {
            // A helper that does not read is killed when its time is over, which ends this, too. One that is gone has no answer.
            scope.spawn(|| written(&to, input));
            session.answer(limit, what)
        });
        session.input = Some(to);
        Ok((session, first?))
    }

    /// Asks with a line.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn ask<T: DeserializeOwned>(
        &mut self,
        question: impl std::fmt::Display,
        limit: Duration,
        what: &str,
    ) -> Result<T, PluginError> {
        let line = format!("{question}\n");
        let asked = self.input.as_ref().map(|input| written(input, line.as_bytes()));
        if !matches!(asked, Some(Ok(()))) {
            let reason = self.last_words();
            return Err(PluginError::Failed(format!("{what}: its process is gone{reason}")));
        }
        self.answer(limit, what)
    }

    /// The helper's next answer. One that is not there in time is not waited for: the helper is killed.
    fn answer<T: DeserializeOwned>(&mut self, limit: Duration, what: &str) -> Result<T, PluginError> {
        match self.answers.recv_timeout(limit) {
            Ok(line) => read(&line, what),
            Err(RecvTimeoutError::Timeout) => {
                self.input = None;
                self.child.kill();
                let (seconds, reason) = (limit.as_secs_f64(), self.last_words());
                Err(PluginError::Failed(format!(
                    "{what} took more than {seconds} s and was given up{reason}"
                )))
            }
            Err(RecvTimeoutError::Disconnected) => {
                // Most have ended; one that has only closed its output must not be waited for.
                std::thread::sleep(GRACE);
                self.child.kill();
                let ended = self.child.0.wait();
                let ended = ended.map_or_else(|e| e.to_string(), |status| status.to_string());
                self.input = None;
                let reason = self.last_words();
                Err(PluginError::Failed(format!(
                    "{what} ended its process ({ended}){reason}"
                )))
            }
        }
    }

    fn last_words(&mut self) -> String {
        let mut said = Vec::new();
        let read = self
            .stderr
            .rewind()
            .and_then(|()| (&self.stderr).take(1 << 20).read_to_end(&mut said));
        let said = String::from_utf8_lossy(&said);
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        match (read, last) {
            (Ok(_), Some(line)) => format!("; its last line: {}", Excerpt::within(Printable::of(line), LAST_LINE)),
            _ => String::new(),
        }
    }
}

/// Writes all of it.
fn written(to: &UnixStream, mut rest: &[u8]) -> rustix::io::Result<()> {
    while !rest.is_empty() {
        match send(to, rest, SendFlags::NOSIGNAL) {
            Ok(sent) => rest = &rest[sent..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

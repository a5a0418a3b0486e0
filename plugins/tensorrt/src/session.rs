//! The route by the library: the helper holds a network's engine, ready to run, as long as it is wanted.

use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use lglp_sdk::plugin::{PluginError, Sample};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::helper;
use crate::settings::Latency;
use crate::wire::{Request, Serve, Times};

/// A helper that has loaded an engine.
pub struct Session {
    child: Child,
    /// None after the helper was killed, or ended.
    input: Option<ChildStdin>,
    answers: Receiver<String>,
    stderr: std::fs::File,
}

impl Session {
    /// Starts a helper and waits until the engine is loaded.
    pub fn start(serve: Serve, limit: Duration) -> Result<Self, PluginError> {
        let mut command = helper::command(&Request::Serve(serve))?;
        let stderr = tempfile::tempfile().map_err(PluginError::failed)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(stderr.try_clone().map_err(PluginError::failed)?);
        let mut child = command.process_group(0).spawn().map_err(|reason| {
            PluginError::Unavailable(format!(
                "the plugin's helper cannot be started: {reason}; run `make build`"
            ))
        })?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (send, answers) = channel();
        // A pipe has no time limit, a channel has. The thread ends with the helper.
        std::thread::spawn(move || {
            let lines = output.map(|output| BufReader::new(output).lines());
            for line in lines.into_iter().flatten().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let mut session = Self {
            child,
            input,
            answers,
            stderr,
        };
        session.answer::<()>(limit, "loading an engine")?;
        Ok(session)
    }

    /// Runs the network so many times.
    pub fn run(&mut self, runs: usize, latency: Latency, limit: Duration) -> Result<Vec<Sample>, PluginError> {
        let asked = self
            .input
            .as_mut()
            .map(|input| writeln!(input, "{runs}").and_then(|()| input.flush()));
        if !matches!(asked, Some(Ok(()))) {
            let reason = self.last_words();
            return Err(PluginError::Failed(format!(
                "running an engine: its process is gone{reason}"
            )));
        }
        let times: Times = self.answer(limit, "running an engine")?;
        let chosen = match latency {
            Latency::GpuCompute => times.gpu_compute_ns,
            Latency::Host => times.host_ns,
        };
        if chosen.is_empty() || chosen.contains(&0) {
            return Err(PluginError::Failed(
                "the driver timed a run at 0 ns; do its events work?".into(),
            ));
        }
        let samples = chosen.into_iter().map(|wall_ns| Sample {
            wall_ns,
            ..Sample::default()
        });
        Ok(samples.collect())
    }

    /// The helper's next answer. One that is not there in time is not waited for: the helper is killed.
    fn answer<T: serde::de::DeserializeOwned>(&mut self, limit: Duration, what: &str) -> Result<T, PluginError> {
        match self.answers.recv_timeout(limit) {
            Ok(line) => helper::read(&line, what),
            Err(RecvTimeoutError::Timeout) => {
                self.end();
                let (seconds, reason) = (limit.as_secs_f64(), self.last_words());
                Err(PluginError::Failed(format!(
                    "{what} took more than {seconds} s and was given up{reason}"
                )))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let ended = self
                    .child
                    .wait()
                    .map_or_else(|e| e.to_string(), |status| status.to_string());
                self.input = None;
                let reason = self.last_words();
                Err(PluginError::Failed(format!(
                    "{what} ended its process ({ended}){reason}"
                )))
            }
        }
    }

    fn end(&mut self) {
        self.input = None;
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
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
            (Ok(_), Some(line)) => format!("; its last line: {line}"),
            _ => String::new(),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end();
    }
}

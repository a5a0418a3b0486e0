//! Worker processes, and what they tell.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{Registry, release};

/// Longer than anything that is waited for here takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running worker; killed when it is dropped.
pub struct Worker {
    /// Its process; what it writes to standard output is read as events.
    pub child: Child,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that was stopped takes no other signal.
        self.kill();
    }
}

/// A folder with the runtime that tests measure with, and no other plugin: workers start sooner.
pub fn runtimes(folder: &Path) -> PathBuf {
    let plugins = folder.join("runtimes");
    if !plugins.is_dir() {
        std::fs::create_dir_all(&plugins).expect("a folder");
        for name in ["liblglp_plugin_onnxruntime.so", "lglp-onnxruntime"] {
            let built = release().join("plugins").join(name);
            std::os::unix::fs::symlink(built, plugins.join(name)).expect("a link");
        }
    }
    plugins
}

impl Registry {
    /// The command of a worker of a server. Its state, and the lock of its device, are in this registry's folder.
    pub fn worker_command(&self, server: &str, name: &str, more: &[&str]) -> Command {
        self.worker_command_in(&self.state(name), server, name, more)
    }

    /// The same, with another state folder.
    pub fn worker_command_in(&self, state: &Path, server: &str, name: &str, more: &[&str]) -> Command {
        let mut command = self.command(&[&["worker", "--server", server, "--name", name, "--json"], more].concat());
        if self.plugins.is_none() {
            command.arg("--plugins").arg(runtimes(self.folder.path()));
        }
        command.arg("--state").arg(state);
        let temporary = self.folder.path().join("temporary");
        std::fs::create_dir_all(&temporary).expect("a folder");
        command.env("TMPDIR", temporary);
        command
    }

    /// The state folder of a worker.
    pub fn state(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("state-{name}"))
    }

    /// Starts a worker that measures for a target, which it creates where there is none.
    pub fn worker(&self, server: &str, name: &str, hardware: &str) -> Worker {
        let more = ["--hardware", hardware, "--runtime", "onnxruntime"];
        Worker::start(self.worker_command(server, name, &more))
    }
}

impl Worker {
    /// Starts a worker's command.
    pub fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("the program runs; `make build` builds it");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let events = Arc::new(Mutex::new(Vec::new()));
        let told = events.clone();
        thread::spawn(move || {
            // A kill may cut the last line short.
            for event in lines
                .map_while(Result::ok)
                .filter_map(|line| serde_json::from_str(&line).ok())
            {
                told.lock().expect("no panic").push(event);
            }
        });
        Self { child, events }
    }

    /// What it told so far.
    pub fn events(&self) -> Vec<Value> {
        self.events.lock().expect("no panic").clone()
    }

    /// What it told so far of one kind.
    pub fn told(&self, event: &str) -> Vec<Value> {
        let mut events = self.events();
        events.retain(|told| told["event"] == event);
        events
    }

    /// Waits until it has told of something so many times; the last of these.
    pub fn wait_for(&self, event: &str, times: usize) -> Value {
        let started = Instant::now();
        loop {
            if let Some(told) = self.told(event).get(times - 1) {
                return told.clone();
            }
            let events = self.events();
            assert!(started.elapsed() < PATIENCE, "not {times} of {event}: {events:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends it a signal, by the name that `kill` knows.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until it has ended.
    pub fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            let events = self.events();
            assert!(started.elapsed() < PATIENCE, "it does not end: {events:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Has it drain, which must end well.
    pub fn drain(&mut self) {
        self.signal("TERM");
        let status = self.ended();
        assert!(status.success(), "{status}: {:?}", self.events());
    }
}

//! One process that runs a plugin, as the host sees it. It makes one call at a time, so that one that crashes or hangs harms no other.

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::time::{Duration, Instant};

use lglp_sdk::plugin::Progress;
use lglp_sdk::program::ProcessGroup;
use lglp_sdk::{Excerpt, Printable};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Signal, set_parent_process_death_signal};
use serde::Serialize;

use super::arena::{Arena, KEPT as KEPT_SHARED};
use super::message::{Asked, GoOn, LARGEST_ANSWER, LARGEST_DESCRIPTION, Restrictions, Start, Told, framed, head};
use super::patience::{Limit, Patience};
use super::{command, spawner, usage};
use crate::host::calls::{Answer, Call, Offers, OnProgress};
use crate::host::child::{End, KEPT, LAST_LINE, Pipe};
use crate::host::file::Opening;
use crate::host::in_process::{PATIENCE, outcome};
use crate::host::{ComponentKind, PluginDescription, PluginError};

/// Time to load a plugin that is a Python program: importing PyTorch takes seconds.
pub(in crate::host) const IMPORTING: Duration = Duration::from_secs(60);

/// Between two looks at what the process writes to its standard error, and at what it uses, while it is waited for.
const LOOK: Duration = Duration::from_millis(100);

/// Time for a process to end that has closed its connection: interpreters clean up.
const ENDING: Duration = Duration::from_secs(1);

/// How processes of a plugin are started.
#[derive(Clone)]
pub(super) struct Recipe {
    /// The lglp that is started.
    pub program: std::path::PathBuf,
    pub plugin: Opening,
    pub python: Option<String>,
    pub restrictions: Restrictions,
    /// Bytes of shared memory.
    pub arena: usize,
    /// Bytes of a fitted state at most.
    pub state: usize,
}

/// Why a process is of no use any more.
#[derive(Debug)]
pub(super) enum Broken {
    /// What it did, after "it".
    Ended(String),
    /// It did not come back in time.
    Overdue(Limit),
    /// A fit was cancelled, and it went on.
    Cancelled,
}

/// A running process.
pub(super) struct Process {
    child: ProcessGroup,
    socket: UnixStream,
    errors: Pipe,
    /// The name of the plugin's file, for the log.
    file: String,
    /// The last line that it wrote.
    last_words: Option<String>,
    arena: Arena,
    /// Bytes of memory that it may take.
    memory: u64,
    /// Bytes of a state that it may save.
    state: usize,
    /// What came and was not looked at.
    received: Vec<u8>,
    /// Requests so far.
    requests: u64,
    /// Instances that it has.
    pub has: HashSet<u64>,
    /// When it was looked at last what it uses.
    watched: Instant,
    /// Since when it has nothing to do, where it has nothing.
    pub idle: Instant,
    /// Its processor time when that was seen first.
    pub spent: Option<Duration>,
}

/// What a plugin said of itself in a process of its own.
#[derive(Clone, PartialEq)]
pub(super) struct Described {
    pub description: PluginDescription,
    pub offers: Vec<Offers>,
    pub restricted: Vec<String>,
}

/// Whom a call is for.
#[derive(Clone, Copy)]
pub(super) enum For<'a> {
    /// An instance that the process has.
    Instance(u64),
    Component(ComponentKind, &'a str),
    /// One that is to be made.
    New(u64, ComponentKind, &'a str),
}

/// What an answer is to be, so that none is taken for that of another request, and none makes the host wait or keep what it did not ask for.
#[derive(Clone, Copy)]
struct Expected {
    number: u64,
    /// Whether progress may be told before.
    progress: bool,
    /// Bytes that may follow.
    bytes: usize,
}

impl Process {
    /// Starts one, and waits until the plugin is loaded there.
    ///
    /// # Errors
    /// In words: why it cannot be used.
    pub(super) fn start(recipe: &Recipe) -> Result<(Self, Described), String> {
        let mut process = Self::spawn(recipe).map_err(|error| format!("no process can be started for it: {error}"))?;
        let patience = match recipe.python {
            Some(_) => IMPORTING,
            None => PATIENCE,
        };
        let limit = Limit::new(patience, "deadline_s");
        let deadline = Instant::now() + patience;
        // Before there is anything of the plugin's that could say so.
        let restricted = match process.told(deadline, limit, LARGEST_ANSWER) {
            Ok(Told::Restricted { by }) => Ok(by),
            Ok(_) => Err(Broken::Ended("does not say what it is restricted by".to_owned())),
            Err(broken) => Err(broken),
        };
        let told = restricted.and_then(|restricted| {
            let told = process.told(deadline, limit, LARGEST_DESCRIPTION)?;
            Ok((told, restricted))
        });
        match told {
            Ok((Told::Described { description, offers }, restricted)) => Ok((
                process,
                Described {
                    description,
                    offers,
                    restricted,
                },
            )),
            Ok((Told::Refused { reason }, _)) => Err(reason),
            Ok(_) => Err("it answers before it is asked".to_owned()),
            Err(Broken::Ended(what)) => Err(format!("while it is loaded it {what}")),
            Err(Broken::Overdue(limit)) => Err(format!("it was still loading after {} s", limit.time.as_secs())),
            Err(Broken::Cancelled) => Err("cancelled".to_owned()),
        }
    }

    fn spawn(recipe: &Recipe) -> std::io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        let arena = Arena::new(recipe.arena)?;
        let start = Start {
            plugin: &recipe.plugin,
            python: recipe.python.clone(),
            arena: arena.descriptor(),
            arena_len: arena.len(),
            restrictions: recipe.restrictions.clone(),
        };
        let mut command = command::command(&recipe.program, &start, OwnedFd::from(theirs))?;
        let descriptors = [arena.descriptor(), recipe.plugin.descriptor];
        let prepare = move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // What whoever started lglp left open is not the plugin's. Kernels before 5.11 do not know the call.
            // SAFETY: a flag of descriptors, of a process that is about to become another program.
            unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
            for descriptor in descriptors {
                // SAFETY: the parent has it open, and so has this child until it starts the program.
                let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
                fcntl_setfd(descriptor, FdFlags::empty())?;
            }
            Ok(())
        };
        // SAFETY: system calls alone, which are allowed between fork and exec.
        unsafe { command.pre_exec(prepare) };
        let mut child = ProcessGroup(spawner::spawn(command)?);
        socket.set_nonblocking(true)?;
        let errors = Pipe::new(child.0.stderr.take().map(OwnedFd::from), KEPT)?;
        Ok(Self {
            child,
            socket,
            errors,
            file: Path::new(&recipe.plugin.shown)
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            last_words: None,
            arena,
            memory: recipe.restrictions.memory,
            state: recipe.state,
            received: Vec::new(),
            requests: 0,
            has: HashSet::new(),
            watched: Instant::now(),
            idle: Instant::now(),
            spent: None,
        })
    }

    /// Calls, and waits for the answer. The outer error ends the process; the inner one is the plugin's.
    pub(super) fn call(
        &mut self,
        whom: For<'_>,
        call: Call,
        (inputs, outputs): (&[&[u8]], &mut [&mut [u8]]),
        (patience, on_progress): (Patience, OnProgress<'_>),
        dropped: Vec<u64>,
    ) -> Result<Result<Answer, PluginError>, Broken> {
        let lengths = inputs.iter().map(|input| input.len());
        let lengths = lengths.chain(outputs.iter().map(|output| output.len()));
        let Some(places) = self.arena.places(lengths) else {
            let message = format!(
                "inputs and outputs of a call take more than the {} MiB that a plugin shares with the host: raise shared_mib in \
                 plugins.toml",
                self.arena.len() >> 20
            );
            let component = "the plugin".to_owned();
            return Ok(Err(PluginError::Failed { component, message }));
        };
        let (places_in, places_out) = places.split_at(inputs.len());
        for (place, input) in places_in.iter().zip(inputs) {
            self.arena.write(*place, input);
        }
        for place in places_out {
            self.arena.clear(*place);
        }
        let (instance, component, makes) = match whom {
            For::Instance(instance) => (Some(instance), None, None),
            For::Component(kind, name) => (None, Some((kind, name.to_owned())), None),
            For::New(instance, kind, name) => (Some(instance), Some((kind, name.to_owned())), Some(instance)),
        };
        for dropped in &dropped {
            self.has.remove(dropped);
        }
        self.listen();
        self.last_words = None;
        self.watched = Instant::now();
        self.requests += 1;
        let expected = Expected {
            number: self.requests,
            progress: matches!(call, Call::Fit { .. }),
            bytes: call.most_bytes(self.state),
        };
        let asked = Asked {
            number: self.requests,
            instance,
            component,
            call,
            inputs: places_in.to_vec(),
            outputs: places_out.to_vec(),
            dropped,
        };
        self.send(&asked, Instant::now() + patience.limit.time, patience.limit)?;
        let answered = self.answer(expected, patience, on_progress)?;
        for (place, output) in places_out.iter().zip(outputs) {
            self.arena.read(*place, output);
        }
        if places
            .last()
            .is_some_and(|(begin, length)| begin + length > KEPT_SHARED)
        {
            self.arena.release();
        }
        if answered.is_ok() {
            self.has.extend(makes);
        }
        Ok(answered)
    }

    fn answer(
        &mut self,
        expected: Expected,
        patience: Patience,
        on_progress: OnProgress<'_>,
    ) -> Result<Result<Answer, PluginError>, Broken> {
        let over = Instant::now() + patience.total.time;
        // Once a fit is cancelled, no sign of life renews its time.
        let mut end: Option<Instant> = None;
        loop {
            let next = end.unwrap_or_else(|| Instant::now() + patience.limit.time);
            let (deadline, limit) = match next < over {
                true => (next, patience.limit),
                false => (over, patience.total),
            };
            match self.told(deadline, limit, LARGEST_ANSWER) {
                Ok(Told::Progress {
                    done,
                    total,
                    train_mse,
                    validation_mse,
                }) if expected.progress => {
                    let go_on = on_progress(Progress {
                        done,
                        total,
                        train_mse: train_mse.unwrap_or(f64::NAN),
                        validation_mse: validation_mse.unwrap_or(f64::NAN),
                    });
                    if !go_on {
                        end = end.or(Some(Instant::now() + patience.cancelled));
                    }
                    self.send(&GoOn { go_on }, deadline, limit)?;
                }
                Ok(Told::Answer {
                    number,
                    status,
                    message,
                    numbers,
                    bytes,
                }) if number == expected.number && bytes <= expected.bytes => {
                    let bytes = self.bytes(bytes, deadline, limit)?;
                    // The component's name is put in by who knows it.
                    let outcome = outcome("", status, message.as_bytes());
                    return Ok(outcome.map(|()| Answer { numbers, bytes }));
                }
                Ok(_) => return Err(Broken::Ended("says what it was not asked".to_owned())),
                Err(Broken::Overdue(_)) if end.is_some() => return Err(Broken::Cancelled),
                Err(broken) => return Err(broken),
            }
        }
    }

    fn send(&mut self, message: &impl Serialize, deadline: Instant, limit: Limit) -> Result<(), Broken> {
        let bytes = framed(message).map_err(|error| Broken::Ended(format!("cannot be asked: {error}")))?;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            match self.socket.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(PollFlags::OUT, deadline, limit)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(self.ended()),
            }
        }
        Ok(())
    }

    /// The next message, of so many bytes of JSON at most.
    fn told(&mut self, deadline: Instant, limit: Limit, most: usize) -> Result<Told, Broken> {
        loop {
            // Also where there is always something to read.
            if Instant::now() >= deadline {
                return Err(Broken::Overdue(limit));
            }
            let head = head(&self.received, most)
                .map_err(|length| Broken::Ended(format!("announces a message of {length} bytes")))?;
            if let Some(json) = head {
                let end = json.end;
                let told = serde_json::from_slice(&self.received[json]);
                self.received.drain(..end);
                return told.map_err(|error| Broken::Ended(format!("says what is no message: {error}")));
            }
            self.receive(deadline, limit)?;
        }
    }

    /// The bytes that follow a message.
    fn bytes(&mut self, length: usize, deadline: Instant, limit: Limit) -> Result<Vec<u8>, Broken> {
        while self.received.len() < length {
            self.receive(deadline, limit)?;
        }
        let rest = self.received.split_off(length);
        Ok(std::mem::replace(&mut self.received, rest))
    }

    /// Takes in what is there, at least a byte.
    fn receive(&mut self, deadline: Instant, limit: Limit) -> Result<(), Broken> {
        let mut buffer = [0; 16 << 10];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => return Err(self.ended()),
                Ok(count) => {
                    self.received.extend_from_slice(&buffer[..count]);
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(PollFlags::IN, deadline, limit)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(self.ended()),
            }
        }
    }

    /// Waits for the socket, a moment at most.
    fn wait(&mut self, until: PollFlags, deadline: Instant, limit: Limit) -> Result<(), Broken> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Broken::Overdue(limit));
        }
        let moment = Timespec::try_from(left.min(LOOK)).map_err(|_| Broken::Overdue(limit))?;
        // Interrupted or not, it is looked at again.
        let _ = poll(&mut [PollFd::new(&self.socket.as_fd(), until)], Some(&moment));
        self.listen();
        // A call that is over sooner takes little.
        if self.watched.elapsed() < LOOK {
            return Ok(());
        }
        self.watched = Instant::now();
        self.excess().map_or(Ok(()), |excess| Err(Broken::Ended(excess)))
    }

    /// Takes in what it wrote to its standard error, for the log.
    fn listen(&mut self) {
        self.errors.read();
        while let Some(line) = self.errors.line() {
            let line = String::from_utf8_lossy(&line);
            let line = line.trim();
            if !line.is_empty() {
                let line = Excerpt::within(Printable::of(line), LAST_LINE).to_string();
                tracing::info!(plugin = self.file, "{line}");
                self.last_words = Some(line);
            }
        }
    }

    /// How it ended, having closed its end of the socket.
    fn ended(&mut self) -> Broken {
        let until = Instant::now() + ENDING;
        let status = loop {
            match self.child.0.try_wait() {
                Ok(Some(status)) => break Some(End::of(status)),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(1)),
                _ => break None,
            }
        };
        let what = match status {
            Some(End::Killed(signal)) => format!("kills its process (signal {signal})"),
            Some(End::Exited(status)) => format!("ends its process (status {status})"),
            _ => "closes its connection".to_owned(),
        };
        self.listen();
        Broken::Ended(match self.errors.last_line().or_else(|| self.last_words.take()) {
            Some(line) => format!("{what}: {line}"),
            None => what,
        })
    }

    /// In what it takes more than it may, after an "it".
    pub(super) fn excess(&self) -> Option<String> {
        usage::excess(self.id(), self.memory)
    }

    /// Between two calls: takes in what it wrote to its standard error, and gives back shared memory that it wrote to, whether it was
    /// to or not.
    pub(super) fn tend(&mut self) {
        self.listen();
        self.arena.release();
    }

    pub(super) fn id(&self) -> u32 {
        self.child.0.id()
    }
}

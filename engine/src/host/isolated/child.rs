//! The other side: a process that runs one plugin, and does what the host asks.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::FromRawFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use lglp_sdk::plugin::{Progress, abi};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::{dup2_stdin, dup2_stdout, stderr, stdin};
use serde::de::DeserializeOwned;

use super::arena::Arena;
use super::message::{Asked, GoOn, LARGEST_REQUEST, SUBCOMMAND, Start, Told, framed};
use super::{python, restrictions};
use crate::host::calls::{Answer, Callee};
use crate::host::child::is_asked;
use crate::host::component::Opened;
use crate::host::file::Opening;
use crate::host::in_process::Library;
use crate::host::{ComponentHandle, PluginError};

/// The child's side, where this process is one; the status that it ends with.
pub(in crate::host) fn child() -> Option<ExitCode> {
    is_asked(SUBCOMMAND).then(|| match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    })
}

fn run() -> anyhow::Result<()> {
    let start = std::env::args().nth(2).unwrap_or_default();
    let asked: Start<Opening> =
        serde_json::from_str(&start).map_err(|error| anyhow::anyhow!("not started by lglp: {error}"))?;
    let by = restrictions::apply(&asked.restrictions, asked.python.as_deref())?;
    // Before there is anything of the plugin's that could say otherwise.
    let told = framed(&Told::Restricted { by })?;
    rustix::io::retry_on_intr(|| rustix::io::write(stdin(), &told))?;
    if let Some(interpreter) = &asked.python {
        // Returns where it cannot be started.
        return Err(python::become_interpreter(interpreter, &start, asked.restrictions.sandbox).into());
    }
    // SAFETY: the parent made it for this process, and nothing else here has it.
    let mut arena = Arena::of(unsafe { File::from_raw_fd(asked.arena) }, asked.arena_len)?;
    let mut host = Host { socket: socket()? };
    let library = Library::open(&asked.plugin);
    let opened = library.and_then(Library::opened);
    let Opened {
        description,
        components,
        ..
    } = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let reason = error.to_string();
            return host.tell(&Told::Refused { reason }, &[]);
        }
    };
    let offers = components.iter().map(|one| one.all_offers().clone()).collect();
    host.tell(&Told::Described { description, offers }, &[])?;
    let mut plugin = Plugin {
        components,
        instances: HashMap::new(),
    };
    while let Some(asked) = host.asked()? {
        let number = asked.number;
        let told = plugin.answer(asked, &mut arena, &mut host);
        let (told, bytes) = match told {
            Ok(Answer { numbers, bytes }) => (
                answered(number, abi::STATUS_OK, String::new(), numbers, bytes.len()),
                bytes,
            ),
            Err(error) => (refused(number, &error), Vec::new()),
        };
        host.tell(&told, &bytes)?;
    }
    Ok(())
}

fn answered(number: u64, status: u32, message: String, numbers: Vec<u64>, bytes: usize) -> Told {
    Told::Answer {
        number,
        status,
        message,
        numbers,
        bytes,
    }
}

fn refused(number: u64, error: &PluginError) -> Told {
    let (status, message) = match error {
        PluginError::InvalidParameters { message, .. } => (abi::STATUS_INVALID_PARAMETERS, message.clone()),
        PluginError::UnsupportedState { message, .. } => (abi::STATUS_UNSUPPORTED_STATE, message.clone()),
        PluginError::Unavailable { message, .. } => (abi::STATUS_UNAVAILABLE, message.clone()),
        PluginError::Panicked { message, .. } => (abi::STATUS_PANICKED, message.clone()),
        PluginError::Failed { message, .. } => (abi::STATUS_FAILED, message.clone()),
        PluginError::Cancelled { .. } => (abi::STATUS_CANCELLED, String::new()),
        PluginError::NotOffered { .. } => (abi::STATUS_NOT_OFFERED, String::new()),
        other => (abi::STATUS_FAILED, other.to_string()),
    };
    answered(number, status, message, Vec::new(), 0)
}

/// The socket to the host, which stood in for standard input; then nothing is left there for plugins to read. What they print goes to
/// standard error, which the host listens to.
fn socket() -> std::io::Result<UnixStream> {
    /// Above the descriptors that programs pass on by number, and below the limit of the sandbox.
    const HIGH: i32 = 200;
    let socket = fcntl_dupfd_cloexec(stdin(), HIGH).or_else(|_| fcntl_dupfd_cloexec(stdin(), 3))?;
    dup2_stdin(File::open("/dev/null")?)?;
    dup2_stdout(stderr())?;
    let socket = UnixStream::from(socket);
    socket.set_nonblocking(false)?;
    Ok(socket)
}

/// The host at the other end.
struct Host {
    socket: UnixStream,
}

impl Host {
    fn tell(&mut self, told: &Told, bytes: &[u8]) -> anyhow::Result<()> {
        self.socket.write_all(&framed(told)?)?;
        self.socket.write_all(bytes)?;
        Ok(())
    }

    /// The next message; none where the host is gone.
    fn next<T: DeserializeOwned>(&mut self) -> anyhow::Result<Option<T>> {
        let mut length = [0; 4];
        match self.socket.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let length = u32::from_le_bytes(length) as usize;
        anyhow::ensure!(length <= LARGEST_REQUEST, "a message of {length} bytes");
        let mut json = vec![0; length];
        self.socket.read_exact(&mut json)?;
        Ok(Some(serde_json::from_slice(&json)?))
    }

    fn asked(&mut self) -> anyhow::Result<Option<Asked>> {
        self.next()
    }

    /// Whether a fit is to go on.
    fn go_on(&mut self, event: Progress) -> bool {
        let told = self.tell(&Told::progress(event), &[]);
        told.is_ok() && matches!(self.next(), Ok(Some(GoOn { go_on: true })))
    }
}

/// The plugin that runs here.
struct Plugin {
    components: Vec<ComponentHandle>,
    instances: HashMap<u64, Box<dyn Callee>>,
}

impl Plugin {
    fn answer(&mut self, asked: Asked, arena: &mut Arena, host: &mut Host) -> Result<Answer, PluginError> {
        for dropped in &asked.dropped {
            self.instances.remove(dropped);
        }
        // SAFETY: the host lays arrays out one behind another, and waits for the answer.
        let (inputs, mut outputs) = unsafe { arena.arrays(&asked.inputs, &asked.outputs) };
        let component = asked.component.as_ref().map(|(kind, name)| {
            let same = |one: &&ComponentHandle| one.kind() == *kind && one.name() == name;
            let found = self.components.iter().find(same);
            found.ok_or_else(|| PluginError::Rejected(format!("there is no {kind} `{name}`")))
        });
        match (component.transpose()?, asked.instance) {
            (Some(component), Some(instance)) => {
                let made = component
                    .reached()
                    .make(asked.call, &inputs, &mut |event| host.go_on(event))?;
                self.instances.insert(instance, made);
                Ok(Answer::default())
            }
            (Some(component), None) => component.reached().call(asked.call, &inputs, &mut outputs),
            (None, Some(instance)) => match self.instances.get(&instance) {
                Some(instance) => instance.call(asked.call, &inputs, &mut outputs),
                None => Err(PluginError::Rejected(format!("there is no instance {instance}"))),
            },
            (None, None) => Ok(Answer::default()),
        }
    }
}

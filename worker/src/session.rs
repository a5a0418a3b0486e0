//! A worker's day: it registers, leases a job, works on it, and leases the next.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use lglp_client::{Backoff, Failure, Refusal};
use lglp_engine::host::PluginHost;
use lglp_engine::measure::Setup;
use lglp_openapi::workers::{RegisterWorker, Work};
use lglp_registry::{HardwareName, now};

use super::connection::{ServerConnection, WAITS};
use super::device::Device;
use super::error::WorkerError;
use super::event::Event;
use super::job::{JobEnd, JobRunner};
use super::spool::Spool;

/// Between two attempts of a machine that waits to be confirmed.
const UNCONFIRMED: Duration = Duration::from_secs(30);

/// How long a call for work may wait for some, seconds.
const WAIT_S: u32 = 20;

/// Between two looks at the signals while a call for work waits.
const LOOK: Duration = Duration::from_millis(100);

/// While the device cannot work.
const BLOCKED: Backoff = Backoff {
    first: Duration::from_secs(5),
    longest: Duration::from_secs(600),
};

/// What a worker is to do.
pub(crate) struct Session<'a> {
    pub host: &'a PluginHost,
    pub hardware: HardwareName,
    /// How the target is to measure where it is created.
    pub setup: Option<Setup>,
    /// Whether to end where there is no work.
    pub once: bool,
    pub connection: Arc<ServerConnection>,
    pub spool: Arc<Spool>,
    /// Where the server is, for people.
    pub server: String,
}

/// What came of asking for work.
enum LeaseReply {
    Work(Box<Work>),
    Nothing,
    /// The server does not know the worker: its registry is another one by now.
    Unknown,
}

impl Session<'_> {
    /// Works until it is to end.
    ///
    /// # Errors
    /// What ends it before.
    pub(crate) fn run(&self) -> Result<(), WorkerError> {
        if !self.spool.is_empty() {
            let folder = self.spool.folder().to_owned();
            let waiting = self.spool.len();
            (self.connection.report)(&Event::Resumed { waiting, folder });
        }
        match self.register(None)? {
            Some(registration) => self.work(registration)?,
            // It may be listed all the same, as one that waits to be confirmed.
            None => self.sign_off(),
        }
        let folder = self.spool.folder().to_owned();
        let unsent = self.spool.len();
        (self.connection.report)(&Event::Drained { unsent, folder });
        Ok(())
    }

    fn work<'h>(&'h self, (device, target_since): (Device<'h>, String)) -> Result<(), WorkerError> {
        let mut runner = JobRunner {
            connection: self.connection.clone(),
            spool: self.spool.clone(),
            device,
            target_since,
            calibrations: Vec::new(),
            disk_is_full: false,
        };
        let mut blocked = 0;
        while !self.connection.drain.is_asked() {
            let work = match self.lease()? {
                LeaseReply::Work(work) => work,
                LeaseReply::Nothing if self.once => break,
                LeaseReply::Nothing => continue,
                LeaseReply::Unknown => {
                    let Some(registration) = self.register(Some(runner.device))? else {
                        return Ok(());
                    };
                    (runner.device, runner.target_since) = registration;
                    continue;
                }
            };
            let wait = |failures| BLOCKED.delay(failures, &mut rand::rng());
            match runner.work(*work)? {
                JobEnd::Over => blocked = 0,
                JobEnd::Unlike(ratio) => {
                    blocked += 1;
                    let wait = wait(blocked);
                    let again_s = wait.as_secs();
                    (self.connection.report)(&Event::Unlike { ratio, again_s });
                    self.connection.pause(wait);
                }
                JobEnd::Blocked(mut reason) => loop {
                    blocked += 1;
                    let wait = wait(blocked);
                    let again_s = wait.as_secs();
                    (self.connection.report)(&Event::Blocked { reason, again_s });
                    self.connection.pause(wait);
                    match runner.device.reopen() {
                        Err(error) if !self.connection.drain.is_asked() => reason = error.to_string(),
                        _ => break,
                    }
                },
            }
        }
        self.sign_off();
        Ok(())
    }

    /// Leaves. A server that does not hear it notices by itself.
    fn sign_off(&self) {
        let _ = self.connection.ask(|| true, |api| api.sign_off());
    }

    /// Opens the device as the target wants it and registers, and tells when the target was created; none where the worker is to end
    /// before that worked.
    fn register<'h>(&'h self, mut open: Option<Device<'h>>) -> Result<Option<(Device<'h>, String)>, WorkerError> {
        let mut said = false;
        let going = || !self.connection.drain.is_asked();
        while going() {
            let device = match open.take() {
                Some(device) => device,
                None => {
                    let Some(setup) = self.find_setup()? else { break };
                    Device::open(self.host, setup)?
                }
            };
            let new = RegisterWorker {
                hardware: self.hardware.to_string(),
                instance: self.connection.api.instance().to_owned(),
                setup: self.setup.as_ref().map(in_contract),
                fingerprint: device.fingerprint(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                sent_at: now(),
            };
            let registered = match self.connection.ask(going, |api| api.register(&new)) {
                Ok(registered) => registered,
                Err(Failure::Lost(_)) => break,
                Err(Failure::Refused {
                    why: Refusal::OtherMachine,
                    text: reason,
                }) => {
                    if !said {
                        let again_s = UNCONFIRMED.as_secs();
                        (self.connection.report)(&Event::Unconfirmed { reason, again_s });
                        said = true;
                    }
                    open = Some(device);
                    self.connection.pause(UNCONFIRMED);
                    continue;
                }
                Err(failure) => return Err(self.fatal(failure)),
            };
            // Somebody else may have created the target meanwhile, with other settings.
            let target = registered.hardware;
            if device.fits(&target) {
                (self.connection.report)(&Event::Registered {
                    worker: self.connection.api.worker().to_owned(),
                    hardware: self.hardware.to_string(),
                    server: self.server.clone(),
                    runtime: device.runtime_name().to_owned(),
                });
                let others = self.spool.set_others_aside(&self.hardware, &target.created_at);
                if others > 0 {
                    let folder = self.spool.folder().to_owned();
                    (self.connection.report)(&Event::OfAnotherTarget { others, folder });
                }
                return Ok(Some((device, target.created_at)));
            }
        }
        Ok(None)
    }

    /// How the target measures, or shall; none where the worker is to end before the server said.
    fn find_setup(&self) -> Result<Option<Setup>, WorkerError> {
        let going = || !self.connection.drain.is_asked();
        match self.connection.ask(going, |api| api.hardware(self.hardware.as_str())) {
            Ok(target) => Ok(Some(Setup::of_target(&target))),
            Err(Failure::Lost(_)) => Ok(None),
            Err(Failure::Refused {
                why: Refusal::UnknownHardware,
                ..
            }) => match &self.setup {
                Some(setup) => Ok(Some(setup.clone())),
                None => Err(self.unknown_hardware()),
            },
            Err(failure) => Err(self.fatal(failure)),
        }
    }

    /// Asks for work until there is an answer.
    fn lease(&self) -> Result<LeaseReply, WorkerError> {
        let mut failures = 0;
        while !self.connection.drain.is_asked() {
            match self.ask_for_work() {
                None => break,
                Some(Ok(Some(work))) => return Ok(LeaseReply::Work(work)),
                Some(Ok(None)) => return Ok(LeaseReply::Nothing),
                Some(Err(
                    Failure::Lost(_)
                    | Failure::Refused {
                        why: Refusal::StaleLease,
                        ..
                    },
                )) => {
                    failures += 1;
                    self.connection.pause(WAITS.delay(failures, &mut rand::rng()));
                }
                Some(Err(Failure::Refused {
                    why: Refusal::NotFound, ..
                })) => return Ok(LeaseReply::Unknown),
                Some(Err(failure)) => return Err(self.fatal(failure)),
            }
        }
        Ok(LeaseReply::Nothing)
    }

    /// One call for work, on a thread of its own, so that a signal need not wait for its end. What is leased after that is
    /// queued again when the worker signs off.
    fn ask_for_work(&self) -> Option<Result<Option<Box<Work>>, Failure>> {
        let (sender, answer) = mpsc::channel();
        let connection = self.connection.clone();
        let wait_s = if self.once { 0 } else { WAIT_S };
        std::thread::spawn(move || {
            // Nobody listens where a signal came first.
            let _ = sender.send(connection.call(|api| Ok(api.lease(wait_s)?.map(Box::new))));
        });
        while !self.connection.drain.is_asked() {
            match answer.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(answer) => return Some(answer),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        None
    }

    fn fatal(&self, failure: Failure) -> WorkerError {
        match failure {
            Failure::Refused {
                why: Refusal::StaleInstance,
                text,
            } => WorkerError::Replaced(text),
            Failure::Refused {
                why: Refusal::UnknownHardware,
                ..
            } => self.unknown_hardware(),
            failure => failure.into(),
        }
    }

    fn unknown_hardware(&self) -> WorkerError {
        let hardware = self.hardware.to_string();
        WorkerError::UnknownHardware { hardware }
    }
}

fn in_contract(setup: &Setup) -> lglp_openapi::workers::Setup {
    lglp_openapi::workers::Setup {
        runtime: setup.runtime.clone(),
        settings: setup.settings.clone(),
        batch_size: setup.batch,
    }
}

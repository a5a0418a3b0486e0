//! A campaign: measuring many networks on one hardware target, resumably: architectures of a space, or networks of none.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::{fmt, io};

use lglp_registry::{Digest, HardwareName, HardwareTarget, Measurement, ONNX, Registry};
use lglp_sdk::{Architecture, Printable, SearchSpace};
use serde::Serialize;

use super::plan::Wanted;
use super::repeatability::Repeatability;
use super::target::{
    Difference, Setup, calibrated, difference, difference_before, fingerprint, reference_network, reference_space,
};
use super::{
    CALIBRATION_RUNS, Candidate, DeviceLock, MeasurementHarness, MeasurementLoop, MeasurementWork, Protocol, Subject,
};
use crate::host::{PluginError, PluginHost, RuntimeInstance};
use crate::networks::{self, NoNetwork, UnusableNetwork};
use crate::spaces::{DefinitionError, Spaces, UnknownSpace, require_same};

/// What to measure, and where.
pub struct Campaign<'a> {
    /// The registry that has the target, and takes the measurements.
    pub store: &'a dyn Registry,
    /// Provides the target's runtime.
    pub host: &'a PluginHost,
    /// The space of the architectures; of networks that are of none, the space whose smallest network a new target is calibrated by.
    pub space: &'a SearchSpace,
    /// Where the target's reference network may be from.
    pub spaces: &'a Spaces,
    /// The target that is measured; created where it is not there and `setup` tells how.
    pub hardware: &'a HardwareName,
    /// How the target measures, where it is to be created; none where it is there.
    pub setup: Option<Setup>,
    /// How each architecture is measured.
    pub protocol: Protocol,
    /// What is measured, and in which replicate.
    pub wanted: Wanted<'a>,
    /// Who measures, for the audit log.
    pub actor: &'a str,
}

/// Progress of a campaign.
#[derive(Clone, Debug)]
pub enum CampaignEvent {
    /// Another process measures on the device.
    Waiting,
    /// The reference network is run, to tell the latency that labels are relative to.
    Calibrating {
        /// Runs that are done.
        done: usize,
        /// Runs in all.
        of: usize,
    },
    /// The architectures are known, and measuring begins or goes on.
    Resuming {
        /// How many of them were measured before in this replicate.
        done: usize,
    },
    /// One more architecture is measured and recorded.
    Measured {
        /// Its latency, milliseconds.
        latency_ms: f64,
        /// Half-width of the 95 % confidence interval of its ratio to the reference network, relative to the ratio.
        half_width: f64,
    },
    /// A network cannot be measured here, and is left out.
    LeftOut(LeftOutNetwork),
}

/// Networks that a job leaves out at most: all of them are kept with the job.
pub const MOST_LEFT_OUT: usize = 128;

/// Characters of the reason that is kept with each.
pub const LEFT_OUT_REASON: usize = 500;

/// A network that a campaign left out.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOutNetwork {
    /// Its name.
    pub name: String,
    /// Why it cannot be measured, for people.
    pub reason: String,
}

impl fmt::Display for LeftOutNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Printable::of(&self.name), Printable::of(&self.reason))
    }
}

/// What a campaign ended with.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Measured by this run.
    pub measured: usize,
    /// Measurements of the replicate by now.
    pub total: usize,
    /// Networks that cannot be measured here; there are none among architectures.
    pub left_out: Vec<LeftOutNetwork>,
    /// How the replicate's labels compare with those of replicate 0; only of repetitions.
    pub repeatability: Option<Repeatability>,
}

/// Why a campaign stopped. Every finished measurement is recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// The registry failed, or refused what was asked of it.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
    /// The runtime is missing, cannot be opened or failed, or a network would take too much memory.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// Labels of two machines in one target would be worthless.
    #[error(
        "`{hardware}` was created on another machine: its {} is {}, this one's is {}; measure here under another name, \
         e.g. --hardware {hardware}-2, or start a worker on that machine: lglp worker --hardware {hardware}",
        difference.fact, difference.there, difference.here
    )]
    OtherMachine {
        /// The target.
        hardware: HardwareName,
        /// The first fact in which this machine is another than the target's.
        difference: Difference,
    },
    /// The network that its labels are relative to is not known here.
    #[error(
        "the reference network of `{hardware}` belongs to no search space here, or to another definition of one; give the \
         folder that has it by --spaces, or measure under another name, e.g. --hardware {hardware}-2"
    )]
    UnknownReference {
        /// The target whose reference network it is.
        hardware: HardwareName,
    },
    /// The file by which processes take turns on a device.
    #[error("cannot lock {path}, by which processes that measure on one device take turns: {reason}")]
    DeviceLock {
        /// The file, which all users of the machine share.
        path: String,
        /// The system's reason.
        reason: std::io::Error,
    },
    /// Drawing found no more, or everything is measured.
    #[error("{asked} architectures were asked for, and no more than {available} of the space were found")]
    SpaceTooSmall {
        /// How many architectures there are, as far as drawing found any.
        available: usize,
        /// How many were asked for.
        asked: usize,
    },
    /// The space does not have networks to calibrate by, and no other is there.
    #[error(transparent)]
    UnknownSpace(#[from] UnknownSpace),
    /// The file of a network cannot be read, or is of no network.
    #[error(transparent)]
    Unusable(#[from] UnusableNetwork),
    /// Latencies of a target are all of one batch.
    #[error("{name} takes {batch} inputs at once, and the target measures {here}; export it with a batch of {here}")]
    OtherBatch {
        /// The network's name.
        name: String,
        /// Its batch.
        batch: u64,
        /// The target's.
        here: u32,
    },
    /// The target was measured when the space was defined otherwise, or the registry did not tell.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// Repetitions need something to repeat.
    #[error(
        "replicate {replicate} repeats architectures of replicate 0, of which there are {available}; asked for {asked}"
    )]
    NothingToRepeat {
        /// The replicate that was to be measured, 1 or more.
        replicate: u32,
        /// How many architectures were measured in replicate 0.
        available: usize,
        /// How many were to be measured again.
        asked: usize,
    },
    /// It was asked to.
    #[error("stopped")]
    Stopped,
    /// The runtime's times make no sense.
    #[error("{architecture}: the label came out as {latency_ms} ms; is the runtime's clock working?")]
    BadLabel {
        /// Canonical text.
        architecture: String,
        /// The label, milliseconds, which is no plausible latency.
        latency_ms: f64,
    },
}

impl MeasureError {
    /// Whether it is the fault of one network, which says nothing of others, and not of the device.
    pub fn is_of_one_network(&self) -> bool {
        match self {
            Self::Unusable(unusable) => !unusable.problem.is_passing(),
            Self::OtherBatch { .. } => true,
            Self::Plugin(error) => matches!(
                error,
                PluginError::BatchTooLarge { .. } | PluginError::NoNetwork(NoNetwork::Impossible { .. })
            ),
            _ => false,
        }
    }
}

impl Campaign<'_> {
    /// Measures what is missing. A measurement is durable before the next begins; before each run, `stopped` is asked.
    pub fn run(
        &self,
        progress: &mut dyn FnMut(CampaignEvent),
        stopped: &dyn Fn() -> bool,
    ) -> Result<Summary, MeasureError> {
        let known = match self.store.hardware(self.hardware) {
            Ok(target) => Some(target),
            Err(lglp_registry::Error::NotFound { .. }) if self.setup.is_some() => None,
            Err(error) => return Err(error.into()),
        };
        let setup = known.as_ref().map(Setup::of_target).or_else(|| self.setup.clone());
        let setup = setup.expect("a target that is missing without a setup was an error");
        let runtime = setup.on(self.host)?;
        // Asked before anything is started.
        if self.wanted.is_of_space() {
            require_same(self.store, self.hardware, self.space)?;
        }
        if self.wanted.needs_networks() {
            networks::check_networks(self.space).map_err(PluginError::from)?;
        }
        let differs = known.as_ref().and_then(|target| difference_before(target, &runtime));
        if let Some(difference) = differs {
            return Err(self.other_machine(difference));
        }
        let runtime = runtime.open()?;
        let reference = known.as_ref().and_then(|target| target.reference.as_ref());
        let own = self.spaces.calibrating(self.space)?;
        let reference_space =
            reference_space(self.spaces, reference, own).ok_or_else(|| MeasureError::UnknownReference {
                hardware: self.hardware.clone(),
            })?;
        let mut harness = MeasurementHarness::new(
            self.space,
            reference_space,
            &runtime,
            self.protocol.clone(),
            setup.batch,
        )?;
        let file = DeviceLock::path(&runtime.describe()?);
        let locked = |reason| unlockable(&file, reason);
        let lock = DeviceLock::open(&file).map_err(locked)?;
        let target = {
            let turn = lock
                .turn(|| progress(CampaignEvent::Waiting), stopped)
                .map_err(locked)?;
            let _turn = turn.ok_or(MeasureError::Stopped)?;
            self.target(known, &setup, &runtime, (&mut harness, own), progress)?
        };
        harness.know(target.reference.as_ref());
        let replicate = self.wanted.replicate();
        let done = self
            .store
            .measured_digests(self.hardware, self.measured_space(), replicate)?;
        let mut missing = self.wanted.candidates(self.store, self.hardware, self.space)?;
        let (mut left_out, mut planned) = (Vec::new(), BTreeSet::new());
        missing.retain(|candidate| {
            let digest = self.digest(&candidate.subject);
            let is_missing = !done.contains(&digest);
            if planned.insert(digest) {
                return is_missing;
            }
            let name = candidate.subject.name(self.space);
            let reason = "it is the same network as one before it".to_owned();
            left_out.push(LeftOutNetwork { name, reason });
            false
        });
        for network in &left_out {
            progress(CampaignEvent::LeftOut(network.clone()));
        }
        progress(CampaignEvent::Resuming {
            done: planned.len() - missing.len(),
        });
        let mut work = Planned {
            campaign: self,
            missing: missing.into(),
            lock: &lock,
            progress: RefCell::new(progress),
            stopped,
            measured: 0,
            left_out,
            failed_in_a_row: 0,
        };
        let mut measuring = MeasurementLoop {
            lock: &lock,
            harness,
            hardware: self.hardware,
            replicate,
            reference_ms: target.reference.as_ref().map_or(f64::NAN, |r| r.latency_ms),
        };
        measuring.run(&mut work)?;
        let Planned { measured, left_out, .. } = work;
        self.summary(measured, left_out)
    }

    /// The target, created and calibrated by the reference network of a space where that was not done yet.
    fn target(
        &self,
        known: Option<HardwareTarget>,
        setup: &Setup,
        runtime: &RuntimeInstance,
        (harness, calibrating): (&mut MeasurementHarness<'_>, &SearchSpace),
        progress: &mut dyn FnMut(CampaignEvent),
    ) -> Result<HardwareTarget, MeasureError> {
        let description = runtime.describe()?;
        if let Some(target) = &known {
            if let Some(difference) = difference(target, &fingerprint(&description)) {
                return Err(self.other_machine(difference));
            }
            if target.reference.is_some() {
                return Ok(target.clone());
            }
        }
        let of = CALIBRATION_RUNS;
        let latency_ms = harness.calibrate(|done| progress(CampaignEvent::Calibrating { done, of }))?;
        let mut reference = reference_network(calibrating, latency_ms).map_err(PluginError::from)?;
        reference.larger = harness.compare(latency_ms)?;
        let new = match known {
            Some(target) => calibrated(target, reference),
            None => setup.new_target(self.hardware, fingerprint(&description), reference),
        };
        Ok(self.store.put_hardware(&new, self.actor)?)
    }

    fn other_machine(&self, difference: Difference) -> MeasureError {
        let hardware = self.hardware.clone();
        MeasureError::OtherMachine { hardware, difference }
    }

    /// The space that measurements say they are of.
    fn measured_space(&self) -> &str {
        match self.wanted.is_of_space() {
            true => self.space.name(),
            false => ONNX,
        }
    }

    fn digest(&self, subject: &Subject) -> Digest {
        Digest::of(subject.text(self.space).as_bytes())
    }

    fn summary(&self, measured: usize, left_out: Vec<LeftOutNetwork>) -> Result<Summary, MeasureError> {
        let (space, replicate) = (self.measured_space(), self.wanted.replicate());
        let repeatability = match replicate {
            0 => None,
            _ => Repeatability::between(self.store, self.hardware, space, (0, replicate))?,
        };
        Ok(Summary {
            measured,
            left_out,
            total: self.store.measured_digests(self.hardware, space, replicate)?.len(),
            repeatability,
        })
    }
}

/// What of a campaign's plan is not measured yet, and the registry that takes it.
struct Planned<'a> {
    campaign: &'a Campaign<'a>,
    missing: VecDeque<Candidate>,
    lock: &'a DeviceLock,
    progress: RefCell<&'a mut dyn FnMut(CampaignEvent)>,
    stopped: &'a dyn Fn() -> bool,
    measured: usize,
    left_out: Vec<LeftOutNetwork>,
    failed_in_a_row: usize,
}

/// Networks that fail one after another, after which it is the device that fails.
pub const MOST_FAILED_IN_A_ROW: usize = 3;

impl MeasurementWork for Planned<'_> {
    type Stop = MeasureError;

    fn next(&mut self) -> Result<Option<Candidate>, MeasureError> {
        Ok(self.missing.pop_front())
    }

    fn upcoming(&self) -> Option<&Architecture> {
        self.missing.front().and_then(Candidate::as_architecture)
    }

    fn goes_on(&self) -> Result<(), MeasureError> {
        match (self.stopped)() {
            true => Err(MeasureError::Stopped),
            false => Ok(()),
        }
    }

    fn is_cancelled(&self) -> bool {
        (self.stopped)()
    }

    fn ready(&mut self) -> Result<(), MeasureError> {
        Ok(())
    }

    fn waits(&self) {
        self.progress.borrow_mut()(CampaignEvent::Waiting);
    }

    fn unlockable(&self, reason: io::Error) -> MeasureError {
        unlockable(self.lock.file(), reason)
    }

    fn keep(&mut self, measurement: Measurement, half_width: f64) -> Result<(), MeasureError> {
        self.campaign
            .store
            .record_measurement(&measurement, self.campaign.actor)?;
        self.measured += 1;
        self.failed_in_a_row = 0;
        let latency_ms = measurement.latency_ms;
        self.progress.borrow_mut()(CampaignEvent::Measured { latency_ms, half_width });
        Ok(())
    }

    /// An architecture that fails ends the campaign, since the others would, unless it makes no network. Of networks that are given each is
    /// its own.
    fn failed(&mut self, candidate: &Candidate, error: MeasureError) -> Result<bool, MeasureError> {
        let makes_none = matches!(
            error,
            MeasureError::Plugin(PluginError::NoNetwork(NoNetwork::Impossible { .. }))
        );
        self.failed_in_a_row += usize::from(!error.is_of_one_network());
        let ends_all = candidate.as_architecture().is_some() && !makes_none;
        if ends_all || self.failed_in_a_row > MOST_FAILED_IN_A_ROW {
            return Err(error);
        }
        let left_out = LeftOutNetwork {
            name: candidate.subject.name(self.campaign.space),
            reason: error.to_string(),
        };
        self.progress.borrow_mut()(CampaignEvent::LeftOut(left_out.clone()));
        self.left_out.push(left_out);
        Ok(false)
    }
}

fn unlockable(file: &Path, reason: io::Error) -> MeasureError {
    MeasureError::DeviceLock {
        path: file.display().to_string(),
        reason,
    }
}

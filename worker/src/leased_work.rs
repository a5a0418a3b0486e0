//! What a leased job has to measure: architectures and networks that the server names, and a spool that keeps their measurements.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use lglp_client::{Failure, Refusal};
use lglp_engine::host::PluginError;
use lglp_engine::measure::{
    Candidate, DeviceLock, LEFT_OUT_REASON, MOST_FAILED_IN_A_ROW, MeasureError, MeasurementHarness, MeasurementLoop,
    MeasurementWork, Protocol, Subject, reference_network,
};
use lglp_engine::networks::{GivenNetwork, Structures};
use lglp_openapi::workers::{Batch, BatchItem, LeftOut, Work};
use lglp_registry::{Digest, Measurement};
use lglp_sdk::excerpt::shortened;
use lglp_sdk::{Architecture, SearchSpace};

use super::batch::admitted;
use super::calibration::{Calibration, Uncalibrated};
use super::connection::ServerConnection;
use super::device::Device;
use super::error::WorkerError;
use super::event::Event;
use super::lease::{Lease, LeaseEnd};
use super::spool::Spool;

/// Architectures to ask for at a time: what the worker goes on with while the server is away.
const BATCH: usize = 64;

/// How often an architecture is tried that fails.
const TRIES: u32 = 3;

/// Between two attempts to write to a full disk.
const DISK_PAUSE: Duration = Duration::from_secs(2);

/// Why measuring stopped.
pub(crate) enum StopReason {
    /// Every architecture of the job is measured.
    Done,
    /// The lease says to.
    Stopped,
    /// The worker drains.
    Draining,
    /// The job cannot be done; the reason.
    Failed(String),
    /// The runtime is of no use until it is opened anew.
    Broken(String),
    /// The device cannot work for now.
    DeviceGone(String),
    /// The machine is too unlike its target; the ratio.
    Unlike(f64),
    /// The worker cannot go on.
    Error(WorkerError),
}

/// The work on one job.
pub(crate) struct LeasedWork<'a> {
    connection: Arc<ServerConnection>,
    spool: Arc<Spool>,
    lease: &'a Lease,
    space: SearchSpace,
    reference_space: SearchSpace,
    /// Whether the target had no calibration when the job was leased.
    is_first: bool,
    protocol: Protocol,
    /// What was finished before this lease. The server's first batch may still have it, although the uploader hands it over
    /// meanwhile; later ones are asked for once everything is handed over.
    finished: HashSet<Digest>,
    /// The batch that came with the lease, until it is begun.
    offered: Option<Batch>,
    /// What of a batch is to come; none where the server is to be asked for one.
    batch: Option<VecDeque<BatchItem>>,
    /// How often each architecture failed.
    failures: HashMap<String, u32>,
    /// Networks that cannot be measured here, until the server is told.
    left_out: Vec<LeftOut>,
    left_out_in_a_row: usize,
    done: usize,
    total: usize,
    measured: usize,
    /// Whether the disk takes no measurements, as far as it was told.
    disk_is_full: bool,
}

/// The work on a device that is open.
struct OnDevice<'w, 'a> {
    work: &'w mut LeasedWork<'a>,
    lock: &'w DeviceLock,
    calibration: &'w Calibration,
}

impl<'a> LeasedWork<'a> {
    /// Before anything of this lease is handed over.
    ///
    /// # Errors
    /// `Incompatible`.
    pub(crate) fn new(
        connection: Arc<ServerConnection>,
        spool: Arc<Spool>,
        lease: &'a Lease,
        work: &Work,
        disk_is_full: bool,
    ) -> Result<Self, WorkerError> {
        let unclear = |what: &'static str| move |reason: String| WorkerError::Incompatible { what, reason };
        let space = |definition: &serde_json::Value| {
            SearchSpace::from_json(&definition.to_string()).map_err(|e| unclear("search space")(e.to_string()))
        };
        let reference_space = space(&work.reference_space)?;
        let protocol: Result<Protocol, _> = serde_json::from_value(work.protocol.clone());
        let protocol = protocol.map_err(|e| unclear("protocol")(e.to_string()))?;
        protocol.check().map_err(unclear("protocol"))?;
        Ok(Self {
            space: match work.space.is_null() {
                true => reference_space.clone(),
                false => space(&work.space)?,
            },
            reference_space,
            is_first: work.reference.is_none(),
            protocol,
            finished: spool.digests(&lease.series),
            offered: Some(work.batch.clone()),
            batch: None,
            connection,
            spool,
            lease,
            failures: HashMap::new(),
            left_out: Vec::new(),
            left_out_in_a_row: 0,
            done: work.batch.done,
            total: work.batch.total,
            measured: 0,
            disk_is_full,
        })
    }

    /// How many architectures were measured.
    pub(crate) fn measured(&self) -> usize {
        self.measured
    }

    /// Whether the disk takes no measurements, as far as it was told.
    pub(crate) fn disk_is_full(&self) -> bool {
        self.disk_is_full
    }

    /// Measures until there is a reason to stop.
    pub(crate) fn measure(&mut self, device: &Device<'_>, calibrations: &mut Vec<Calibration>) -> StopReason {
        let ended = self.run(device, calibrations);
        // What was begun, and did not end, is asked for again.
        self.batch = None;
        ended.err().unwrap_or(StopReason::Done)
    }

    fn run(&mut self, device: &Device<'_>, calibrations: &mut Vec<Calibration>) -> Result<(), StopReason> {
        let protocol = self.protocol.clone();
        let (space, reference_space) = (self.space.clone(), self.reference_space.clone());
        let harness = MeasurementHarness::new(&space, &reference_space, &device.runtime, protocol, device.batch());
        let mut harness =
            harness.map_err(|e| StopReason::DeviceGone(format!("the reference network cannot be loaded: {e}")))?;
        let calibration = self.calibration(device, &mut harness, calibrations)?;
        harness.know(Some(&calibration.reference));
        let lease = self.lease;
        let mut measuring = MeasurementLoop {
            lock: &device.lock,
            harness,
            hardware: &lease.series.hardware,
            replicate: lease.series.replicate,
            reference_ms: calibration.target_ms,
        };
        measuring.run(&mut OnDevice {
            work: self,
            lock: &device.lock,
            calibration: &calibration,
        })
    }

    /// How this machine compares: taken once for each reference network.
    fn calibration(
        &self,
        device: &Device<'_>,
        harness: &mut MeasurementHarness<'_>,
        known: &mut Vec<Calibration>,
    ) -> Result<Calibration, StopReason> {
        let own = reference_network(&self.reference_space, f64::NAN);
        let own = own.map_err(|none| StopReason::DeviceGone(none.to_string()))?;
        let digest = own.digest.to_string();
        if let Some(calibration) = known.iter().find(|c| c.digest == digest) {
            return Ok(calibration.clone());
        }
        let goes_on = || self.goes_on().is_ok();
        let taken = Calibration::take(
            &self.connection,
            device,
            &self.reference_space,
            harness,
            self.is_first,
            goes_on,
        );
        let calibration = taken.map_err(|error| match error {
            Uncalibrated::Plugin(PluginError::Panicked { message, .. }) => StopReason::DeviceGone(message),
            Uncalibrated::Plugin(error) => StopReason::DeviceGone(error.to_string()),
            Uncalibrated::Failure(failure) => self.refused(failure),
            Uncalibrated::Worker(error) => StopReason::Error(error),
            Uncalibrated::Stopped => self.goes_on().err().unwrap_or(StopReason::Stopped),
        })?;
        if calibration.is_unlike() {
            return Err(StopReason::Unlike(calibration.ratio));
        }
        known.push(calibration.clone());
        Ok(calibration)
    }

    /// The next architecture that is not finished, of this batch or the next; none where the server has no more.
    fn next_item(&mut self) -> Result<Option<BatchItem>, StopReason> {
        loop {
            let batch = match &mut self.batch {
                Some(batch) => batch,
                None => {
                    let batch = match self.offered.take() {
                        Some(offered) => offered,
                        None => self.next_batch()?,
                    };
                    if batch.items.is_empty() {
                        return Ok(None);
                    }
                    (self.done, self.total) = (batch.done, batch.total);
                    self.batch.insert(admitted(&batch).map_err(StopReason::Failed)?)
                }
            };
            match batch.pop_front() {
                Some(item) if self.finished.contains(&Digest::of(item.architecture.as_bytes())) => self.done += 1,
                Some(item) => return Ok(Some(item)),
                None => self.batch = None,
            }
        }
    }

    fn keep(&mut self, measurement: Measurement, half_width: f64) {
        self.left_out_in_a_row = 0;
        let (architecture, latency_ms) = (name_of(&measurement).to_owned(), measurement.latency_ms);
        let kept = self.spool.keep(measurement, &self.lease.series.target_since);
        self.measured += 1;
        self.done += 1;
        let note = format!("{latency_ms:.1} ms +- {:.1} %", 100.0 * half_width);
        self.lease.set_progress(self.done, self.total, note);
        (self.connection.report)(&Event::Measured {
            job: self.lease.job,
            architecture,
            latency_ms,
            half_width,
            done: self.done,
            total: self.total,
        });
        self.tell_disk(&kept);
    }

    /// Waits until nothing finished is in memory alone: kept on disk, or handed over.
    fn until_safe(&mut self) -> Result<(), StopReason> {
        while !self.spool.is_durable() {
            self.goes_on()?;
            let kept = self.spool.persist();
            self.tell_disk(&kept);
            if kept.is_err() {
                let over = || self.spool.is_durable() || self.goes_on().is_err();
                self.connection.pause_unless(DISK_PAUSE, over);
            }
        }
        Ok(())
    }

    /// Says once that the disk takes nothing, and once that it does again.
    fn tell_disk(&mut self, kept: &io::Result<()>) {
        if kept.is_err() == self.disk_is_full {
            return;
        }
        self.disk_is_full = kept.is_err();
        (self.connection.report)(&match kept {
            Err(error) => Event::DiskFull {
                reason: error.to_string(),
            },
            Ok(()) => Event::DiskBack,
        });
    }

    /// Whether to try once more what failed; `name` is what people call it.
    fn failed(&mut self, text: String, name: &str, error: &MeasureError) -> Result<(), StopReason> {
        if let MeasureError::Plugin(PluginError::Unavailable { .. }) = error {
            return Err(StopReason::DeviceGone(error.to_string()));
        }
        let failures = self.failures.entry(text).or_default();
        *failures += 1;
        if *failures >= TRIES {
            let reason = format!("{name} failed {failures} times, the last time with: {error}");
            return Err(StopReason::Failed(reason));
        }
        let reason = error.to_string();
        (self.connection.report)(&Event::Retried {
            architecture: name.to_owned(),
            reason: reason.clone(),
        });
        match error {
            MeasureError::Plugin(PluginError::Panicked { .. }) => Err(StopReason::Broken(reason)),
            _ => Ok(()),
        }
    }

    /// Waits until the uploader has handed over what is measured.
    fn hand_over(&self) -> Result<(), StopReason> {
        loop {
            let seen = self.connection.events.count();
            self.goes_on()?;
            if self.spool.waiting(&self.lease.series, 1).is_empty() {
                return Ok(());
            }
            self.connection.wait(seen);
        }
    }

    /// What is left once everything is handed over.
    fn next_batch(&mut self) -> Result<Batch, StopReason> {
        self.hand_over()?;
        self.finished.clear();
        let (job, fencing) = (self.lease.job, self.lease.fencing);
        let (connection, left_out) = (self.connection.clone(), std::mem::take(&mut self.left_out));
        let batch = connection.ask(
            || self.goes_on().is_ok(),
            |api| api.batch(job, fencing, BATCH, &left_out),
        );
        batch.map_err(|failure| match failure {
            // It has failed then: more is left out than a job may leave out.
            Failure::Refused {
                why: Refusal::Other,
                text,
            } if !left_out.is_empty() => StopReason::Failed(text),
            failure => self.refused(failure),
        })
    }

    /// A network that the server has, without its weights.
    fn network(&self, text: &str, name: String) -> Result<Subject, StopReason> {
        let digest: Digest = text.parse().map_err(|e| StopReason::Failed(format!("{text}: {e}")))?;
        let goes_on = || self.goes_on().is_ok();
        let structure = self.connection.ask(goes_on, |api| api.blob(&digest));
        let structure = structure.map_err(|failure| match failure {
            Failure::Refused { text, .. } => StopReason::Failed(format!("{name}: {text}")),
            failure => self.refused(failure),
        })?;
        let network = GivenNetwork::sent(name, digest, Arc::new(Fetched(structure)));
        Ok(Subject::Network(network))
    }

    /// Whether to try a network once more that failed: one that cannot be measured here is left out, which costs no other.
    fn network_failed(&mut self, network: &GivenNetwork, error: &MeasureError) -> Result<bool, StopReason> {
        if !error.is_of_one_network() {
            match self.failed(network.text(), network.name(), error) {
                Err(StopReason::Failed(_)) => self.left_out_in_a_row += 1,
                again => return again.map(|()| true),
            }
        }
        let reason = shortened(error.to_string(), LEFT_OUT_REASON);
        if self.left_out_in_a_row > MOST_FAILED_IN_A_ROW {
            return Err(StopReason::Failed(format!(
                "network after network fails, the last one with: {reason}"
            )));
        }
        self.done += 1;
        (self.connection.report)(&Event::LeftOut {
            name: network.name().to_owned(),
            reason: reason.clone(),
        });
        self.left_out.push(LeftOut {
            architecture: network.text(),
            reason,
        });
        Ok(false)
    }

    /// Whatever the server refuses, the job is not this worker's any more; what it did not hear was given up for a reason.
    fn refused(&self, failure: Failure) -> StopReason {
        if let Failure::Refused { .. } = failure {
            self.lease.stop(LeaseEnd::Stale);
        }
        self.goes_on().err().unwrap_or(StopReason::Stopped)
    }

    fn goes_on(&self) -> Result<(), StopReason> {
        if self.lease.stopped().is_some() {
            return Err(StopReason::Stopped);
        }
        if self.connection.drain.is_asked() {
            return Err(StopReason::Draining);
        }
        Ok(())
    }
}

impl MeasurementWork for OnDevice<'_, '_> {
    type Stop = StopReason;

    fn next(&mut self) -> Result<Option<Candidate>, StopReason> {
        let Some(item) = self.work.next_item()? else {
            return Ok(None);
        };
        let BatchItem {
            architecture: text,
            name,
            mut flags,
        } = item;
        let subject = match name {
            Some(name) => self.work.network(&text, name)?,
            None => {
                let architecture = self.work.space.architecture_from_text(&text);
                Subject::Architecture(architecture.map_err(|e| StopReason::Failed(format!("{text}: {e}")))?)
            }
        };
        flags.extend(self.calibration.flag());
        Ok(Some(Candidate { subject, flags }))
    }

    fn upcoming(&self) -> Option<&Architecture> {
        None
    }

    fn goes_on(&self) -> Result<(), StopReason> {
        self.work.goes_on()
    }

    /// One in hand is finished by a worker that drains.
    fn is_cancelled(&self) -> bool {
        self.work.lease.stopped().is_some()
    }

    fn ready(&mut self) -> Result<(), StopReason> {
        self.work.until_safe()
    }

    fn waits(&self) {
        (self.work.connection.report)(&Event::Waiting);
    }

    fn unlockable(&self, reason: io::Error) -> StopReason {
        let path = self.lock.file().display().to_string();
        StopReason::Error(WorkerError::DeviceLock { path, reason })
    }

    fn keep(&mut self, measurement: Measurement, half_width: f64) -> Result<(), StopReason> {
        let worker = Some(self.work.connection.api.worker().to_owned());
        self.work.keep(Measurement { worker, ..measurement }, half_width);
        Ok(())
    }

    fn failed(&mut self, candidate: &Candidate, error: MeasureError) -> Result<bool, StopReason> {
        if let Subject::Network(network) = &candidate.subject {
            return self.work.network_failed(network, &error);
        }
        let architecture = candidate.subject.text(&self.work.space);
        self.work
            .failed(architecture.clone(), &architecture, &error)
            .map(|()| true)
    }
}

/// A model without its weights, as the server sent it.
#[derive(Debug)]
struct Fetched(Vec<u8>);

impl Structures for Fetched {
    fn structure(&self, _: &Digest) -> io::Result<Vec<u8>> {
        Ok(self.0.clone())
    }
}

/// What people call what was measured.
fn name_of(measurement: &Measurement) -> &str {
    let network = measurement.network.as_ref();
    network.map_or(&measurement.architecture, |network| &network.name)
}

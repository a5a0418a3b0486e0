//! What a worker asks of a server and tells it: the calls of `openapi/src/workers.rs`, typed.

use std::time::Duration;

use lglp_openapi::hardware::{HardwareTarget, ReferenceNetwork};
use lglp_openapi::jobs::{Job, Progress};
use lglp_openapi::problem::Slug;
use lglp_openapi::workers::{
    Accepted, AskForBatch, AskForWork, Batch, Calibrated, Calibration, Finish, Heartbeat, LeftOut, RegisterWorker,
    Registered, Release, SubmitMeasurements, Work,
};
use lglp_registry::{Digest, Measurement, now};
use lglp_sdk::excerpt::MESSAGE;
use lglp_sdk::{Excerpt, Printable};
use ureq::http::Method;

use super::{ClientError, Http};

/// What a call may take: longer than a busy server needs, shorter than a lease, so that a connection that hangs costs none.
const CALL: Duration = Duration::from_secs(15);

/// Bytes of an answer: many times what 128 architectures and two spaces take.
const ANSWER: u64 = 4 << 20;

/// Bytes of a model without its weights.
const BLOB: u64 = 16 << 20;

/// A server, as one worker's process sees it.
pub struct WorkerApi {
    http: Http,
    worker: String,
    instance: String,
}

/// Why a call failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// No answer, or none that says anything of the call itself: the server is away or overloaded. Worth trying again.
    #[error("{0}")]
    Lost(String),
    /// The server refuses; the same call will be refused again.
    #[error("{text}")]
    Refused {
        /// What the worker acts on.
        why: Refusal,
        /// The server's explanation, for people.
        text: String,
    },
}

/// What a worker acts on when it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The lease is somebody else's by now, or nobody's.
    StaleLease,
    /// Another process registered under the worker's name.
    StaleInstance,
    /// Its machine is another one than its target's.
    OtherMachine,
    /// There is no such target, and nothing was said of how to measure.
    UnknownHardware,
    /// Whatever was named is not there: a worker that the server does not know any more, for one.
    NotFound,
    /// The token is missing, is no good, or is not enough.
    NotAdmitted,
    /// Anything else; the text says it.
    Other,
}

impl WorkerApi {
    /// The calls of the worker of a name. `instance` is this process.
    pub fn new(http: &Http, worker: &str, instance: &str) -> Self {
        Self {
            http: http.within(CALL).reading(ANSWER),
            worker: worker.to_owned(),
            instance: instance.to_owned(),
        }
    }

    /// The worker's name.
    pub fn worker(&self) -> &str {
        &self.worker
    }

    /// This process.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// A hardware target.
    pub fn hardware(&self, name: &str) -> Result<HardwareTarget, Failure> {
        Ok(self.http.get(&format!("/v1/hardware/{name}"))?)
    }

    /// Registers this process under the worker's name, in the place of any that did before. Creates the hardware target where there is
    /// none and `new` says how to measure.
    pub fn register(&self, new: &RegisterWorker) -> Result<Registered, Failure> {
        let path = format!("/v1/workers/{}", self.worker);
        Ok(self.http.send(Method::PUT, &path, &[], new)?)
    }

    /// Waits up to `wait_s` for work; none where none came.
    pub fn lease(&self, wait_s: u32) -> Result<Option<Work>, Failure> {
        let ask = AskForWork {
            instance: self.instance.clone(),
            wait_s,
            sent_at: now(),
        };
        let patient = self.http.within(CALL + Duration::from_secs(wait_s.into()));
        Ok(patient.send_for_any(Method::POST, &format!("/v1/workers/{}/lease", self.worker), &ask)?)
    }

    /// Tells this machine's latency of the reference network.
    pub fn calibrate(&self, reference: ReferenceNetwork) -> Result<Calibrated, Failure> {
        let path = format!("/v1/workers/{}/calibration", self.worker);
        let instance = self.instance.clone();
        let told = Calibration { instance, reference };
        Ok(self.http.send(Method::POST, &path, &[], &told)?)
    }

    /// Signs off: what this process had leased is queued again.
    pub fn sign_off(&self) -> Result<(), Failure> {
        let path = format!("/v1/workers/{}?instance={}", self.worker, self.instance);
        Ok(self.http.delete(&path)?)
    }

    /// Renews the lease of a job, and tells how far the work is; the job as it stands now, which says whether it is to be cancelled.
    pub fn heartbeat(&self, job: u64, fencing: u64, progress: Option<Progress>) -> Result<Job, Failure> {
        let sent_at = now();
        let heartbeat = Heartbeat {
            fencing,
            progress,
            sent_at,
        };
        self.post_for_job(job, "heartbeat", &heartbeat)
    }

    /// The next architectures of a job that are not measured yet, up to `limit` of 128 at most, without those that are to be left out;
    /// renews the lease, too.
    pub fn batch(&self, job: u64, fencing: u64, limit: usize, left_out: &[LeftOut]) -> Result<Batch, Failure> {
        let ask = AskForBatch {
            fencing,
            limit,
            left_out: left_out.to_vec(),
        };
        self.post_for_job(job, "batch", &ask)
    }

    /// A blob, verified by whoever asks.
    pub fn blob(&self, digest: &Digest) -> Result<Vec<u8>, Failure> {
        let http = self.http.clone().reading(BLOB);
        Ok(http.bytes(Method::GET, &format!("/v1/blobs/{digest}"), Vec::new())?)
    }

    /// Hands measurements of a job over, 256 at most. Once it is answered, they are durable, but for those that were measured before.
    pub fn submit(&self, job: u64, fencing: u64, measurements: &[Measurement]) -> Result<Accepted, Failure> {
        let submitted = SubmitMeasurements {
            fencing,
            measurements: measurements.to_vec(),
            sent_at: now(),
        };
        self.post_for_job(job, "measurements", &submitted)
    }

    /// Ends a job, as failed where a reason is given.
    pub fn finish(&self, job: u64, fencing: u64, failed: Option<String>) -> Result<Job, Failure> {
        self.post_for_job(job, "finish", &Finish { fencing, failed })
    }

    /// Gives a job back.
    pub fn release(&self, job: u64, fencing: u64) -> Result<Job, Failure> {
        self.post_for_job(job, "release", &Release { fencing })
    }

    fn post_for_job<T: serde::de::DeserializeOwned>(
        &self,
        job: u64,
        what: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, Failure> {
        let path = format!("/v1/jobs/{job}/{what}");
        Ok(self.http.send(Method::POST, &path, &[], body)?)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let problem = match error {
            ClientError::Problem(problem) => problem,
            lost @ ClientError::Transport { .. } => return Self::Lost(lost.to_string()),
        };
        // It goes into lines of a log, and into files.
        let text = Printable::of(Excerpt::within(&problem.detail, MESSAGE)).to_string();
        // Too many requests, and faults of the server's own.
        if problem.status == 429 || problem.status >= 500 {
            return Self::Lost(text);
        }
        let why = match (problem.slug(), problem.status) {
            (Some(Slug::StaleLease), _) => Refusal::StaleLease,
            (Some(Slug::StaleInstance), _) => Refusal::StaleInstance,
            (Some(Slug::FingerprintDiffers), _) => Refusal::OtherMachine,
            (Some(Slug::UnknownHardware), _) => Refusal::UnknownHardware,
            (_, 404) => Refusal::NotFound,
            (_, 401 | 403) => Refusal::NotAdmitted,
            _ => Refusal::Other,
        };
        Self::Refused { why, text }
    }
}

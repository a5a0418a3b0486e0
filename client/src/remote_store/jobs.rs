//! Jobs: created, listed and cancelled; the server works on them itself.

use lglp_registry::{Admission, Error, Job, JobFilter, JobOutcome, LeaseRequest, NewJob, Progress, Result};
use serde::Deserialize;
use serde_json::Value;
use ureq::http::Method;

use super::{RemoteStore, error, keyed};

#[derive(Deserialize)]
struct Jobs {
    jobs: Vec<Job>,
}

/// Working on jobs is done where the registry is.
fn works_itself<T>() -> Result<T> {
    Err(Error::invalid("job", "a server works on its jobs itself"))
}

impl RemoteStore {
    /// The server knows its own terms.
    pub(super) fn ask_create_job(&self, new: &NewJob, idempotency_key: Option<&str>, _: Admission) -> Result<Job> {
        let path = format!("/v1/{}/jobs", new.hardware);
        let headers = keyed(Vec::new(), idempotency_key);
        let body = serde_json::json!({ "kind": new.kind, "parameters": new.parameters });
        self.0.send(Method::POST, &path, &headers, &body).map_err(error(
            "create the job",
            "hardware target",
            &new.hardware,
        ))
    }

    pub(super) fn ask_job(&self, id: u64) -> Result<Job> {
        let path = format!("/v1/jobs/{id}");
        self.0.get(&path).map_err(error("read the job", "job", id))
    }

    pub(super) fn ask_jobs(&self, filter: &JobFilter, limit: usize) -> Result<Vec<Job>> {
        let mut path = format!("/v1/jobs?limit={limit}");
        if let Some(hardware) = &filter.hardware {
            path += &format!("&hardware={hardware}");
        }
        if let Some(state) = filter.state {
            path += &format!("&state={state}");
        }
        let list: Jobs = self.0.get(&path).map_err(error("list jobs", "list", "jobs"))?;
        Ok(list.jobs)
    }

    pub(super) fn ask_cancel_job(&self, id: u64, _actor: &str) -> Result<Job> {
        let path = format!("/v1/jobs/{id}/cancel");
        self.0
            .send(Method::POST, &path, &[], &serde_json::json!({}))
            .map_err(error("cancel the job", "job", id))
    }

    pub(super) fn ask_lease_job(&self, _: &LeaseRequest) -> Result<Option<Job>> {
        works_itself()
    }

    pub(super) fn ask_heartbeat_job(&self, _: u64, _: u64, _: Option<&Progress>) -> Result<Job> {
        works_itself()
    }

    pub(super) fn ask_checkpoint_job(&self, _: u64, _: u64, _: &Value) -> Result<Job> {
        works_itself()
    }

    pub(super) fn ask_finish_job(&self, _: u64, _: u64, _: &JobOutcome) -> Result<Job> {
        works_itself()
    }

    pub(super) fn ask_release_job(&self, _: u64, _: u64) -> Result<Job> {
        works_itself()
    }

    pub(super) fn ask_requeue_jobs(&self, _: Option<&str>) -> Result<Vec<Job>> {
        works_itself()
    }
}

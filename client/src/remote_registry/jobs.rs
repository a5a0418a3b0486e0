//! Jobs: created, listed and cancelled; the server works on them itself.

use lglp_openapi::jobs::SubmitJob;
use lglp_registry::{Admission, Job, JobFilter, Jobs, NewJob, Result};
use serde::Deserialize;
use ureq::http::Method;

use super::{RemoteRegistry, error, keyed};

#[derive(Deserialize)]
struct JobList {
    jobs: Vec<Job>,
}

impl Jobs for RemoteRegistry {
    /// The server knows its own terms.
    fn create_job(&self, new: &NewJob, idempotency_key: Option<&str>, _: Admission) -> Result<Job> {
        let path = format!("/v1/{}/jobs", new.hardware);
        let headers = keyed(Vec::new(), idempotency_key);
        let body = SubmitJob {
            kind: new.kind,
            parameters: new.parameters.clone(),
        };
        self.0
            .send(Method::POST, &path, &headers, &body)
            .map_err(error("create the job", "hardware target"))
    }

    fn job(&self, id: u64) -> Result<Job> {
        let path = format!("/v1/jobs/{id}");
        self.0.get(&path).map_err(error("read the job", "job"))
    }

    fn jobs(&self, filter: &JobFilter, limit: usize) -> Result<Vec<Job>> {
        let mut path = format!("/v1/jobs?limit={limit}");
        if let Some(hardware) = &filter.hardware {
            path += &format!("&hardware={hardware}");
        }
        if let Some(state) = filter.state {
            path += &format!("&state={state}");
        }
        let list: JobList = self.0.get(&path).map_err(error("list jobs", "list"))?;
        Ok(list.jobs)
    }

    fn cancel_job(&self, id: u64, _actor: &str) -> Result<Job> {
        let path = format!("/v1/jobs/{id}/cancel");
        self.0
            .send(Method::POST, &path, &[], &serde_json::json!({}))
            .map_err(error("cancel the job", "job"))
    }
}

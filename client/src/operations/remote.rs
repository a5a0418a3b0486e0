//! Operations that a server does.

use lglp_openapi::bundles::ImportQuery;
use lglp_openapi::explain::{ExplainRequest, Explanation};
use lglp_openapi::lineage::{DiffQuery, Lineage, ModelDiff};
use lglp_openapi::networks::NetworksRequest;
use lglp_openapi::predict::{PredictRequest, PredictResponse};
use lglp_openapi::rebind::{RebindRequest, Rebound};
use lglp_openapi::savings::{SavingsQuery, SavingsReport};
use lglp_openapi::tokens::{CreateToken, CreatedToken};
use lglp_openapi::workers::{ConfirmWorker, Worker, WorkerList};
use lglp_registry::prelude::*;
use lglp_registry::{
    Admission, Alias, AliasMove, HardwareName, Job, NewJob, Rollback, SetTraffic, Traffic, Version, WorkerName,
};
use serde::Serialize;
use ureq::http::Method;

use super::form::Form;
use super::{OperationError, Operations, Outcome};
use crate::{Http, RemoteRegistry};

/// Has a server do what is asked.
pub struct RemoteOperations {
    http: Http,
    registry: RemoteRegistry,
}

impl RemoteOperations {
    /// The operations of the server that `http` talks to.
    pub fn new(http: Http) -> Self {
        let registry = RemoteRegistry::new(http.clone());
        Self { http, registry }
    }
}

/// A path with a query, which has the fields of `parameters`.
fn with_query(path: String, parameters: &impl Serialize) -> Outcome<String> {
    let query = serde_urlencoded::to_string(parameters).map_err(|error| OperationError::NotDone(error.into()))?;
    Ok(format!("{path}?{query}"))
}

impl Operations for RemoteOperations {
    fn predict(&self, hardware: &HardwareName, request: &PredictRequest) -> Outcome<PredictResponse> {
        let path = format!("/v1/{hardware}/predict");
        Ok(self.http.send(Method::POST, &path, &[], request)?)
    }

    fn predict_networks(&self, hardware: &HardwareName, request: NetworksRequest) -> Outcome<PredictResponse> {
        let path = format!("/v1/{hardware}/predict");
        let Form { content_type, body } = Form::of(request);
        Ok(self.http.send_as(Method::POST, &path, &content_type, body)?)
    }

    fn explain(&self, hardware: &HardwareName, request: &ExplainRequest) -> Outcome<Explanation> {
        let path = format!("/v1/{hardware}/explain");
        Ok(self.http.send(Method::POST, &path, &[], request)?)
    }

    fn savings(&self, hardware: &HardwareName, query: &SavingsQuery) -> Outcome<SavingsReport> {
        Ok(self.http.get(&with_query(format!("/v1/{hardware}/savings"), query)?)?)
    }

    fn lineage(&self, hardware: &HardwareName, version: u32) -> Outcome<Lineage> {
        Ok(self.http.get(&format!("/v1/{hardware}/models/{version}/lineage"))?)
    }

    fn diff(&self, hardware: &HardwareName, (a, b): (u32, u32), query: &DiffQuery) -> Outcome<ModelDiff> {
        let path = with_query(format!("/v1/{hardware}/models/{a}/diff/{b}"), query)?;
        Ok(self.http.get(&path)?)
    }

    fn rebind(&self, hardware: &HardwareName, version: u32, request: &RebindRequest, _: &str) -> Outcome<Rebound> {
        let path = format!("/v1/{hardware}/models/{version}/rebind");
        Ok(self.http.send(Method::POST, &path, &[], request)?)
    }

    fn export_version(&self, hardware: &HardwareName, version: u32) -> Outcome<Vec<u8>> {
        let path = format!("/v1/{hardware}/models/{version}/bundle");
        Ok(self.http.bytes(Method::GET, &path, Vec::new())?)
    }

    fn import_version(&self, hardware: &HardwareName, bundle: Vec<u8>, query: ImportQuery) -> Outcome<Version> {
        let path = with_query(format!("/v1/{hardware}/models/import"), &query)?;
        Ok(self
            .http
            .send_as(Method::POST, &path, "application/octet-stream", bundle)?)
    }

    fn move_alias(&self, hardware: &HardwareName, order: &AliasMove) -> Outcome<Alias> {
        Ok(self.registry.move_alias(hardware, order)?)
    }

    fn roll_back(&self, hardware: &HardwareName, order: &Rollback) -> Outcome<Alias> {
        Ok(self.registry.roll_back(hardware, order)?)
    }

    fn set_traffic(&self, hardware: &HardwareName, order: &SetTraffic) -> Outcome<Traffic> {
        order.check()?;
        Ok(self.registry.set_traffic(hardware, order)?)
    }

    /// The server knows its own terms.
    fn submit_job(&self, new: NewJob) -> Outcome<Job> {
        Ok(self.registry.create_job(&new, None, Admission::Part)?)
    }

    fn workers(&self) -> Outcome<Vec<Worker>> {
        Ok(self.http.get::<WorkerList>("/v1/workers")?.workers)
    }

    fn confirm_worker(&self, worker: &WorkerName, _actor: &str, reason: &str) -> Outcome<Worker> {
        let path = format!("/v1/workers/{worker}/confirm");
        let reason = reason.to_owned();
        Ok(self.http.send(Method::POST, &path, &[], &ConfirmWorker { reason })?)
    }

    fn remove_worker(&self, worker: &WorkerName) -> Outcome<()> {
        Ok(self.http.delete(&format!("/v1/workers/{worker}"))?)
    }

    fn create_token(&self, new: &CreateToken) -> Outcome<CreatedToken> {
        Ok(self.http.send(Method::POST, "/v1/tokens", &[], new)?)
    }
}

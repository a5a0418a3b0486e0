//! What lglp does beyond keeping records, whoever does it: the server that has the registry, or the process that holds it. Commands ask
//! this, and do not ask where it is done.

mod error;
mod form;
mod remote;

use lglp_openapi::bundles::ImportQuery;
use lglp_openapi::explain::{ExplainRequest, Explanation};
use lglp_openapi::lineage::{DiffQuery, Lineage, ModelDiff};
use lglp_openapi::networks::NetworksRequest;
use lglp_openapi::predict::{PredictRequest, PredictResponse};
use lglp_openapi::rebind::{RebindRequest, Rebound};
use lglp_openapi::savings::{SavingsQuery, SavingsReport};
use lglp_openapi::tokens::{CreateToken, CreatedToken};
use lglp_openapi::workers::Worker;
use lglp_registry::{Alias, AliasMove, HardwareName, Job, NewJob, Rollback, SetTraffic, Traffic, Version, WorkerName};

pub use error::OperationError;
pub use remote::RemoteOperations;

/// What an operation comes to.
pub type Outcome<T> = Result<T, OperationError>;

/// What may be asked for. Each operation fails with what refuses it, the same wherever it is done: see [`OperationError`].
pub trait Operations: Send + Sync {
    /// Predicts architectures, in the order asked.
    fn predict(&self, hardware: &HardwareName, request: &PredictRequest) -> Outcome<PredictResponse>;

    /// Predicts networks as ONNX files, in the order asked.
    fn predict_networks(&self, hardware: &HardwareName, request: NetworksRequest) -> Outcome<PredictResponse>;

    /// Explains a prediction: what each layer takes, and what single changes would save.
    fn explain(&self, hardware: &HardwareName, request: &ExplainRequest) -> Outcome<Explanation>;

    /// What predicting saved.
    fn savings(&self, hardware: &HardwareName, query: &SavingsQuery) -> Outcome<SavingsReport>;

    /// What a version follows from, and what happened to it since.
    fn lineage(&self, hardware: &HardwareName, version: u32) -> Outcome<Lineage>;

    /// How two versions differ.
    fn diff(&self, hardware: &HardwareName, versions: (u32, u32), query: &DiffQuery) -> Outcome<ModelDiff>;

    /// Makes a version of another, with the builds of its plugins that are there now, where they predict the same.
    fn rebind(&self, hardware: &HardwareName, version: u32, request: &RebindRequest, actor: &str) -> Outcome<Rebound>;

    /// A version in one file.
    fn export_version(&self, hardware: &HardwareName, version: u32) -> Outcome<Vec<u8>>;

    /// Imports what [`Operations::export_version`] made.
    fn import_version(&self, hardware: &HardwareName, bundle: Vec<u8>, query: ImportQuery) -> Outcome<Version>;

    /// Moves an alias to a version, which is loaded and tested first.
    fn move_alias(&self, hardware: &HardwareName, order: &AliasMove) -> Outcome<Alias>;

    /// Moves an alias back to the version that it pointed at before, which is loaded and tested first.
    fn roll_back(&self, hardware: &HardwareName, order: &Rollback) -> Outcome<Alias>;

    /// Divides traffic otherwise; versions that get some are loaded and tested first.
    fn set_traffic(&self, hardware: &HardwareName, order: &SetTraffic) -> Outcome<Traffic>;

    /// Puts a job into the queue, once its parameters are found to be good.
    fn submit_job(&self, new: NewJob) -> Outcome<Job>;

    /// Every worker, by name, with what it is doing.
    fn workers(&self) -> Outcome<Vec<Worker>>;

    /// Lets a worker measure for its target although its machine is another one. `actor` is who does, where a server does not know it.
    fn confirm_worker(&self, worker: &WorkerName, actor: &str, reason: &str) -> Outcome<Worker>;

    /// Signs a worker off that is gone for good; what it had leased is queued again.
    fn remove_worker(&self, worker: &WorkerName) -> Outcome<()>;

    /// Creates a token, and tells its secret this once.
    fn create_token(&self, new: &CreateToken) -> Outcome<CreatedToken>;
}

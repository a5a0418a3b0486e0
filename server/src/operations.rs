//! Operations that the process does which holds the registry itself: commands where no server runs.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use lglp_client::{OperationError, Operations, Outcome};
use lglp_engine::host::PluginHost;
use lglp_engine::predictor::ServedModel;
use lglp_engine::spaces::Spaces;
use lglp_engine::train::DataError;
use lglp_openapi::bundles::ImportQuery;
use lglp_openapi::explain::{ExplainRequest, Explanation};
use lglp_openapi::lineage::{DiffQuery, Lineage, ModelDiff};
use lglp_openapi::networks::NetworksRequest;
use lglp_openapi::predict::{PredictRequest, PredictResponse};
use lglp_openapi::rebind::{RebindRequest, Rebound};
use lglp_openapi::savings::{SavingsQuery, SavingsReport};
use lglp_openapi::tokens::{CreateToken, CreatedToken};
use lglp_openapi::workers::Worker;
use lglp_registry::{
    Admission, Alias, AliasMove, HardwareName, Job, NewJob, NewToken, Quota, Rollback, SetTraffic, Store, Traffic,
    Version, WorkerName,
};

use crate::api::{ApiError, explain_here, predict_here, predict_networks_here};
use crate::bundles::{Bundle, BundleError, Importer, Terms, export};
use crate::jobs::{Plans, QUEUE_LIMIT, Services, check};
use crate::lineage::{DiffError, RebindError, diff, lineage, rebind};
use crate::savings::{self, SavingsError};
use crate::secret::Bearer;
use crate::serving::Serving;
use crate::workers::worker_status;

/// What models run in.
#[derive(Clone)]
pub struct Environment {
    /// The plugins.
    pub host: Arc<PluginHost>,
    /// The search spaces.
    pub spaces: Arc<Spaces>,
}

/// [`Environment`] that is opened when it is first needed: many operations need none.
pub struct LazyEnvironment {
    open: Box<dyn Fn() -> anyhow::Result<Environment> + Send + Sync>,
    opened: Mutex<Option<Environment>>,
}

impl LazyEnvironment {
    /// An environment that `open` opens.
    pub fn new(open: impl Fn() -> anyhow::Result<Environment> + Send + Sync + 'static) -> Self {
        Self {
            open: Box::new(open),
            opened: Mutex::new(None),
        }
    }

    /// The environment.
    ///
    /// # Errors
    /// Those of opening it.
    pub fn get(&self) -> anyhow::Result<Environment> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(environment) = &*opened {
            return Ok(environment.clone());
        }
        let environment = (self.open)()?;
        *opened = Some(environment.clone());
        Ok(environment)
    }
}

/// The operations on a registry that this process holds.
pub struct LocalOperations {
    store: Arc<dyn Store>,
    environment: Arc<LazyEnvironment>,
    /// Folder of the recipes.
    recipes: PathBuf,
}

impl LocalOperations {
    /// The operations on `store`, with recipes from a folder.
    pub fn new(store: Arc<dyn Store>, environment: Arc<LazyEnvironment>, recipes: PathBuf) -> Self {
        Self {
            store,
            environment,
            recipes,
        }
    }

    fn environment(&self) -> Outcome<Environment> {
        self.environment.get().map_err(OperationError::NotDone)
    }

    /// Serves versions of the registry, each loaded when it is first asked for.
    fn serving(&self, Environment { host, spaces }: Environment) -> Outcome<Serving> {
        Serving::for_command(self.store.clone(), host, spaces).map_err(OperationError::NotDone)
    }

    /// Loads and tests versions, as a server does before something leads to them.
    fn try_out(&self, hardware: &HardwareName, versions: impl IntoIterator<Item = u32>) -> Outcome<()> {
        let mut versions = versions.into_iter().peekable();
        if versions.peek().is_none() {
            return Ok(());
        }
        let serving = self.serving(self.environment()?)?;
        versions.try_for_each(|version| serving.load_blocking(hardware, version).map(drop).map_err(failed))
    }
}

/// What a bundle fails with.
fn of_bundle(error: BundleError) -> OperationError {
    match error {
        BundleError::Registry(error) => error.into(),
        other => failed(other),
    }
}

/// What a server would answer.
fn failed(error: impl Into<ApiError>) -> OperationError {
    OperationError::Problem(Box::new(error.into().problem()))
}

impl Operations for LocalOperations {
    fn predict(&self, hardware: &HardwareName, request: &PredictRequest) -> Outcome<PredictResponse> {
        let environment = self.environment()?;
        let spaces = environment.spaces.clone();
        predict_here(&self.serving(environment)?, &spaces, hardware, request).map_err(failed)
    }

    fn predict_networks(&self, hardware: &HardwareName, request: NetworksRequest) -> Outcome<PredictResponse> {
        let serving = self.serving(self.environment()?)?;
        predict_networks_here(&serving, hardware, request).map_err(failed)
    }

    fn explain(&self, hardware: &HardwareName, request: &ExplainRequest) -> Outcome<Explanation> {
        let environment = self.environment()?;
        let spaces = environment.spaces.clone();
        explain_here(&self.serving(environment)?, &spaces, hardware, request).map_err(failed)
    }

    fn savings(&self, hardware: &HardwareName, query: &SavingsQuery) -> Outcome<SavingsReport> {
        savings::report(query, &*self.store, hardware).map_err(|error| match error {
            SavingsError::Registry(error) => error.into(),
            other => failed(other),
        })
    }

    fn lineage(&self, hardware: &HardwareName, version: u32) -> Outcome<Lineage> {
        Ok(lineage(&*self.store, &self.environment()?.host, hardware, version)?)
    }

    fn diff(&self, hardware: &HardwareName, versions: (u32, u32), query: &DiffQuery) -> Outcome<ModelDiff> {
        let serving = self.serving(self.environment()?)?;
        diff(&*self.store, &serving, hardware, versions, query, &|model, rows| {
            serving.values(model, rows)
        })
        .map_err(|error| match error {
            DiffError::Registry(error) | DiffError::Data(DataError::Registry(error)) => error.into(),
            other => failed(other),
        })
    }

    fn rebind(&self, hardware: &HardwareName, version: u32, request: &RebindRequest, actor: &str) -> Outcome<Rebound> {
        let Environment { host, spaces } = self.environment()?;
        let rebound = rebind(&*self.store, &host, &spaces, (hardware, version), request, actor);
        rebound.map_err(|error| match error {
            RebindError::Registry(error) => error.into(),
            other => failed(other),
        })
    }

    fn export_version(&self, hardware: &HardwareName, version: u32) -> Outcome<Vec<u8>> {
        let exported = export(&*self.store, hardware, version).map_err(of_bundle)?;
        Ok(exported.bytes)
    }

    fn import_version(&self, hardware: &HardwareName, bundle: Vec<u8>, query: ImportQuery) -> Outcome<Version> {
        let bundle = Bundle::read(&bundle).map_err(of_bundle)?;
        let Environment { host, spaces } = self.environment()?;
        let importer = Importer {
            store: &*self.store,
            host: &host,
            spaces: &spaces,
            try_out: &|target, version, state| {
                Ok(ServedModel::from_state(&host, &spaces, target, version, &state).map(drop)?)
            },
        };
        let terms = Terms {
            hardware: hardware.clone(),
            accept_other_plugins: query.accept_other_plugins,
            quota: Quota::NONE,
            actor: query.actor,
        };
        let imported = importer.import(&bundle, &terms).map_err(of_bundle)?;
        Ok(imported.version)
    }

    fn move_alias(&self, hardware: &HardwareName, order: &AliasMove) -> Outcome<Alias> {
        self.try_out(hardware, [order.version])?;
        Ok(self.store.move_alias(hardware, order)?)
    }

    fn roll_back(&self, hardware: &HardwareName, order: &Rollback) -> Outcome<Alias> {
        let now = self.store.alias(hardware, &order.alias)?;
        self.try_out(hardware, now.previous.last().copied())?;
        Ok(self.store.roll_back(hardware, order)?)
    }

    fn set_traffic(&self, hardware: &HardwareName, order: &SetTraffic) -> Outcome<Traffic> {
        order.check()?;
        let aliases = order
            .shares()
            .map(|(_, share)| self.store.alias(hardware, &share.alias));
        let versions: Vec<u32> = aliases
            .map(|alias| Ok(alias?.version))
            .collect::<lglp_registry::Result<_>>()?;
        self.try_out(hardware, versions)?;
        Ok(self.store.set_traffic(hardware, order)?)
    }

    fn submit_job(&self, new: NewJob) -> Outcome<Job> {
        let environment = self.environment()?;
        let services = Services {
            store: self.store.clone(),
            serving: Arc::new(self.serving(environment.clone())?),
            host: environment.host,
            spaces: environment.spaces,
            recipes: self.recipes.clone(),
            plans: Plans::default(),
        };
        let new = check(new, &services)?;
        let admission = Admission::Any { places: QUEUE_LIMIT };
        Ok(self.store.create_job(&new, None, admission)?)
    }

    fn workers(&self) -> Outcome<Vec<Worker>> {
        let workers = self.store.workers()?.into_iter();
        Ok(workers
            .map(|worker| worker_status(&*self.store, worker))
            .collect::<lglp_registry::Result<_>>()?)
    }

    fn confirm_worker(&self, worker: &WorkerName, actor: &str, reason: &str) -> Outcome<Worker> {
        let confirmed = self.store.confirm_worker(worker, actor, reason)?;
        Ok(worker_status(&*self.store, confirmed)?)
    }

    fn remove_worker(&self, worker: &WorkerName) -> Outcome<()> {
        let known = self.store.worker(worker)?;
        self.store.sign_off_worker(worker, &known.instance)?;
        self.store.requeue_jobs(Some(&known.holder()))?;
        Ok(())
    }

    fn create_token(&self, new: &CreateToken) -> Outcome<CreatedToken> {
        let bearer = Bearer::draw().map_err(|error| OperationError::NotDone(error.into()))?;
        let token = NewToken {
            id: bearer.id.clone(),
            name: new.name.clone(),
            role: new.role,
            hardware: new.hardware.clone(),
        };
        let token = self.store.create_token(&token, &bearer.hash(), &new.actor)?;
        let secret = bearer.to_string();
        Ok(CreatedToken { token, secret })
    }
}

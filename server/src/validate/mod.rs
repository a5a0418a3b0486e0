//! Validating a version: fresh architectures are measured now, and its predictions compared with what comes out.

mod report;
mod selection;

pub use selection::{Method, Selection};

use std::collections::HashSet;
use std::sync::Arc;

use lglp_registry::{AliasName, Digest, HardwareName, PRODUCTION, Quantity, Store, Validation};
use lglp_sdk::{Architecture, SearchSpace};

use crate::measure::{Campaign, CampaignEvent, MeasureError, Plan, Protocol, Wanted};
use crate::plots::PlotError;
use crate::plugins::PluginHost;
use crate::serving::{ServedModel, Serving, ServingError};
use crate::spaces::Spaces;

/// Validating one version of a hardware target on this machine.
pub struct Validating<'a> {
    pub store: &'a dyn Store,
    pub host: &'a PluginHost,
    pub spaces: &'a Spaces,
    pub serving: &'a Serving,
    pub hardware: &'a HardwareName,
    pub version: u32,
    pub selection: Selection,
    pub protocol: Protocol,
}

/// The round that fresh architectures are measured in: like any first measurement, theirs are ground truth to train on later.
const ROUND: u32 = 0;

/// Why there is no report. What was measured is recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValidateError {
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
    #[error(transparent)]
    Serving(#[from] ServingError),
    #[error(transparent)]
    Measure(#[from] MeasureError),
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// Disagreement takes two.
    #[error("nothing is in production on `{hardware}` to disagree with; select `random` or `stratified`")]
    NothingToDisagreeWith { hardware: HardwareName },
    /// The space is too small, or too much of it was measured.
    #[error("only {found} architectures of the space are not measured yet; {asked} are to be")]
    TooFewFresh { found: usize, asked: usize },
    /// Reports hold latencies, and gates compare them.
    #[error("validations compare latencies; version {version} of `{hardware}` predicts {quantity}")]
    NotLatency {
        hardware: HardwareName,
        version: u32,
        quantity: Quantity,
    },
    /// A plan of another definition of the space.
    #[error("the planned architecture {text} does not fit the space any more: {problem}")]
    Misfit { text: String, problem: String },
}

impl Validating<'_> {
    /// Chooses the architectures: none that was ever measured here, so none that a version of this registry was fitted on.
    pub fn plan(&self) -> Result<Plan, ValidateError> {
        let candidate = self.candidate()?;
        let space = &candidate.space;
        let known = self.known(space)?;
        let production = self.production()?.filter(|model| model.space.name == space.name);
        let fresh = self
            .selection
            .choose(space, &known, &candidate, production.as_deref(), self.hardware)?;
        let architectures = fresh.iter().map(|a| space.canonical_text(a)).collect();
        Ok(Plan::of(architectures))
    }

    /// Measures what of the plan is not measured yet, on this machine, unless it is `stopped` between two measurements.
    pub fn measure(
        &self,
        plan: &Plan,
        creator: &str,
        progress: &mut dyn FnMut(CampaignEvent),
        stopped: &dyn Fn() -> bool,
    ) -> Result<(), ValidateError> {
        let space = self.candidate()?.space.clone();
        let architectures = planned(&space, plan)?;
        let campaign = Campaign {
            store: self.store,
            host: self.host,
            space: &space,
            spaces: self.spaces,
            hardware: self.hardware,
            actor: creator,
            setup: None,
            protocol: self.protocol.clone(),
            wanted: Wanted::These {
                round: ROUND,
                architectures: &architectures,
            },
        };
        campaign.run(progress, stopped)?;
        Ok(())
    }

    /// Compares the plan's measurements with predictions, and stores the report. A repetition with the same key gives the same
    /// report.
    pub fn report(
        &self,
        plan: &Plan,
        creator: &str,
        idempotency_key: Option<&str>,
    ) -> Result<Validation, ValidateError> {
        let candidate = self.candidate()?;
        let space = candidate.space.clone();
        let architectures = planned(&space, plan)?;
        // Production may have moved while it was measured: the report compares with what is there now.
        let production = self.production()?.filter(|model| model.space.name == space.name);
        let report = report::compare(self, &candidate, production.as_deref(), &architectures, creator)?;
        Ok(self.store.create_validation(self.hardware, &report, idempotency_key)?)
    }

    /// The name of the version's space.
    pub fn space(&self) -> Result<String, ValidateError> {
        Ok(self.candidate()?.space.name.clone())
    }

    fn candidate(&self) -> Result<Arc<ServedModel>, ValidateError> {
        let model = self.serving.load_blocking(self.hardware, self.version)?;
        match model.quantity() {
            Quantity::Latency => Ok(model),
            quantity => Err(ValidateError::NotLatency {
                hardware: self.hardware.clone(),
                version: self.version,
                quantity,
            }),
        }
    }

    fn production(&self) -> Result<Option<Arc<ServedModel>>, ValidateError> {
        let name: AliasName = PRODUCTION.parse()?;
        match self.store.alias(self.hardware, &name) {
            Ok(alias) if alias.version == self.version => Ok(None),
            Ok(alias) => Ok(Some(self.serving.load_blocking(self.hardware, alias.version)?)),
            Err(lglp_registry::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Every architecture that was measured, in any round.
    fn known(&self, space: &SearchSpace) -> Result<HashSet<Digest>, ValidateError> {
        let measured = self
            .store
            .measurements_without_samples(self.hardware, &space.name, None)?;
        Ok(measured.into_iter().map(|m| m.digest).collect())
    }
}

fn planned(space: &SearchSpace, plan: &Plan) -> Result<Vec<Architecture>, ValidateError> {
    let read = |text: &String| {
        space
            .architecture_from_text(text)
            .map_err(|error| ValidateError::Misfit {
                text: text.clone(),
                problem: error.to_string(),
            })
    };
    plan.architectures.iter().map(read).collect()
}

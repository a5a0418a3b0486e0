//! Validating a version: its predictions are compared with measurements that it was not fitted on, of architectures that are measured
//! now, where that can be. Or of networks of no space.

mod networks;
mod report;
mod rows;
mod selection;

pub use rows::{Rows, can_measure};
pub use selection::{Method, Selection};

use std::collections::HashSet;
use std::sync::Arc;

use lglp_registry::{AliasName, Digest, HardwareName, ONNX, PRODUCTION, Quantity, Store, Validation};
use lglp_sdk::{Architecture, SearchSpace};

use crate::host::PluginHost;
use crate::measure::{Campaign, CampaignEvent, MeasureError, Plan, Protocol, Wanted};
use crate::networks::GivenNetwork;
use crate::plots::PlotError;
use crate::predictor::{ModelError, ServedModel, Versions};
use crate::spaces::Spaces;
use crate::train::DataError;

/// Validating one version of a hardware target on this machine.
pub struct Validating<'a> {
    /// The registry: measurements are read from it, and fresh ones and the report put into it.
    pub store: &'a dyn Store,
    /// The plugins; the target's runtime is of one of them.
    pub host: &'a PluginHost,
    /// The search spaces, for the reference network of the target.
    pub spaces: &'a Spaces,
    /// What loads the version, and the one in production.
    pub versions: &'a dyn Versions,
    /// The hardware target.
    pub hardware: &'a HardwareName,
    /// The number of the version that is judged.
    pub version: u32,
    /// What it is judged by.
    pub judges: Judges<'a>,
    /// How many, and which.
    pub selection: Selection,
    /// How fresh architectures are measured.
    pub protocol: Protocol,
}

/// What a version is judged by.
#[derive(Clone, Copy, Debug)]
pub enum Judges<'a> {
    /// Architectures of its space.
    Architectures,
    /// Networks of no space: random ones, and of recorded ones any.
    Networks,
    /// These networks of no space.
    Given(&'a [GivenNetwork]),
}

/// The replicate that fresh architectures are measured in: like any first measurement, theirs are ground truth to train on later.
const REPLICATE: u32 = 0;

/// Why there is no report. What was measured is recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ValidateError {
    /// The registry could not be read or written.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
    /// The version, or the one in production, could not be loaded.
    #[error(transparent)]
    Loading(Box<dyn std::error::Error + Send + Sync>),
    /// The version, or the one in production, failed to predict.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Fresh architectures could not be measured, or measuring was stopped.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// The report's scatter plot could not be drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// Disagreement takes two.
    #[error(
        "no other version of the same space is in production on `{hardware}` to disagree with; select `random` or `stratified`"
    )]
    NothingToDisagreeWith {
        /// The hardware target.
        hardware: HardwareName,
    },
    /// The space is too small, or too much of it was measured; or too little was.
    #[error("{}", too_few(*on, *found, *asked))]
    TooFew {
        /// Whose measurements were asked for.
        on: Rows,
        /// The number of architectures that were found.
        found: usize,
        /// The number of architectures that were asked for.
        asked: usize,
    },
    /// Hardly any network is left to compare.
    #[error(
        "{found} of {of} networks can be compared, {least} at least are needed: the others were part of what the version was trained on, or cannot be \
         measured"
    )]
    TooFewNetworks {
        /// Networks that are left.
        found: usize,
        /// Networks that there were.
        of: usize,
        /// Networks that are needed.
        least: usize,
    },
    /// A dataset of the two versions, or a recorded measurement, could not be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A version has no test part of networks.
    #[error(
        "networks are not held out: each is told by all others, with the errors in the version's `networks.metrics`; validate on fresh ones, or on \
         recorded ones that came since"
    )]
    NoneHeldOut,
    /// Networks are not chosen by what is predicted of them.
    #[error("networks are chosen at random; leave `select` out")]
    NetworksAtRandom,
    /// A random network cannot be measured on the target.
    #[error(
        "random networks take one input at a time, and `{hardware}` measures {batch}; name files of that batch: lglp validate --onnx"
    )]
    RandomTakeOne {
        /// The hardware target.
        hardware: HardwareName,
        /// Its batch.
        batch: u32,
    },
    /// Reports hold latencies, and gates compare them.
    #[error("validations compare latencies; version {version} of `{hardware}` predicts {quantity}")]
    NotLatency {
        /// The hardware target of the version.
        hardware: HardwareName,
        /// The version's number in its hardware target.
        version: u32,
        /// What the version predicts instead.
        quantity: Quantity,
    },
    /// A plan of another definition of the space.
    #[error("the planned architecture {text} does not fit the space any more: {problem}")]
    Misfit {
        /// The canonical text of the architecture, as it was planned.
        text: String,
        /// What is wrong with the text.
        problem: String,
    },
}

impl Validating<'_> {
    /// What judges the version, where nobody says: architectures, unless it was fitted on networks alone.
    pub fn default_judges(&self) -> Result<Judges<'static>, ValidateError> {
        Ok(match self.candidate()?.knows_architectures() {
            true => Judges::Architectures,
            false => Judges::Networks,
        })
    }

    /// Whose measurements to take, where nobody says: fresh ones where they can be had; else recorded ones, where there are enough;
    /// else those that were held out.
    pub fn default_rows(&self, measurable: bool) -> Result<Rows, ValidateError> {
        if measurable {
            return Ok(Rows::Fresh);
        }
        if !matches!(self.judges, Judges::Architectures) {
            return Ok(Rows::Recorded);
        }
        let enough = self.recorded(Rows::Recorded)?.len() >= self.selection.n;
        Ok(if enough { Rows::Recorded } else { Rows::HeldOut })
    }

    /// Chooses the architectures: none that the version was fitted on, and of fresh ones none that was ever measured here.
    pub fn plan(&self) -> Result<Plan, ValidateError> {
        let candidate = self.candidate()?;
        if !matches!(self.judges, Judges::Architectures) {
            return self.plan_of_networks(&candidate);
        }
        let space = &candidate.space;
        let production = self.production()?.filter(|model| model.space.name() == space.name());
        let (on, seed) = (self.selection.on, self.selection.seed);
        let known = match on {
            Rows::Fresh => self.known(space)?,
            Rows::Recorded | Rows::HeldOut => HashSet::new(),
        };
        let recorded = match on {
            Rows::Fresh => Vec::new(),
            Rows::Recorded | Rows::HeldOut => self.recorded(on)?,
        };
        let draws = |count: usize| match on {
            Rows::Fresh => selection::fresh(space, &known, seed, count),
            Rows::Recorded | Rows::HeldOut => selection::shuffled(recorded.clone(), seed, count),
        };
        let chosen = self
            .selection
            .choose(&draws, &candidate, production.as_deref(), self.hardware)?;
        let architectures = chosen.iter().map(|a| space.canonical_text(a)).collect();
        Ok(Plan::of(architectures))
    }

    /// The recorded architectures that `rows` asks for.
    fn recorded(&self, rows: Rows) -> Result<Vec<Architecture>, ValidateError> {
        let candidate = self.candidate()?;
        let content = |version: u32| {
            self.store
                .version(self.hardware, version)
                .map(|version| version.content)
        };
        let production = self
            .production()?
            .filter(|model| model.space.name() == candidate.space.name());
        let production = production.map(|model| content(model.version)).transpose()?;
        let own = content(self.version)?;
        rows::recorded(
            rows,
            self.store,
            self.hardware,
            &candidate.space,
            &own,
            production.as_ref(),
        )
    }

    /// Measures what of a plan of fresh ones is not measured yet, on this machine, unless it is `stopped` between two measurements.
    pub fn measure(
        &self,
        plan: &Plan,
        creator: &str,
        progress: &mut dyn FnMut(CampaignEvent),
        stopped: &dyn Fn() -> bool,
    ) -> Result<(), ValidateError> {
        if self.selection.on != Rows::Fresh {
            return Ok(());
        }
        let space = self.candidate()?.space.clone();
        let networks = self.networks_of(plan)?;
        let architectures = match networks {
            Some(_) => Vec::new(),
            None => planned(&space, plan)?,
        };
        let campaign = Campaign {
            store: self.store,
            host: self.host,
            space: &space,
            spaces: self.spaces,
            hardware: self.hardware,
            actor: creator,
            setup: None,
            protocol: self.protocol.clone(),
            wanted: match &networks {
                Some(networks) => Wanted::Networks {
                    replicate: REPLICATE,
                    networks,
                },
                None => Wanted::These {
                    replicate: REPLICATE,
                    architectures: &architectures,
                },
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
        // Production may have moved while it was measured: the report compares with what is there now.
        let production = self.production()?;
        let compared = match plan.names.is_empty() {
            true => {
                let architectures = planned(&candidate.space, plan)?;
                let production = production.filter(|model| model.space.name() == candidate.space.name());
                report::of_architectures(self, candidate, production, &architectures)?
            }
            false => self.compared_networks(candidate, production, plan)?,
        };
        let report = report::content(self, compared, creator)?;
        Ok(self.store.create_validation(self.hardware, &report, idempotency_key)?)
    }

    /// The space that measurements of a plan say that they are of.
    pub fn space(&self, plan: &Plan) -> Result<String, ValidateError> {
        match plan.names.is_empty() {
            true => Ok(self.candidate()?.space.name().to_owned()),
            false => Ok(ONNX.to_owned()),
        }
    }

    fn candidate(&self) -> Result<Arc<ServedModel>, ValidateError> {
        let model = self.load(self.version)?;
        match model.quantity() {
            Quantity::Latency => Ok(model),
            quantity => Err(ValidateError::NotLatency {
                hardware: self.hardware.clone(),
                version: self.version,
                quantity,
            }),
        }
    }

    fn load(&self, version: u32) -> Result<Arc<ServedModel>, ValidateError> {
        let loaded = self.versions.load(self.hardware, version);
        loaded.map_err(ValidateError::Loading)
    }

    fn production(&self) -> Result<Option<Arc<ServedModel>>, ValidateError> {
        let name: AliasName = PRODUCTION.parse()?;
        match self.store.alias(self.hardware, &name) {
            Ok(alias) if alias.version == self.version => Ok(None),
            Ok(alias) => Ok(Some(self.load(alias.version)?)),
            Err(lglp_registry::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Every architecture that was measured, in any replicate.
    fn known(&self, space: &SearchSpace) -> Result<HashSet<Digest>, ValidateError> {
        let measured = self
            .store
            .measurements_without_samples(self.hardware, space.name(), None)?;
        Ok(measured.into_iter().map(|m| m.digest).collect())
    }
}

fn too_few(on: Rows, found: usize, asked: usize) -> String {
    let lack = match on {
        Rows::Fresh => format!("only {found} architectures of the space are not measured yet"),
        Rows::Recorded => format!("only {found} recorded measurements are no part of what the version was trained on"),
        Rows::HeldOut => format!("only {found} measurements were held out when the version was trained"),
    };
    format!("{lack}; {asked} are to be compared: ask for {found} or fewer by `n`")
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

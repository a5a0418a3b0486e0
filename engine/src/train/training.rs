//! A training that is to end in a version: what `lglp train` and jobs have in common.

use lglp_registry::{HardwareName, NewVersion, PluginUse, Registry};
use lglp_sdk::SearchSpace;
use serde_json::json;

use super::{FEWEST_ROWS, Split, TrainError, Trained, TrainingData, train};
use crate::host::{PluginError, PluginHost};
use crate::predictor::{FitEvent, Fitting, Recipe, golden};

/// What to train, on what.
#[derive(Clone, Copy)]
pub struct Training<'a> {
    /// The registry that has the measurements, and is to have the dataset and the fitted state.
    pub store: &'a dyn Registry,
    /// The plugins that provide the recipe's components.
    pub host: &'a PluginHost,
    /// The search space of the architectures.
    pub space: &'a SearchSpace,
    /// The hardware target to predict for.
    pub hardware: &'a HardwareName,
    /// The recipe to fit.
    pub recipe: &'a Recipe,
    /// Of split and fit.
    pub seed: u64,
}

/// Why a trained model could not be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// The dataset or a blob could not be stored, or a digest could not be read.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
    /// Its state could not be saved, or what was saved could not be loaded.
    #[error(transparent)]
    Plugin(#[from] PluginError),
}

impl Training<'_> {
    /// Fits the recipe on the data's training part. `progress` cancels with `false`.
    pub fn fit(
        &self,
        data: &TrainingData,
        progress: &mut dyn FnMut(FitEvent<'_>) -> bool,
    ) -> Result<Trained, TrainError> {
        let split = match (data.architectures.len(), data.networks.len()) {
            // Networks tell each other, one left out after another, and the few architectures beside them.
            (rows @ ..FEWEST_ROWS, FEWEST_ROWS..) => Split::whole(rows),
            (rows, _) => Split::new(rows, self.seed)?,
        };
        let mut trained = train(self.fitting(&[]), data, split, progress)?;
        if data.counted_otherwise > 0 {
            trained
                .log
                .note(&json!({ "networks_of_other_rules": data.counted_otherwise }));
        }
        Ok(trained)
    }

    /// How the recipe is fitted, beginning with what fits on other targets left.
    pub fn fitting<'a>(&'a self, priors: &'a [Vec<u8>]) -> Fitting<'a> {
        Fitting {
            recipe: self.recipe,
            host: self.host,
            space: self.space,
            seed: self.seed,
            priors,
        }
    }

    /// The content of a version, to be created: its dataset and its blobs are in the registry since.
    pub fn content(&self, data: &TrainingData, trained: &Trained, creator: &str) -> Result<NewVersion, KeepError> {
        let networks = if trained.networks.is_some() {
            &data.networks[..]
        } else {
            &[]
        };
        let state = trained.model.save()?;
        let golden = golden(&trained.model, self.space)?;
        // A state that cannot be read again is known here, and not when the version is to answer.
        match trained.model.reloaded(self.recipe, self.host, &state, &golden) {
            Err(error) if error.is_passing() => {
                tracing::warn!(%error, "it is not tried now whether what was fitted can be loaded again");
            }
            tried => tried?,
        }
        let dataset = data.freeze(self.store, self.hardware, self.space, networks, creator)?;
        let save = |(role, state): (String, Vec<u8>)| Ok((role, self.store.put_blob(&state)?));
        let artifacts = state.into_iter().map(save);
        let used = trained.model.plugins();
        self.host.keep(used.iter().map(|used| &*used.sha256))?;
        let plugins = used.iter().map(|p| {
            Ok(PluginUse {
                plugin: p.plugin.clone(),
                component: p.component.clone(),
                kind: json!(p.kind).as_str().unwrap_or_default().to_owned(),
                version: p.version.clone(),
                sha256: p.sha256.parse()?,
                state_version: p.state_version,
            })
        });
        let (split, metrics) = (&trained.split, trained.metrics.entries());
        let (residuals, scores) = trained.calibration.parts();
        Ok(NewVersion {
            space: self.space.name().to_owned(),
            space_digest: format!("sha256:{}", self.space.digest()).parse()?,
            quantity: data.quantity,
            recipe: json!(self.recipe),
            dataset: dataset.digest,
            seed: self.seed,
            split: json!(split),
            plugins: plugins.collect::<lglp_registry::Result<_>>()?,
            metrics: metrics
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            artifacts: artifacts.collect::<lglp_registry::Result<_>>()?,
            training_log: self.store.put_blob(trained.log.text().as_bytes())?,
            residuals,
            scores,
            networks: trained.networks.clone(),
            training_range: json!(trained.range),
            creator: creator.to_owned(),
            imported: Vec::new(),
            rebound_from: None,
            golden,
        })
    }
}

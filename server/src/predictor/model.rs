//! Models: fitted recipes.

use std::collections::BTreeMap;
use std::sync::Arc;

use lglp_registry::Quantity;
use lglp_sdk::plugin::{LeftOut, Operator, Progress};
use lglp_sdk::{Architecture, SearchSpace};
use serde::{Deserialize, Serialize};

use super::{ComponentSpec, Recipe, Target};
use crate::networks;
use crate::plugins::{
    ComponentHandle, EncoderInstance, FitData, FittedInstance, Kind, LabelledRows, Matrix, PluginError, PluginHost,
    Spread, Tenant,
};

/// Architectures and what was measured of them, in the unit of the recipe's quantity.
#[derive(Clone, Copy)]
pub struct Labelled<'a> {
    pub architectures: &'a [Architecture],
    pub labels: &'a [f64],
}

/// A prediction, in the unit of the recipe's quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub value: f64,
    /// How far what is measured lies from it, about, where the regressor tells.
    pub spread: Option<f64>,
}

impl Estimate {
    /// What all other rows of a fit tell of one.
    pub fn left_out(row: &LeftOut) -> Self {
        Self {
            value: row.predicted,
            spread: Some(row.spread),
        }
    }
}

/// The parts of a prediction, in the unit of the recipe's quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    /// In the order in which they run.
    pub operators: Vec<Operator>,
    /// Of each operator.
    pub values: Vec<f64>,
    /// What belongs to no operator.
    pub rest: f64,
}

impl Contributions {
    /// The prediction.
    pub fn sum(&self) -> f64 {
        self.values.iter().sum::<f64>() + self.rest
    }
}

/// Progress of a fit: which component, and how far.
#[derive(Clone, Copy, Debug)]
pub struct FitEvent<'a> {
    pub component: &'a str,
    pub progress: Progress,
}

/// The plugin that a part of a model was fitted with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginUse {
    pub kind: Kind,
    pub component: String,
    pub plugin: String,
    pub version: String,
    pub sha256: String,
    /// Version of the fitted state that it wrote; 0 for encoders.
    pub state_version: u32,
}

/// The fitted parts of a model by role (`extractor`, `regressor`), as their plugins saved them.
pub type ModelState = BTreeMap<String, Vec<u8>>;

const EXTRACTOR: &str = "extractor";
pub const REGRESSOR: &str = "regressor";

/// How a recipe is fitted.
#[derive(Clone, Copy)]
pub struct Fitting<'a> {
    pub recipe: &'a Recipe,
    pub host: &'a PluginHost,
    pub space: &'a SearchSpace,
    pub seed: u64,
    /// States of the recipe's regressor that fits on other targets left, to begin with where it can; such a recipe has no extractor.
    pub priors: &'a [Vec<u8>],
}

/// A fitted recipe: architectures in, latencies or energies out.
pub struct FittedModel {
    space: SearchSpace,
    target: Target,
    encoder: EncoderInstance,
    extractor: Option<FittedInstance>,
    regressor: FittedInstance,
    plugins: Vec<PluginUse>,
}

/// The components of a recipe, looked up.
struct Components {
    encoder: ComponentHandle,
    extractor: Option<ComponentHandle>,
    regressor: ComponentHandle,
}

impl Components {
    fn of(recipe: &Recipe, host: &PluginHost) -> Result<Self, PluginError> {
        let extractor = recipe.extractor.as_ref();
        Ok(Self {
            encoder: host.component(Kind::Encoder, &recipe.encoder.name)?.clone(),
            extractor: extractor
                .map(|e| host.component(Kind::FeatureExtractor, &e.name).cloned())
                .transpose()?,
            regressor: host.component(Kind::Regressor, &recipe.regressor.name)?.clone(),
        })
    }

    fn on_behalf_of(&self, tenant: &Arc<Tenant>) -> Self {
        Self {
            encoder: self.encoder.on_behalf_of(tenant),
            extractor: self.extractor.as_ref().map(|e| e.on_behalf_of(tenant)),
            regressor: self.regressor.on_behalf_of(tenant),
        }
    }

    fn uses(&self) -> Vec<PluginUse> {
        let parts = [Some(&self.encoder), self.extractor.as_ref(), Some(&self.regressor)];
        parts.into_iter().flatten().map(plugin_use).collect()
    }
}

fn plugin_use(handle: &ComponentHandle) -> PluginUse {
    PluginUse {
        kind: handle.kind(),
        component: handle.name().to_owned(),
        plugin: handle.plugin().to_owned(),
        version: handle.plugin_version().to_owned(),
        sha256: handle.sha256().to_owned(),
        state_version: handle.state_version(),
    }
}

impl FittedModel {
    /// Fits a recipe. Every parameter is checked before the first component is fitted. `progress` cancels with `false`.
    pub fn fit(
        fitting: Fitting<'_>,
        train: Labelled<'_>,
        validation: Labelled<'_>,
        progress: &mut dyn FnMut(FitEvent<'_>) -> bool,
    ) -> Result<Self, PluginError> {
        let Fitting {
            recipe,
            host,
            space,
            seed,
            priors,
        } = fitting;
        let components = Components::of(recipe, host)?;
        components.regressor.check_parameters(&recipe.regressor.parameters)?;
        if let (Some(handle), Some(spec)) = (&components.extractor, &recipe.extractor) {
            handle.check_parameters(&spec.parameters)?;
        }
        let encoder = EncoderInstance::new(&components.encoder, space, &recipe.encoder.parameters)?;
        let targets = |part: Labelled<'_>| -> Vec<f64> {
            let rows = part.architectures.iter().zip(part.labels);
            rows.map(|(architecture, label)| label / recipe.target.scale(space, architecture))
                .collect()
        };
        let (train_targets, validation_targets) = (targets(train), targets(validation));
        let mut train_inputs = encoder.encode(train.architectures.iter())?;
        let mut validation_inputs = encoder.encode(validation.architectures.iter())?;
        let mut fit = |handle: &ComponentHandle,
                       spec: &ComponentSpec,
                       [train_inputs, validation_inputs]: [&Matrix; 2],
                       priors: &[Vec<u8>]| {
            let data = FitData {
                train: LabelledRows {
                    inputs: train_inputs,
                    targets: &train_targets,
                },
                validation: LabelledRows {
                    inputs: validation_inputs,
                    targets: &validation_targets,
                },
                seed,
                progress: &mut |p| {
                    progress(FitEvent {
                        component: handle.name(),
                        progress: p,
                    })
                },
            };
            FittedInstance::fit_from(handle, &spec.parameters, data, priors)
        };
        let mut extractor = None;
        if let (Some(handle), Some(spec)) = (&components.extractor, &recipe.extractor) {
            let fitted = fit(handle, spec, [&train_inputs, &validation_inputs], &[])?;
            train_inputs = fitted.extract(&train_inputs)?;
            validation_inputs = fitted.extract(&validation_inputs)?;
            extractor = Some(fitted);
        }
        let regressor = fit(
            &components.regressor,
            &recipe.regressor,
            [&train_inputs, &validation_inputs],
            priors,
        )?;
        Ok(Self {
            space: space.clone(),
            target: recipe.target,
            encoder,
            extractor,
            regressor,
            plugins: components.uses(),
        })
    }

    /// Loads a model from the state that [`Self::save`] gave. `plugins` are those that it was fitted with: they tell the
    /// version of each state. Plugins are called on behalf of `tenant`.
    pub fn load(
        recipe: &Recipe,
        host: &PluginHost,
        space: &SearchSpace,
        plugins: &[PluginUse],
        state: &ModelState,
        tenant: &Arc<Tenant>,
    ) -> Result<Self, PluginError> {
        let components = Components::of(recipe, host)?.on_behalf_of(tenant);
        let load = |handle: &ComponentHandle, role: &str| {
            let missing = |what: &str| PluginError::UnsupportedState {
                component: handle.name().to_owned(),
                message: format!("the version has no {what} for its {role}"),
            };
            let used = plugins
                .iter()
                .find(|p| p.kind == handle.kind() && p.component == handle.name());
            let state_version = used.ok_or_else(|| missing("plugin"))?.state_version;
            FittedInstance::load(handle, state_version, state.get(role).ok_or_else(|| missing("state"))?)
        };
        Ok(Self {
            space: space.clone(),
            target: recipe.target,
            encoder: EncoderInstance::new(&components.encoder, space, &recipe.encoder.parameters)?,
            extractor: components
                .extractor
                .as_ref()
                .map(|handle| load(handle, EXTRACTOR))
                .transpose()?,
            regressor: load(&components.regressor, REGRESSOR)?,
            plugins: components.uses(),
        })
    }

    /// The fitted parts, to be loaded again.
    pub fn save(&self) -> Result<ModelState, PluginError> {
        let mut state = ModelState::new();
        if let Some(extractor) = &self.extractor {
            state.insert(EXTRACTOR.into(), extractor.save()?);
        }
        state.insert(REGRESSOR.into(), self.regressor.save()?);
        Ok(state)
    }

    /// The plugins in use.
    pub fn plugins(&self) -> &[PluginUse] {
        &self.plugins
    }

    /// What is predicted.
    pub fn quantity(&self) -> Quantity {
        self.target.quantity()
    }

    /// Each row of the fit, those of the training part first, as it would be predicted without it; `None` where the regressor
    /// cannot tell, or a model was loaded.
    pub fn leave_one_out(&self, architectures: &[Architecture]) -> Result<Option<Vec<LeftOut>>, PluginError> {
        let Some(mut rows) = self.regressor.leave_one_out(architectures.len())? else {
            return Ok(None);
        };
        for (row, architecture) in rows.iter_mut().zip(architectures) {
            let scale = self.target.scale(&self.space, architecture);
            row.predicted *= scale;
            row.spread *= scale;
        }
        Ok(Some(rows))
    }

    /// The parts of a prediction; `None` where the regressor does not tell them, or reads no operators.
    pub fn contributions(&self, architecture: &Architecture) -> Result<Option<Contributions>, PluginError> {
        if self.extractor.is_some() || !self.encoder.reads_operators() {
            return Ok(None);
        }
        let encoded = self.encoder.encode(std::iter::once(architecture))?;
        let Some(parts) = self.regressor.contributions(&encoded)? else {
            return Ok(None);
        };
        let scale = self.target.scale(&self.space, architecture);
        let operators = networks::operators(&self.space, architecture);
        let (rest, values) = parts
            .split_last()
            .map_or((0.0, &[][..]), |(rest, values)| (*rest, values));
        Ok(Some(Contributions {
            values: values.iter().take(operators.len()).map(|value| value * scale).collect(),
            rest: rest * scale,
            operators,
        }))
    }

    /// As [`Self::predict`], with spreads where the regressor tells them.
    pub fn estimate<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone,
    ) -> Result<Vec<Estimate>, PluginError> {
        let encoded = self.encoder.encode(architectures.clone())?;
        let inputs = match &self.extractor {
            Some(extractor) => extractor.extract(&encoded)?,
            None => encoded,
        };
        let (predicted, spreads) = match self.regressor.predict_spread(&inputs)? {
            Some(Spread { predicted, spreads }) => (predicted, spreads.into_iter().map(Some).collect()),
            None => (self.regressor.predict(&inputs)?, vec![None; inputs.rows]),
        };
        let estimates = predicted.into_iter().zip(spreads).zip(architectures);
        Ok(estimates
            .map(|((value, spread), architecture)| {
                let scale = self.target.scale(&self.space, architecture);
                Estimate {
                    value: value * scale,
                    spread: spread.map(|spread: f64| spread * scale),
                }
            })
            .collect())
    }

    /// Latencies in milliseconds, or energies in joules, in the order of the architectures.
    pub fn predict<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone,
    ) -> Result<Vec<f64>, PluginError> {
        let encoded = self.encoder.encode(architectures.clone())?;
        let mut predicted = match &self.extractor {
            Some(extractor) => self.regressor.predict(&extractor.extract(&encoded)?)?,
            None => self.regressor.predict(&encoded)?,
        };
        for (value, architecture) in predicted.iter_mut().zip(architectures) {
            *value *= self.target.scale(&self.space, architecture);
        }
        Ok(predicted)
    }
}

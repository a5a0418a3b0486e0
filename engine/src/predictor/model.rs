//! Models: fitted recipes.

use std::collections::BTreeMap;
use std::sync::Arc;

use lglp_registry::Quantity;
use lglp_sdk::plugin::{LeftOut, Operator};
use lglp_sdk::{Architecture, SearchSpace};

use super::components::Components;
use super::lookups::{self, Lookups};
use super::residual::Residual;
use super::{PluginUse, Recipe, ResidualGate, Target};
use crate::host::{ComponentHandle, EncoderInstance, FittedInstance, Matrix, PluginError, PluginHost, Spread, Tenant};
use crate::networks::{self, Cost, Parts, Rules, Walks};

/// A prediction, in the unit of the recipe's quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The prediction alone.
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

/// The fitted parts of a model by role: `extractor`, `regressor`, and, where a residual helps, `residual`, as their plugins saved them,
/// and `residual-gate`, a [`ResidualGate`] in JSON.
pub type ModelState = BTreeMap<String, Vec<u8>>;

const EXTRACTOR: &str = "extractor";
pub(crate) const REGRESSOR: &str = "regressor";
/// The role of a residual's regressor in a [`ModelState`]; it is there only where the residual was found to help.
pub const RESIDUAL: &str = "residual";
const RESIDUAL_GATE: &str = "residual-gate";

/// A fitted recipe: architectures in, latencies or energies out.
pub struct FittedModel {
    pub(super) space: SearchSpace,
    pub(super) target: Target,
    pub(super) encoder: EncoderInstance,
    extractor: Option<FittedInstance>,
    pub(super) regressor: FittedInstance,
    pub(super) residual: Option<Residual>,
    parts: Parts,
    /// Of the runtime by which networks are counted.
    pub(super) rules: Option<Rules>,
    /// Where predictions follow from them.
    pub(super) lookups: Option<Lookups>,
    /// Of the residual that was fitted, whether it is kept or not; none of a model that was loaded.
    pub(super) gate: Option<ResidualGate>,
    /// Each row of the fit, as all others tell it; none of a model that was loaded.
    pub(super) left_out: Option<Vec<LeftOut>>,
    /// Each network of no space that it was fitted on, likewise; none where it was fitted on none.
    pub(super) left_out_networks: Vec<LeftOut>,
    plugins: Vec<PluginUse>,
}

impl FittedModel {
    /// Whether a plugin of it is called in a process of its own.
    pub(super) fn runs_apart(&self) -> bool {
        let fitted = self.extractor.iter().chain([&self.regressor]);
        self.encoder.runs_apart()
            || fitted.into_iter().any(FittedInstance::runs_apart)
            || self.residual.as_ref().is_some_and(Residual::runs_apart)
    }

    /// Loads a model from the state that [`Self::save`] gave. `plugins` are those that it was fitted with: they tell the
    /// version of each state. Networks are counted as a runtime of these rules executes them, as they were when it was fitted.
    /// Plugins are called on behalf of `tenant`.
    pub fn load(
        recipe: &Recipe,
        host: &PluginHost,
        space: &SearchSpace,
        plugins: &[PluginUse],
        state: &ModelState,
        rules: Option<&Rules>,
        tenant: &Arc<Tenant>,
    ) -> Result<Self, PluginError> {
        let components = Components::of(recipe, host, state.contains_key(RESIDUAL), plugins)?.on_behalf_of(tenant);
        let missing = |handle: &ComponentHandle, role: &str, what: &str| PluginError::UnsupportedState {
            component: handle.name().to_owned(),
            message: format!("the version has no {what} for its {role}"),
        };
        let state_version = |handle: &ComponentHandle, role: &str| {
            let used = plugins
                .iter()
                .find(|p| p.kind == handle.kind() && p.component == handle.name());
            let used = used.ok_or_else(|| missing(handle, role, "plugin"))?;
            Ok::<_, PluginError>(used.state_version)
        };
        let load = |handle: &ComponentHandle, role: &str| {
            let state = state.get(role).ok_or_else(|| missing(handle, role, "state"))?;
            FittedInstance::load(handle, state_version(handle, role)?, state)
        };
        let residual = match (&components.residual, &recipe.residual, state.get(RESIDUAL)) {
            (Some(components), Some(spec), Some(state_of)) => {
                let [_, handle] = components.handles();
                let gate = state
                    .get(RESIDUAL_GATE)
                    .ok_or_else(|| missing(handle, RESIDUAL, "gate"))?;
                let version = state_version(handle, RESIDUAL)?;
                Some(Residual::load(components, spec, space, version, state_of, gate)?)
            }
            _ => None,
        };
        let encoder = EncoderInstance::new(&components.encoder, space, &recipe.encoder.parameters)?.executed_by(rules);
        let extractor = components.extractor.as_ref().map(|handle| load(handle, EXTRACTOR));
        let extractor = extractor.transpose()?;
        let regressor = load(&components.regressor, REGRESSOR)?;
        let mut model = Self::of(
            recipe,
            space,
            rules,
            encoder,
            extractor,
            regressor,
            residual,
            components.uses(),
        )?;
        // What was registered is served as it always was.
        if let Err(error) = model.compare_lookups() {
            tracing::warn!(%error, "whole networks are predicted instead");
            model.lookups = None;
        }
        Ok(model)
    }

    /// A model of fitted parts, of whose fit nothing is told.
    #[expect(clippy::too_many_arguments, reason = "it is what a model is made of")]
    pub(super) fn of(
        recipe: &Recipe,
        space: &SearchSpace,
        rules: Option<&Rules>,
        encoder: EncoderInstance,
        extractor: Option<FittedInstance>,
        regressor: FittedInstance,
        residual: Option<Residual>,
        plugins: Vec<PluginUse>,
    ) -> Result<Self, PluginError> {
        Ok(Self {
            space: space.clone(),
            target: recipe.target,
            parts: Parts::new(space, rules),
            rules: rules.cloned(),
            lookups: Lookups::of(space, &encoder, extractor.as_ref(), &regressor)?,
            encoder,
            extractor,
            regressor,
            residual,
            gate: None,
            left_out: None,
            left_out_networks: Vec::new(),
            plugins,
        })
    }

    /// See [`Lookups::compare`].
    pub(super) fn compare_lookups(&self) -> Result<(), PluginError> {
        match &self.lookups {
            Some(lookups) => lookups.compare(&self.space, self.asked()),
            None => Ok(()),
        }
    }

    /// What look-ups ask.
    fn asked(&self) -> lookups::Model<'_> {
        lookups::Model {
            parts: &self.parts,
            encoder: &self.encoder,
            regressor: &self.regressor,
        }
    }

    /// The fitted parts, to be loaded again.
    pub fn save(&self) -> Result<ModelState, PluginError> {
        let mut state = ModelState::new();
        if let Some(extractor) = &self.extractor {
            state.insert(EXTRACTOR.into(), extractor.save()?);
        }
        state.insert(REGRESSOR.into(), self.regressor.save()?);
        if let Some(residual) = &self.residual {
            let [fitted, gate] = residual.save()?;
            state.insert(RESIDUAL.into(), fitted);
            state.insert(RESIDUAL_GATE.into(), gate);
        }
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

    /// Each architecture of the fit, those of the training part first, as it would be predicted without it, in the unit of the recipe's
    /// quantity; `None` where the regressor cannot tell, or a model was loaded.
    pub fn left_out(&self) -> Option<&[LeftOut]> {
        self.left_out.as_deref()
    }

    /// Each network of no space that it was fitted on, as all other rows tell it, in the unit of the recipe's quantity; empty where it was
    /// fitted on none, or was loaded.
    pub fn left_out_networks(&self) -> &[LeftOut] {
        &self.left_out_networks
    }

    /// How the residual was judged when it was fitted, where the recipe has one.
    pub fn gate(&self) -> Option<ResidualGate> {
        self.gate
    }

    /// What the network of each architecture costs, at batch 1.
    pub fn costs<'a>(&self, architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone) -> Vec<Cost> {
        self.parts.costs(architectures)
    }

    /// The same, of networks that may have been walked through already.
    fn costs_walked<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone,
        walks: Option<&Walks>,
    ) -> Vec<Cost> {
        match walks {
            Some(walks) => self.parts.costs_of(walks),
            None => self.costs(architectures),
        }
    }

    /// What predictions of the regressor are multiplied by, for the recipe's target and by the residual; empty where by nothing.
    fn scales<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone,
        walks: Option<&Walks>,
    ) -> Result<Vec<f64>, PluginError> {
        let mut scales = Vec::new();
        if self.target.is_per_mac() {
            let costs = self.costs_walked(architectures.clone(), walks).into_iter();
            scales.extend(costs.map(|cost| self.target.scale(cost.macs)));
        }
        if let Some(residual) = &self.residual {
            scales.resize(architectures.len(), 1.0);
            for (scale, factor) in scales.iter_mut().zip(residual.factors(architectures)?) {
                *scale *= factor;
            }
        }
        Ok(scales)
    }

    /// What the regressor says of some architectures, by look-up, with spreads where they are asked for and it tells them so; `None`
    /// where it does not offer that, or fails: then whole networks say what it is that fails.
    fn look_up(&self, walks: Option<&Walks>, with_spreads: bool) -> Result<Option<Spread>, PluginError> {
        match (&self.lookups, walks) {
            (Some(lookups), Some(walks)) => lookups.predict(walks, self.asked(), with_spreads),
            _ => Ok(None),
        }
    }

    /// The parts of networks, where predictions follow from them.
    fn walks<'a>(&self, architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone) -> Option<Walks> {
        self.lookups.as_ref().and_then(|_| self.parts.walks(architectures))
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
        let operators = networks::executed(&self.space, architecture, self.rules.as_ref())?;
        let scale = self.target.scale(Cost::of(&operators, 1).macs);
        let (rest, values) = parts
            .split_last()
            .map_or((0.0, &[][..]), |(rest, values)| (*rest, values));
        let mut contributions = Contributions {
            values: values.iter().take(operators.len()).map(|value| value * scale).collect(),
            rest: rest * scale,
            operators,
        };
        if let Some(residual) = &self.residual {
            let factors = residual.factors(std::iter::once(architecture))?;
            contributions.rest += contributions.sum() * (factors[0] - 1.0);
        }
        Ok(Some(contributions))
    }

    /// How far the difference between the predictions of each architecture and the first lies, about, from that of what they take in the
    /// mean; `None` where the regressor does not tell.
    pub fn difference_spreads<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone,
    ) -> Result<Option<Vec<f64>>, PluginError> {
        // Of amounts per multiply-accumulate differences say nothing, and of corrections it is not known how sure they are.
        if self.extractor.is_some() || self.target.is_per_mac() || self.residual.is_some() {
            return Ok(None);
        }
        let inputs = self.encoder.encode(architectures)?;
        self.regressor.difference_spreads(&inputs)
    }

    /// As [`Self::predict`], with spreads where the regressor tells them.
    pub fn estimate<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone,
    ) -> Result<Vec<Estimate>, PluginError> {
        let walks = self.walks(architectures.clone());
        self.estimate_walked(architectures, walks.as_ref())
    }

    /// As [`Self::estimate`], with what the network of each costs at batch 1: each is walked through once.
    pub fn estimate_with_costs<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone,
    ) -> Result<(Vec<Estimate>, Vec<Cost>), PluginError> {
        let walks = self.parts.walks(architectures.clone());
        let costs = self.costs_walked(architectures.clone(), walks.as_ref());
        let estimates = self.estimate_walked(architectures, walks.as_ref())?;
        Ok((estimates, costs))
    }

    fn estimate_walked<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone,
        walks: Option<&Walks>,
    ) -> Result<Vec<Estimate>, PluginError> {
        let (predicted, spreads) = match self.look_up(walks, true)? {
            Some(Spread { predicted, spreads }) if !spreads.is_empty() => {
                (predicted, spreads.into_iter().map(Some).collect())
            }
            summed => {
                let inputs = self.inputs(architectures.clone())?;
                let (predicted, spreads) = match self.regressor.predict_spread(&inputs)? {
                    Some(Spread { predicted, spreads }) => (predicted, spreads.into_iter().map(Some).collect()),
                    None => (self.regressor.predict(&inputs)?, vec![None; inputs.rows]),
                };
                // The same as without spreads, to the last digit.
                (summed.map_or(predicted, |summed| summed.predicted), spreads)
            }
        };
        let estimates = predicted.into_iter().zip(spreads);
        let mut estimates: Vec<Estimate> = estimates.map(|(value, spread)| Estimate { value, spread }).collect();
        for (estimate, scale) in estimates.iter_mut().zip(self.scales(architectures, walks)?) {
            estimate.value *= scale;
            estimate.spread = estimate.spread.map(|spread: f64| spread * scale);
        }
        Ok(estimates)
    }

    /// Latencies in milliseconds, or energies in joules, in the order of the architectures.
    pub fn predict<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture> + Clone,
    ) -> Result<Vec<f64>, PluginError> {
        let walks = self.walks(architectures.clone());
        let mut predicted = match self.look_up(walks.as_ref(), false)? {
            Some(summed) => summed.predicted,
            None => self.regressor.predict(&self.inputs(architectures.clone())?)?,
        };
        for (value, scale) in predicted.iter_mut().zip(self.scales(architectures, walks.as_ref())?) {
            *value *= scale;
        }
        Ok(predicted)
    }

    /// What the regressor reads of some architectures.
    fn inputs<'a>(
        &self,
        architectures: impl ExactSizeIterator<Item = &'a Architecture>,
    ) -> Result<Matrix, PluginError> {
        let encoded = self.encoder.encode(architectures)?;
        match &self.extractor {
            Some(extractor) => extractor.extract(&encoded),
            None => Ok(encoded),
        }
    }
}

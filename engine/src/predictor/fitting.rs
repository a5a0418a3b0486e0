//! Fitting a recipe.

use lglp_sdk::plugin::{LeftOut, Operator, Progress};
use lglp_sdk::{Architecture, SearchSpace};

use super::components::Components;
use super::model::FittedModel;
use super::residual::{self, Unexplained};
use super::{ComponentSpec, Recipe};
use crate::host::{
    ComponentHandle, ComponentKind, EncoderInstance, FitData, FittedInstance, LabelledRows, Matrix, PluginError,
    PluginHost,
};
use crate::networks::{self, LabelledNetwork, Rules};

/// Architectures and what was measured of them, in the unit of the recipe's quantity.
#[derive(Clone, Copy)]
pub struct Labelled<'a> {
    /// The architectures, one a row.
    pub architectures: &'a [Architecture],
    /// What was measured of each, in the order of the architectures.
    pub labels: &'a [f64],
    /// Networks of no space, for recipes that learn from them.
    pub networks: &'a [LabelledNetwork],
}

/// Progress of a fit: which component, and how far.
#[derive(Clone, Copy, Debug)]
pub struct FitEvent<'a> {
    /// The name of the component that is fitted.
    pub component: &'a str,
    /// Of the component's targets; corrections of a residual have none.
    pub unit: Option<&'static str>,
    /// How far its fit is, and how well it does so far.
    pub progress: Progress,
}

impl FitEvent<'_> {
    /// How well it predicts so far; empty where the component does not tell, since it fits in closed form.
    pub fn error(&self) -> String {
        let rmse = self.progress.validation_mse.sqrt();
        match self.unit {
            _ if rmse.is_nan() => String::new(),
            Some(unit) => format!("validation RMSE {rmse:.3} {unit}"),
            None => format!("validation RMSE {rmse:.3}"),
        }
    }
}

/// How a recipe is fitted.
#[derive(Clone, Copy)]
pub struct Fitting<'a> {
    /// The recipe to fit.
    pub recipe: &'a Recipe,
    /// The plugins that provide the recipe's components.
    pub host: &'a PluginHost,
    /// The search space of the architectures.
    pub space: &'a SearchSpace,
    /// The seed that each component is fitted with.
    pub seed: u64,
    /// States of the recipe's regressor that fits on other targets left, to begin with where it can; such a recipe has no extractor.
    pub priors: &'a [Vec<u8>],
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
        let mut components = Components::of(recipe, host, true, &[])?;
        components.regressor.check_parameters(&recipe.regressor.parameters)?;
        if let (Some(handle), Some(spec)) = (&components.extractor, &recipe.extractor) {
            handle.check_parameters(&spec.parameters)?;
        }
        if let Some(spec) = &recipe.residual {
            let plugin = spec.regressor.plugin.as_deref();
            host.component_of(ComponentKind::Regressor, &spec.regressor.name, plugin)?
                .check_parameters(&spec.regressor.parameters)?;
        }
        let networks = if recipe.networks { train.networks } else { &[] };
        // Whatever space they are of, networks are counted alike.
        let rules = networks.first().and_then(|one| one.network.rules.as_deref());
        let rules = rules.map(|name| {
            let message = format!(
                "this release does not know the rules `{name}` that networks were counted by; measure them again"
            );
            let component = recipe.name.clone();
            Rules::named(name).ok_or(PluginError::Failed { component, message })
        });
        let rules = rules.transpose()?;
        let encoder = EncoderInstance::new(&components.encoder, space, &recipe.encoder.parameters)?;
        let encoder = encoder.executed_by(rules.as_ref());
        let scale = |architecture: &Architecture| match recipe.target.is_per_mac() {
            true => Ok::<_, PluginError>(recipe.target.scale(networks::cost(space, architecture)?.macs)),
            false => Ok(1.0),
        };
        let targets = |part: Labelled<'_>| -> Result<Vec<f64>, PluginError> {
            let rows = part.architectures.iter().zip(part.labels);
            rows.map(|(architecture, label)| Ok(label / scale(architecture)?))
                .collect()
        };
        let (mut train_targets, validation_targets) = (targets(train)?, targets(validation)?);
        if recipe.networks && !encoder.reads_operators() {
            let component = recipe.encoder.name.clone();
            let message = "a recipe with `networks` needs an encoder that reads operators, such as `operators`".into();
            return Err(PluginError::InvalidParameters { component, message });
        }
        let tables: Vec<Vec<Operator>> = networks
            .iter()
            .map(|one| networks::operators_of(&one.network))
            .collect();
        train_targets.extend(networks.iter().map(|one| one.label));
        let mut train_inputs = encoder.encode_beside(train.architectures, &tables)?;
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
                        unit: Some(recipe.target.unit()),
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
        let architectures = [train.architectures, validation.architectures].concat();
        let mut left_out = regressor.leave_one_out(architectures.len() + tables.len())?;
        // In the order of the rows: networks stand between those of training and validation.
        let of_networks = train.architectures.len()..train.architectures.len() + tables.len();
        let left_out_networks: Vec<LeftOut> = match &mut left_out {
            Some(told) => told.drain(of_networks).collect(),
            None => Vec::new(),
        };
        let fitted = match (&components.residual, &recipe.residual, &left_out) {
            (Some(components), Some(spec), Some(left_out)) => {
                let rows = Unexplained {
                    architectures: &architectures,
                    measured: &[train_targets, validation_targets].concat(),
                    left_out,
                };
                let mut progress = |p| {
                    progress(FitEvent {
                        component: &spec.regressor.name,
                        unit: None,
                        progress: p,
                    })
                };
                residual::fit(components, spec, space, rows, seed, &mut progress)?
            }
            (Some(_), _, None) => {
                let component = recipe.regressor.name.clone();
                return Err(PluginError::InvalidParameters {
                    component,
                    message: "a residual needs a regressor that tells each row without it, such as `additive`".into(),
                });
            }
            _ => None,
        };
        if fitted.as_ref().is_none_or(|fitted| fitted.residual.is_none()) {
            components.residual = None;
        }
        let gate = fitted.as_ref().map(|fitted| fitted.gate);
        let factors = fitted.as_ref().map_or(&[][..], |fitted| &fitted.factors);
        for (row, factor) in left_out.iter_mut().flatten().zip(factors) {
            row.predicted *= factor;
            row.spread *= factor;
        }
        for (row, architecture) in left_out.iter_mut().flatten().zip(&architectures) {
            let scale = scale(architecture)?;
            row.predicted *= scale;
            row.spread *= scale;
        }
        let residual = fitted.and_then(|fitted| fitted.residual);
        let mut model = Self::of(
            recipe,
            space,
            rules.as_ref(),
            encoder,
            extractor,
            regressor,
            residual,
            components.uses(),
        )?;
        model.gate = gate;
        model.left_out = left_out;
        model.left_out_networks = left_out_networks;
        model.compare_lookups()?;
        Ok(model)
    }
}

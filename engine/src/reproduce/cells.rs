//! The cells of the experiments' tables: one recipe, fitted on one split.

use std::collections::HashSet;
use std::path::Path;

use lglp_registry::Digest;
use lglp_sdk::SearchSpace;
use serde_json::json;

use super::experiments::{Experiments, ExperimentsError, Variant};
use crate::host::{PluginError, PluginHost};
use crate::train::Split;

/// One recipe on one split.
#[derive(Clone, Debug)]
pub struct Cell {
    /// What the result follows from: dataset, space, recipe, plugins, split. Equal keys, equal results.
    pub key: Digest,
    /// The recipe, as it is fitted here.
    pub variant: Variant,
    /// The seed of split and fit.
    pub seed: u64,
    /// Rows to train on; the whole training part where there is none.
    pub train_rows: Option<usize>,
}

/// The experiments over one dataset.
pub struct Cells<'a> {
    /// What to run, as the file has it.
    pub experiments: &'a Experiments,
    /// Splits of every table but the learning curve, at most.
    pub splits: u64,
    /// Recipes of Table 1, in its order.
    pub table1: Vec<Variant>,
    /// For each recipe, it on every encoding that it can read.
    pub encodings: Vec<Vec<Variant>>,
    /// The recipe of the connections' experiment with each value of `connection`.
    pub connections: Vec<Variant>,
    /// The recipes of the learning curve, in its order.
    pub learning_curve: Vec<Variant>,
    /// Sizes of the learning curve that are smaller than the training part.
    pub sizes: Vec<usize>,
    context: serde_json::Value,
    host: &'a PluginHost,
}

impl<'a> Cells<'a> {
    /// Reads the recipes. Fails where one of them, or a component that it needs, is missing.
    pub fn new(
        experiments: &'a Experiments,
        recipes: &Path,
        host: &'a PluginHost,
        space: &SearchSpace,
        dataset: &Digest,
        rows: usize,
        splits: u64,
    ) -> Result<Self, ExperimentsError> {
        let load = |names: &[String]| -> Result<Vec<Variant>, ExperimentsError> {
            names.iter().map(|name| Ok(Variant::load(recipes, name)?)).collect()
        };
        let encodings = load(&experiments.encodings.recipes)?.into_iter().map(|variant| {
            let encoders = if variant.sequence {
                &experiments.encodings.sequence
            } else {
                &experiments.encodings.flat
            };
            encoders.iter().map(|encoder| variant.with_encoder(encoder)).collect()
        });
        let connected = Variant::load(recipes, &experiments.connections.recipe)?;
        let connections = experiments.connections.values.iter();
        let train = Split::new(rows, 0)
            .map_err(|e| ExperimentsError::File(e.to_string()))?
            .train
            .len();
        let sizes = &experiments.learning_curve.sizes;
        Ok(Self {
            experiments,
            splits,
            table1: load(&experiments.table1.recipes)?,
            encodings: encodings.collect(),
            connections: connections.map(|value| connected.with_connection(value)).collect(),
            learning_curve: load(&experiments.learning_curve.recipes)?,
            sizes: sizes.iter().copied().filter(|size| *size < train).collect(),
            context: json!({ "dataset": dataset, "space": space.digest() }),
            host,
        })
    }

    /// A cell of a variant.
    pub fn cell(&self, variant: &Variant, seed: u64, train_rows: Option<usize>) -> Result<Cell, PluginError> {
        let recipe = &variant.recipe;
        let mut plugins = Vec::new();
        for (kind, spec) in recipe.components() {
            let component = self.host.component_of(kind, &spec.name, spec.plugin.as_deref())?;
            plugins.push(component.sha256().to_owned());
        }
        let mut key = json!({
            "context": self.context, "plugins": plugins, "seed": seed, "train_rows": train_rows,
            "recipe": {
                "target": recipe.target, "encoder": recipe.encoder,
                "extractor": recipe.extractor, "regressor": recipe.regressor,
            },
        });
        if let Some(residual) = &recipe.residual {
            key["recipe"]["residual"] = json!(residual);
        }
        Ok(Cell {
            key: Digest::of(key.to_string().as_bytes()),
            variant: variant.clone(),
            seed,
            train_rows,
        })
    }

    /// The seeds of every table but the learning curve.
    pub fn seeds(&self) -> std::ops::Range<u64> {
        0..self.splits
    }

    /// The seeds of the learning curve.
    pub(crate) fn curve_seeds(&self) -> std::ops::Range<u64> {
        0..self.splits.min(self.experiments.learning_curve.splits)
    }

    /// Every cell, once, split by split: a run that is cut off has whole tables of fewer splits.
    pub fn all(&self) -> Result<Vec<Cell>, PluginError> {
        let mut seen = HashSet::new();
        let mut cells = Vec::new();
        for seed in self.seeds() {
            let variants = self
                .table1
                .iter()
                .chain(self.encodings.iter().flatten())
                .chain(&self.connections);
            let mut wanted: Vec<Cell> = variants.map(|v| self.cell(v, seed, None)).collect::<Result<_, _>>()?;
            if self.curve_seeds().contains(&seed) {
                for (variant, size) in self
                    .learning_curve
                    .iter()
                    .flat_map(|v| self.sizes.iter().map(move |s| (v, s)))
                {
                    wanted.push(self.cell(variant, seed, Some(*size))?);
                }
                for variant in &self.learning_curve {
                    wanted.push(self.cell(variant, seed, None)?);
                }
            }
            cells.extend(wanted.into_iter().filter(|cell| seen.insert(cell.key.clone())));
        }
        Ok(cells)
    }
}

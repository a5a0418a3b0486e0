//! Training jobs.

use std::path::Path;

use lglp_openapi::jobs::TrainParameters;
use lglp_openapi::models::Quantity as Wanted;
use lglp_registry::{Digest, Error, HardwareName, Job, NewVersion, Quantity, Result, canonical_json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{JobError, Run, Tools, Work};
use crate::idempotency::own_key;
use crate::predictor::{FitEvent, Recipe, RecipeError};
use crate::train::{Training, TrainingData};

/// What a training keeps once it is done, before its version is created: a process that goes away in between makes neither
/// a second version nor another one.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    /// The blob that holds the version's content.
    content: Digest,
}

impl Work for TrainParameters {
    fn check(&self, hardware: &HardwareName, tools: &Tools) -> Result<()> {
        tools.store.hardware(hardware)?;
        tools
            .spaces
            .get(&self.space)
            .map_err(|e| Error::invalid("parameters.space", e.to_string()))?;
        wanted(self, &tools.recipes).map_err(|e| Error::invalid("parameters.recipe", e.to_string()))?;
        Ok(())
    }

    fn run(&self, job: &Job, tools: &Tools, run: &Run<'_>) -> Result<Value, JobError> {
        let store = &*tools.store;
        let content = match &job.checkpoint {
            Value::Null => fit(self, job, tools, run)?,
            kept => {
                let kept = Checkpoint::deserialize(kept).map_err(JobError::Checkpoint)?;
                serde_json::from_slice(&store.get_blob(&kept.content)?).map_err(JobError::Checkpoint)?
            }
        };
        let key = own_key(&format!("job-{}", job.id));
        let version = store.create_version(&job.hardware, &content, Some(&key))?;
        Ok(json!({ "version": version.version, "digest": version.digest, "metrics": version.content.metrics }))
    }
}

/// The recipe that is asked for, with the target that is.
pub fn wanted(parameters: &TrainParameters, recipes: &Path) -> std::result::Result<Recipe, RecipeError> {
    let mut recipe = Recipe::load(recipes, &parameters.recipe)?;
    let quantity = match parameters.target {
        None => return Ok(recipe),
        Some(Wanted::Latency) => Quantity::Latency,
        Some(Wanted::Energy) => Quantity::Energy,
    };
    recipe.target = recipe.target.of(quantity);
    Ok(recipe)
}

/// Fits the recipe, and keeps what came out.
fn fit(parameters: &TrainParameters, job: &Job, tools: &Tools, run: &Run<'_>) -> Result<NewVersion, JobError> {
    let recipe = wanted(parameters, &tools.recipes)?;
    let training = Training {
        store: &*tools.store,
        host: &tools.host,
        space: tools.spaces.get(&parameters.space)?,
        hardware: &job.hardware,
        recipe: &recipe,
        seed: parameters.seed,
    };
    let data = TrainingData::measured(
        training.store,
        training.hardware,
        training.space,
        recipe.target.quantity(),
    )?;
    let unit = recipe.target.unit();
    let mut progress = |event: FitEvent<'_>| {
        let (component, p) = (event.component, event.progress);
        let rmse = p.validation_mse.sqrt();
        run.progress(
            p.done,
            p.total,
            format!("{component}: validation RMSE {rmse:.3} {unit}"),
        );
        !run.is_stopped()
    };
    let trained = training.fit(&data, &mut progress)?;
    if run.is_stopped() {
        return Err(JobError::Stopped);
    }
    let content = training.content(&data, &trained, &job.created_by)?;
    let kept = Checkpoint {
        content: training.store.put_blob(&canonical_json(&content)?)?,
    };
    run.checkpoint(&json!(kept))?;
    Ok(content)
}

//! Training jobs.

use std::path::Path;

use lglp_engine::predictor::{FitEvent, Recipe, RecipeError};
use lglp_engine::spaces::SpaceError;
use lglp_engine::train::{self, Fitted, Training, TrainingData, candidates};
use lglp_openapi::jobs::TrainParameters;
use lglp_registry::{Digest, Error, HardwareName, Job, NewVersion, Quantity, Result, canonical_json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{JobError, Run, Services, Work};
use crate::idempotency::own_key;

/// What a training keeps once it is done, before its version is created: a process that goes away in between makes neither
/// a second version nor another one.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    /// The blob that holds the version's content.
    content: Digest,
    /// The recipes that its own was compared with; null where it was asked for.
    #[serde(default)]
    compared: Value,
}

impl Work for TrainParameters {
    fn check(&self, hardware: &HardwareName, services: &Services) -> Result<()> {
        services.store.hardware(hardware)?;
        match services
            .spaces
            .of_target(&*services.store, hardware, self.space.as_deref())
        {
            // Until its turn comes it may be measured.
            Ok(_) | Err(SpaceError::NotMeasured { .. }) => {}
            Err(SpaceError::Registry(error)) => return Err(error),
            Err(unclear) => return Err(Error::invalid("parameters.space", unclear.to_string())),
        }
        wanted(self, &services.recipes, usize::MAX).map_err(|e| Error::invalid("parameters.recipe", e.to_string()))?;
        Ok(())
    }

    fn run(&self, job: &Job, services: &Services, run: &Run<'_>) -> Result<Value, JobError> {
        let store = &*services.store;
        let kept = match &job.checkpoint {
            Value::Null => fit(self, job, services, run)?,
            kept => Checkpoint::deserialize(kept).map_err(JobError::Checkpoint)?,
        };
        let content: NewVersion =
            serde_json::from_slice(&store.get_blob(&kept.content)?).map_err(JobError::Checkpoint)?;
        let key = own_key(&format!("job-{}", job.id));
        let version = store.create_version(&job.hardware, &content, Some(&key))?;
        Ok(json!({
            "version": version.version, "digest": version.digest, "metrics": version.content.metrics,
            "recipe": content.recipe["name"], "compared": kept.compared,
        }))
    }
}

/// The recipe that is asked for, or those to be compared for so many rows; with the target that is asked for.
pub fn wanted(
    parameters: &TrainParameters,
    recipes: &Path,
    rows: usize,
) -> std::result::Result<Vec<Recipe>, RecipeError> {
    let asked = parameters.target;
    let Some(name) = &parameters.recipe else {
        return candidates(recipes, rows, asked);
    };
    let recipe = Recipe::load(recipes, name)?;
    let target = asked.map_or(recipe.target, |quantity| recipe.target.of(quantity));
    Ok(vec![Recipe { target, ..recipe }])
}

/// What is to be predicted: what is asked for, or what the recipe predicts, or latencies.
pub fn quantity(parameters: &TrainParameters, recipes: &Path) -> std::result::Result<Quantity, RecipeError> {
    match (parameters.target, &parameters.recipe) {
        (Some(quantity), _) => Ok(quantity),
        (None, Some(name)) => Ok(Recipe::load(recipes, name)?.target.quantity()),
        (None, None) => Ok(Quantity::default()),
    }
}

/// Fits the recipe, and keeps what came out.
fn fit(parameters: &TrainParameters, job: &Job, services: &Services, run: &Run<'_>) -> Result<Checkpoint, JobError> {
    let store = &*services.store;
    let space = services
        .spaces
        .of_target(store, &job.hardware, parameters.space.as_deref())?;
    let quantity = quantity(parameters, &services.recipes)?;
    let data = TrainingData::with_networks(store, &job.hardware, space, quantity)?;
    let recipes = wanted(parameters, &services.recipes, data.labels.len())?;
    let training = Training {
        store,
        host: &services.host,
        space,
        hardware: &job.hardware,
        recipe: &recipes[0],
        seed: parameters.seed,
    };
    let mut progress = |event: FitEvent<'_>| {
        let note = match event.error() {
            unknown if unknown.is_empty() => event.component.to_owned(),
            error => format!("{}: {error}", event.component),
        };
        run.progress(event.progress.done, event.progress.total, note);
        !run.is_stopped()
    };
    let Fitted {
        recipe,
        trained,
        compared,
    } = train::fit(&training, &recipes, &data, &mut progress)?;
    if run.is_stopped() {
        return Err(JobError::Stopped);
    }
    let training = Training {
        recipe: &recipe,
        ..training
    };
    let content = training.content(&data, &trained, &job.created_by)?;
    let kept = Checkpoint {
        content: store.put_blob(&canonical_json(&content)?)?,
        compared: json!(compared),
    };
    run.checkpoint(&json!(kept))?;
    Ok(kept)
}

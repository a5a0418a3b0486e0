//! Fitting the cells that have no result yet, several at once.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use lglp_sdk::SearchSpace;

use super::cells::Cell;
use super::results::{CellResult, Results, ResultsError};
use crate::host::PluginHost;
use crate::predictor::Fitting;
use crate::train::{Split, TrainError, TrainingData, each, train};

/// Why a run stopped. Results so far are kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A cell could not be fitted.
    #[error("{recipe} on encoding {encoding}, split {seed}: {source}")]
    Train {
        /// The recipe's name.
        recipe: String,
        /// The encoder's name.
        encoding: String,
        /// The seed of the cell's split.
        seed: u64,
        /// Why the fit failed.
        source: Box<TrainError>,
    },
    /// A result could not be written.
    #[error(transparent)]
    Results(#[from] ResultsError),
}

/// Fits every cell that has no result. `progress` is told of each one as it is done.
pub fn run(
    cells: &[Cell],
    results: &mut Results,
    host: &PluginHost,
    space: &SearchSpace,
    data: &TrainingData,
    jobs: usize,
    progress: &(dyn Fn(&CellResult) + Sync),
) -> Result<(), RunError> {
    let missing: Vec<&Cell> = cells.iter().filter(|cell| results.get(&cell.key).is_none()).collect();
    let results = Mutex::new(results);
    let work = |cell: &&Cell| -> Result<(), RunError> {
        let result = fit(cell, host, space, data)?;
        results
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(result.clone())?;
        progress(&result);
        Ok(())
    };
    each(&missing, jobs, work).map(drop)
}

fn fit(cell: &Cell, host: &PluginHost, space: &SearchSpace, data: &TrainingData) -> Result<CellResult, RunError> {
    let recipe = &cell.variant.recipe;
    let started = Instant::now();
    let fitted = Split::new(data.architectures.len(), cell.seed).and_then(|split| {
        let split = match cell.train_rows {
            Some(rows) => split.with_train(rows),
            None => split,
        };
        let fitting = Fitting {
            recipe,
            host,
            space,
            seed: cell.seed,
            priors: &[],
        };
        train(fitting, data, split, &mut |_| true)
    });
    let trained = fitted.map_err(|source| RunError::Train {
        recipe: recipe.name.clone(),
        encoding: cell.variant.encoding.clone(),
        seed: cell.seed,
        source: Box::new(source),
    })?;
    Ok(CellResult {
        key: cell.key.clone(),
        recipe: recipe.name.clone(),
        encoding: cell.variant.encoding.clone(),
        connection: cell.variant.connection.clone(),
        seed: cell.seed,
        train_rows: cell.train_rows,
        metrics: trained.metrics,
        seconds: started.elapsed().as_secs_f64(),
        predicted: if cell.seed == 0 {
            trained.predicted()
        } else {
            Vec::new()
        },
    })
}

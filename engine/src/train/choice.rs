//! Which recipe to take: those that suit the data are compared by rows that they do not know, and the test part is none of them.
//!
//! A recipe whose regressor tells what it would say of each row without it is judged by that; others by cross-validation, with a fifth fewer
//! rows to learn from, which favours the former by little: those are the ones that tell intervals and explain themselves.

use std::path::Path;

use lglp_registry::Quantity;
use serde::Serialize;

use super::{FEWEST_ROWS, Split, TrainError, Trained, Training, TrainingData, train};
use crate::predictor::{FitEvent, Recipe, RecipeError, ResidualGate};

/// Folds of a cross-validation.
const FOLDS: usize = 5;

/// Recipes that are tried for so many rows, those first that are preferred where errors do not differ: all of them to predict the quantity
/// that is `asked` for, or those that predict latencies.
///
/// # Errors
/// A recipe of the folder that cannot be read; a folder without candidates.
pub fn candidates(folder: &Path, rows: usize, asked: Option<Quantity>) -> Result<Vec<Recipe>, RecipeError> {
    // Of fewer there is no training, which says so.
    let rows = rows.max(FEWEST_ROWS);
    let mut found = Vec::new();
    for name in Recipe::names(folder)? {
        let recipe = Recipe::load(folder, &name)?;
        let target = asked.map_or(recipe.target, |quantity| recipe.target.of(quantity));
        let suits = target.quantity() == asked.unwrap_or_default();
        if let Some(candidate) = recipe
            .candidate
            .filter(|candidate| suits && candidate.from_rows <= rows)
        {
            found.push((candidate.rank, Recipe { target, ..recipe }));
        }
    }
    if found.is_empty() {
        let folder = folder.display();
        return Err(RecipeError(format!(
            "no recipe in {folder} is a `candidate` for {rows} rows; name one by `--recipe`"
        )));
    }
    found.sort_by_key(|(rank, _)| *rank);
    Ok(found.into_iter().map(|(_, recipe)| recipe).collect())
}

/// How much larger the error of a recipe may be that learned from networks of no space, too: it predicts any network, and others those of the
/// space alone.
const WORTH_NETWORKS: f64 = 1.1;

/// The most that an error counts, %: a label that is wrong by a factor of a thousand does not decide.
const MOST: f64 = 100.0;

/// A recipe that was tried.
struct Tried {
    recipe: Recipe,
    trained: Trained,
    /// Relative error of each row of training and validation part, told without it, %; at most [`MOST`].
    errors: Vec<f64>,
}

impl Tried {
    /// Mean absolute percentage error of rows that it did not know, %, each counted as 100 at most.
    fn mape(&self) -> f64 {
        self.errors.iter().sum::<f64>() / self.errors.len() as f64
    }
}

/// What is told of a recipe that was tried.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// The recipe's name.
    pub recipe: String,
    /// Mean absolute percentage error of rows that it did not know, %, each counted as 100 at most.
    pub mape: f64,
    /// How its residual was judged, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residual: Option<ResidualGate>,
    /// Whether it is the one that is taken.
    pub taken: bool,
}

/// Recipes that were compared, those first that are preferred where errors do not differ.
struct Choice {
    tried: Vec<Tried>,
    /// The number of the one that is taken.
    taken: usize,
}

impl Choice {
    /// One for each recipe, in the order in which they are preferred.
    fn verdicts(&self) -> Vec<Verdict> {
        let verdict = |(at, one): (usize, &Tried)| Verdict {
            recipe: one.recipe.name.clone(),
            mape: one.mape(),
            residual: one.trained.model.gate(),
            taken: at == self.taken,
        };
        self.tried.iter().enumerate().map(verdict).collect()
    }

    /// The one that is taken; its log tells what it was compared with.
    fn into_taken(mut self) -> Tried {
        let compared = serde_json::json!({ "compared": self.verdicts() });
        let mut taken = self.tried.swap_remove(self.taken);
        taken.trained.log.note(&compared);
        taken
    }
}

/// What was fitted.
pub struct Fitted {
    /// The only recipe, or the one that was taken.
    pub recipe: Recipe,
    /// What training it gave.
    pub trained: Trained,
    /// What the recipe was compared with; `None` where it is the only one.
    pub compared: Option<Vec<Verdict>>,
}

/// Fits the only recipe, or the one of several that `choose` takes.
///
/// # Errors
/// Those of [`Training::fit`] and of `choose`.
pub fn fit(
    training: &Training<'_>,
    recipes: &[Recipe],
    data: &TrainingData,
    progress: &mut dyn FnMut(FitEvent<'_>) -> bool,
) -> Result<Fitted, TrainError> {
    let recipes = &suitable(training, recipes)?[..];
    // Without architectures there are no rows to compare by.
    let learns = |recipe: &&Recipe| recipe.networks;
    let recipes = match recipes.iter().find(learns) {
        Some(first) if data.architectures.is_empty() => std::slice::from_ref(first),
        _ => recipes,
    };
    if let [only] = recipes {
        let recipe = only.clone();
        let training = Training {
            recipe: only,
            ..*training
        };
        return Ok(Fitted {
            trained: training.fit(data, progress)?,
            recipe,
            compared: None,
        });
    }
    let choice = choose(training, recipes, data, progress)?;
    let compared = Some(choice.verdicts());
    let Tried { recipe, trained, .. } = choice.into_taken();
    Ok(Fitted {
        recipe,
        trained,
        compared,
    })
}

/// Those of some recipes whose encoders read the space, and that are meant for it.
///
/// # Errors
/// Why the first does not read it, where none does: nothing is trained then.
fn suitable(training: &Training<'_>, recipes: &[Recipe]) -> Result<Vec<Recipe>, TrainError> {
    if recipes.len() == 1 {
        return Ok(recipes.to_vec());
    }
    let space = training.space;
    let is_meant = |recipe: &&Recipe| {
        let of_decisions = recipe.candidate.is_some_and(|candidate| candidate.only_of_decisions);
        !of_decisions || space.chain().is_none()
    };
    let mut refused = None;
    let mut reading = Vec::with_capacity(recipes.len());
    for recipe in recipes.iter().filter(is_meant) {
        match recipe.check_reads(training.host, space) {
            Ok(()) => reading.push(recipe.clone()),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match refused {
        Some(error) if reading.is_empty() => Err(error.into()),
        None if reading.is_empty() => Err(TrainError::NoRecipe(space.name().to_owned())),
        _ => Ok(reading),
    }
}

/// Fits the recipes and takes the first of those whose mean error is the least, or exceeds it by no more than a standard error of
/// the difference, row by row: the rule of one standard error (Breiman et al., 1984, section 3.4.3), paired. Where some learned from networks of
/// no space, too, one of these is taken if it is nearly as good. `progress` cancels with `false`.
///
/// # Errors
/// Those of the first recipe; one of the others that cannot be fitted, for want of its plugin, say, is left out.
fn choose(
    training: &Training<'_>,
    recipes: &[Recipe],
    data: &TrainingData,
    progress: &mut dyn FnMut(FitEvent<'_>) -> bool,
) -> Result<Choice, TrainError> {
    let mut tried: Vec<Tried> = Vec::new();
    for recipe in recipes {
        let mut cancelled = false;
        let mut go_on = |event: FitEvent<'_>| {
            cancelled |= !progress(event);
            !cancelled
        };
        match try_out(&Training { recipe, ..*training }, data, &mut go_on) {
            Ok(one) => tried.push(one),
            Err(error) if cancelled || tried.is_empty() => return Err(error),
            Err(error) => tracing::warn!(recipe = recipe.name, "not tried: {error}"),
        }
    }
    let best = (0..tried.len()).min_by(|a, b| tried[*a].mape().total_cmp(&tried[*b].mape()));
    let best = best.expect("the first recipe was fitted");
    let taken = (0..tried.len()).find(|at| is_within_one_standard_error(&tried[*at].errors, &tried[best].errors));
    let taken = taken.unwrap_or(best);
    let learned = |at: &usize| tried[*at].trained.networks.is_some();
    let knows_networks = |at: &usize| learned(at) && tried[*at].mape() <= tried[best].mape() * WORTH_NETWORKS;
    let taken = Some(taken)
        .filter(learned)
        .or_else(|| (0..tried.len()).find(knows_networks))
        .unwrap_or(taken);
    Ok(Choice { taken, tried })
}

/// Whether the mean of errors is within one standard error of that of others of the same rows.
fn is_within_one_standard_error(errors: &[f64], best: &[f64]) -> bool {
    let rows = errors.len() as f64;
    let differences = || errors.iter().zip(best).map(|(error, best)| error - best);
    let mean = differences().sum::<f64>() / rows;
    let variance = differences().map(|difference| (difference - mean).powi(2)).sum::<f64>() / (rows - 1.0).max(1.0);
    mean <= (variance / rows).sqrt()
}

fn try_out(
    training: &Training<'_>,
    data: &TrainingData,
    progress: &mut dyn FnMut(FitEvent<'_>) -> bool,
) -> Result<Tried, TrainError> {
    let trained = training.fit(data, progress)?;
    let rows = [&trained.split.train[..], &trained.split.validation].concat();
    let known = data.part(&rows);
    let predicted = match trained.model.left_out() {
        // An extractor is fitted to every row: what the regressor behind it says of one that it left out is not to be believed.
        Some(told) if training.recipe.extractor.is_none() => told.iter().map(|row| row.predicted).collect(),
        _ => cross_validated(training, &known, progress)?,
    };
    let errors = known.labels.iter().zip(&predicted);
    Ok(Tried {
        recipe: training.recipe.clone(),
        errors: errors
            .map(|(y, told)| (100.0 * (told / y - 1.0).abs()).min(MOST))
            .collect(),
        trained,
    })
}

/// What is predicted of each row by a model of the other folds.
fn cross_validated(
    training: &Training<'_>,
    data: &TrainingData,
    progress: &mut dyn FnMut(FitEvent<'_>) -> bool,
) -> Result<Vec<f64>, TrainError> {
    let order: Vec<usize> = (0..data.labels.len()).collect();
    let mut predicted = vec![f64::NAN; order.len()];
    for fold in 0..FOLDS {
        let trained = train(training.fitting(&[]), data, Split::fold(&order, FOLDS, fold), progress)?;
        for (row, value) in trained.split.test.iter().zip(trained.predicted()) {
            predicted[*row] = value;
        }
    }
    Ok(predicted)
}

//! Onboarding for any network: random ones are measured, and what they teach of operators predicts all others.

use std::time::Instant;

use lglp_registry::{NewVersion, Quantity};

use super::{Forecast, OnboardError, Onboarded, Step};
use crate::measure::MeasureError;
use crate::networks::{GivenNetwork, RandomNetwork};
use crate::train::{FEWEST_ROWS, Split, TrainError, Training, TrainingData, train};

/// Networks that are measured before the first fit, and between two.
const PORTION: usize = 50;

/// A device that is to be known for any network.
pub struct NetworkOnboarding<'a> {
    /// What is trained, where.
    pub training: Training<'a>,
    /// Networks to measure in all, those that are measured already included.
    pub budget: usize,
    /// The mean relative error at which it ends, percent: reached where the estimate is below it by its own standard error.
    pub goal: Option<f64>,
    /// Who makes the version, for the audit log.
    pub actor: &'a str,
}

impl NetworkOnboarding<'_> {
    /// Has networks measured by `measure`, portion by portion, those that are measured already being left out by it, and fits; the content
    /// of a version, to be created. `known` is told of each fit.
    ///
    /// # Errors
    /// Those of `measure`, and why there is no content. What is measured is recorded.
    pub fn run<E: From<OnboardError>>(
        &self,
        known: &mut dyn FnMut(&Step),
        measure: &mut dyn FnMut(&[GivenNetwork]) -> Result<(), E>,
    ) -> Result<(Onboarded, NewVersion), E> {
        self.check()?;
        let started = Instant::now();
        let (mut networks, mut steps) = (Vec::new(), Vec::<Step>::new());
        let mut drawn = RandomNetwork::sequence();
        loop {
            let portion = PORTION.min(self.budget - networks.len());
            for network in drawn.by_ref().take(portion) {
                networks.push(
                    GivenNetwork::random(network).map_err(|error| OnboardError::Measure(MeasureError::from(error)))?,
                );
            }
            measure(&networks)?;
            let data = self.measured()?;
            if data.networks.len() < FEWEST_ROWS {
                let (measured, asked) = (data.networks.len(), networks.len());
                return Err(OnboardError::NotMeasured { measured, asked }.into());
            }
            let rows = data.labels.len();
            let trained = train(self.training.fitting(&[]), &data, Split::whole(rows), &mut |_| true);
            let trained = trained.map_err(OnboardError::from)?;
            let told = trained.model.left_out_networks().iter().map(|row| row.predicted);
            let labels: Vec<f64> = data.networks.iter().map(|one| one.label).collect();
            let step = Step::of(&labels, told, started.elapsed().as_secs_f64());
            known(&step);
            let reached = step.reaches(self.goal);
            steps.push(step);
            if reached || networks.len() >= self.budget {
                let content = self.training.content(&data, &trained, self.actor);
                let found = Onboarded {
                    forecast: Forecast::of(&steps),
                    sources: Vec::new(),
                    steps,
                    reached,
                };
                return Ok((found, content.map_err(OnboardError::from)?));
            }
        }
    }

    /// Refuses what can never succeed, before anything is measured.
    fn check(&self) -> Result<(), OnboardError> {
        let recipe = self.training.recipe;
        if !recipe.target.quantity().is_latency() {
            return Err(OnboardError::NotLatency(recipe.name.clone()));
        }
        if !recipe.networks {
            return Err(TrainError::ReadsArchitectures(recipe.name.clone()).into());
        }
        if self.budget < PORTION {
            let budget = self.budget;
            return Err(OnboardError::FewNetworks { budget });
        }
        Ok(())
    }

    fn measured(&self) -> Result<TrainingData, OnboardError> {
        let Training {
            store, space, hardware, ..
        } = self.training;
        Ok(TrainingData::with_networks(store, hardware, space, Quantity::Latency)?)
    }
}

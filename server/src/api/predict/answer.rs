//! The answer: predictions in the order asked, and who made them.

use lglp_engine::predictor::{Interval, NoInterval, Predicted, ServedModel};
use lglp_openapi::predict::{PredictResponse, PredictingCanary, PredictingModel, Prediction, PredictionInterval};
use lglp_openapi::problem::Fault;
use lglp_registry::Quantity;

use crate::serving::{Answered, Route};

/// The answer to a request.
///
/// `faults` are those of architectures that were not answered, with their places in the request, in their order.
pub(super) fn response(route: &Route, answered: Vec<Answered>, faults: &[(usize, Fault)]) -> PredictResponse {
    let mut predictions = Vec::with_capacity(answered.len() + faults.len());
    let mut answered = answered.into_iter().map(|a| prediction(&route.model, a));
    for (at, fault) in faults {
        predictions.extend(answered.by_ref().take(at - predictions.len()));
        predictions.push(Prediction {
            error: Some(fault.clone()),
            ..Prediction::default()
        });
    }
    predictions.extend(answered);
    response_of(route, predictions)
}

/// The answer of these predictions.
pub(super) fn response_of(route: &Route, predictions: Vec<Prediction>) -> PredictResponse {
    let served = &route.model;
    let canary = route.canary.as_ref().and_then(|canary| {
        let model = canary.model.as_ref()?;
        Some(PredictingCanary {
            version: model.version,
            digest: model.digest.clone(),
            recipe: model.recipe.clone(),
            share: canary.share,
        })
    });
    PredictResponse {
        hardware: served.hardware.to_string(),
        space: served.space.name().to_owned(),
        unit: served.quantity().unit().into(),
        runtime: served.runtime.clone(),
        batch_size: served.batch_size,
        model: PredictingModel {
            version: served.version,
            digest: served.digest.clone(),
            recipe: served.recipe.clone(),
        },
        canary,
        predictions,
    }
}

pub(super) fn prediction(served: &ServedModel, Answered { predicted, version }: Answered) -> Prediction {
    Prediction {
        version: Some(version).filter(|version| *version != served.version),
        ..predicted_as(served, predicted)
    }
}

/// A prediction that a model made.
pub(crate) fn predicted_as(served: &ServedModel, predicted: Predicted) -> Prediction {
    let of = |quantity| Some(predicted.value).filter(|_| served.quantity() == quantity);
    let (interval, no_interval) = told(predicted.interval);
    Prediction {
        latency_ms: of(Quantity::Latency),
        energy_j: of(Quantity::Energy),
        interval,
        no_interval,
        outside_training_range: predicted.outside_training_range,
        ..Prediction::default()
    }
}

/// An interval as answers have it, or why there is none.
pub(crate) fn told(interval: Result<Interval, NoInterval>) -> (Option<PredictionInterval>, Option<String>) {
    match interval {
        Ok(Interval {
            low,
            high,
            coverage,
            provisional,
        }) => {
            let interval = PredictionInterval {
                low,
                high,
                coverage,
                provisional,
            };
            (Some(interval), None)
        }
        Err(reason) => (None, Some(reason.to_string())),
    }
}

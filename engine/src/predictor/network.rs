//! Predictions of networks that are given by their operators, whatever space they are of, or of none.
//!
//! A model that sums up over operators predicts any sum of them. What it was not fitted on it can only guess: those operators are
//! named, with their share, and the interval is as wide as the guess is.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use lglp_onnx::{Network, Rules};
use lglp_registry::{FittedNetworks, KnownOperator, MeasuredNetwork, Quantity};
use lglp_sdk::plugin::abi::Operator;
use lglp_sdk::plugin::operator::{ACTIVATION_NAMES, OPERATOR_NAMES, name_of};
use lglp_sdk::{Sampler, SearchSpace};

use super::model::{Estimate, FittedModel};
use super::{Calibration, Interval, ModelError, NoInterval, Predicted, ServedModel, TrainingRange};
use crate::host::{PluginError, Spread};
use crate::networks::{self, Cost, LabelledNetwork};

/// Networks of the space whose operators are taken for those that a model was fitted on.
const SAMPLED: usize = 512;

/// The share of a prediction that may be guessed, for there to be an interval at all.
const MOST_GUESSED: f64 = 0.1;

/// How many times as long as it is guessed an operator may take, or how many times less.
const UNSURE: f64 = 3.0;

/// What tells operators apart that cost otherwise: kind, kernel, stride and activation.
/// What it does otherwise than these tell is in words.
type Category<'a> = (u32, u32, u32, u32, Option<&'a str>);

fn category<'a>(operator: &Operator, peculiar: Option<&'a str>) -> Category<'a> {
    (
        operator.kind,
        operator.kernel,
        operator.stride,
        operator.activation,
        peculiar,
    )
}

/// Networks with one operator of a kind, just as it is, from which on these tell of others of the kind, whatever their kernel and stride; the
/// same of an activation.
const MANY: usize = 10;

/// Operators of a version that are told apart, at most; those that most networks have.
const TOLD: usize = 2_000;

/// The operators that a model was fitted on.
pub(super) struct KnownOperators {
    /// Those that were met, just as they are.
    met: HashSet<(u32, u32, u32, u32, Option<String>)>,
    /// Of kinds that many networks had, with what they do otherwise: the largest kernel.
    kinds: HashMap<(u32, Option<String>), u32>,
    /// Activations that many networks had.
    activations: HashSet<u32>,
}

/// What a version learned from networks of no space.
pub(super) struct LearnedNetworks {
    fitted: FittedNetworks,
    calibration: Calibration,
    range: TrainingRange,
}

impl LearnedNetworks {
    pub(super) fn of(fitted: &FittedNetworks, quantity: Quantity) -> Self {
        Self {
            calibration: Calibration::of_networks(fitted),
            range: TrainingRange::of_networks(fitted, quantity),
            fitted: fitted.clone(),
        }
    }
}

/// A prediction of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedNetwork {
    /// The prediction.
    pub predicted: Predicted,
    /// Operators that the model was not fitted on; those of the largest share first.
    pub unknown: Vec<UnknownOperator>,
}

/// Operators of one category that a model was not fitted on.
#[derive(Clone, Debug, PartialEq)]
pub struct UnknownOperator {
    /// Such as `convolution 3x3, stride 2, relu`.
    pub operator: String,
    /// How many of them the network has.
    pub count: usize,
    /// Their share of the network's multiply-accumulates, 0 to 1.
    pub macs_share: f64,
    /// Their share of the prediction, 0 to 1: what of it is a guess.
    pub share: f64,
}

/// What operators networks have, and how many of the networks have each.
pub(crate) fn known_operators(networks: &[LabelledNetwork]) -> Vec<KnownOperator> {
    let mut counts = BTreeMap::<KnownOperator, usize>::new();
    for LabelledNetwork { network, .. } in networks {
        let operators = networks::operators_of(network).into_iter().enumerate();
        let peculiar: HashMap<usize, &str> = network.peculiar.iter().map(|one| (one.operator, &*one.is)).collect();
        let of_one: BTreeSet<KnownOperator> = operators
            .map(|(at, operator)| KnownOperator {
                kind: operator.kind,
                kernel: operator.kernel,
                stride: operator.stride,
                activation: operator.activation,
                peculiar: peculiar.get(&at).map(|words| (*words).to_owned()),
                networks: 0,
            })
            .collect();
        for one in of_one {
            *counts.entry(one).or_default() += 1;
        }
    }
    let counted = |(one, networks)| KnownOperator { networks, ..one };
    let mut known: Vec<KnownOperator> = counts.into_iter().map(counted).collect();
    known.sort_by_key(|known| std::cmp::Reverse(known.networks));
    known.truncate(TOLD);
    known
}

impl KnownOperators {
    /// Those of the space, where the model was fitted on architectures of it, and of networks that it was fitted on.
    pub(super) fn of(space: Option<&SearchSpace>, rules: Option<&Rules>, networks: Option<&FittedNetworks>) -> Self {
        let some = space.into_iter().flat_map(|space| {
            let some = Sampler::new(space, 0).take(SAMPLED);
            some.flat_map(move |architecture| networks::executed(space, &architecture, rules).unwrap_or_default())
        });
        let mut met: HashSet<_> = some.map(|o| (o.kind, o.kernel, o.stride, o.activation, None)).collect();
        let (mut kinds, mut activations) = (HashMap::<_, (usize, u32)>::new(), HashMap::<_, usize>::new());
        for known in networks.iter().flat_map(|networks| &networks.operators) {
            met.insert((
                known.kind,
                known.kernel,
                known.stride,
                known.activation,
                known.peculiar.clone(),
            ));
            let (count, kernel) = kinds.entry((known.kind, known.peculiar.clone())).or_default();
            *count = known.networks.max(*count);
            *kernel = known.kernel.max(*kernel);
            let count = activations.entry(known.activation).or_default();
            *count = known.networks.max(*count);
        }
        let many = kinds.into_iter().filter(|(_, (count, _))| *count >= MANY);
        Self {
            met,
            kinds: many.map(|(kind, (_, kernel))| (kind, kernel)).collect(),
            activations: activations
                .into_iter()
                .filter(|(_, count)| *count >= MANY)
                .map(|(code, _)| code)
                .collect(),
        }
    }

    fn has(&self, (kind, kernel, stride, activation, peculiar): Category<'_>) -> bool {
        let peculiar = peculiar.map(str::to_owned);
        let is_like_many = self.activations.contains(&activation)
            && self
                .kinds
                .get(&(kind, peculiar.clone()))
                .is_some_and(|largest| kernel <= *largest);
        is_like_many || self.met.contains(&(kind, kernel, stride, activation, peculiar))
    }

    /// The operators of a network that are none of these; `peculiar` tells in what each costs otherwise than its numbers, `values` what it is
    /// predicted to take.
    fn unknown(&self, operators: &[Operator], peculiar: &[Option<&str>], values: &[f64]) -> Vec<UnknownOperator> {
        let operators = operators.iter();
        let all_macs: u64 = operators.clone().map(|operator| operator.macs).sum();
        // A correction may be less than nothing; a share is not.
        let all: f64 = values.iter().map(|value| value.max(0.0)).sum();
        let mut sums = BTreeMap::<Category<'_>, (usize, u64, f64)>::new();
        for ((operator, peculiar), value) in operators.zip(peculiar).zip(values) {
            let category = category(operator, *peculiar);
            if !self.has(category) {
                let (count, macs, guessed) = sums.entry(category).or_default();
                *count += 1;
                *macs += operator.macs;
                *guessed += value.max(0.0);
            }
        }
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let mut unknown: Vec<UnknownOperator> = sums
            .into_iter()
            .map(|(category, (count, macs, guessed))| UnknownOperator {
                operator: words(category),
                count,
                macs_share: share(macs as f64, all_macs as f64),
                share: share(guessed, all),
            })
            .collect();
        unknown.sort_by(|a, b| b.share.total_cmp(&a.share));
        unknown
    }
}

/// `convolution 3x3, stride 2, relu`
fn words((kind, kernel, stride, activation, peculiar): Category<'_>) -> String {
    let mut words = name_of(kind, OPERATOR_NAMES).to_owned();
    if kernel > 0 {
        words += &format!(" {kernel}x{kernel}");
    }
    if stride > 1 {
        words += &format!(", stride {stride}");
    }
    if activation > 0 {
        words += &format!(", {}", name_of(activation, ACTIVATION_NAMES));
    }
    if let Some(peculiar) = peculiar {
        words += &format!(", {peculiar}");
    }
    words
}

impl FittedModel {
    /// Whether it predicts networks that are given by their operators: where a prediction is a sum over them, and nothing else.
    pub fn reads_networks(&self) -> bool {
        self.lookups.is_some() && self.residual.is_none()
    }

    /// Predicts a network, in the unit of the recipe's quantity, and what of that each of its operators takes, the rest last, where the
    /// regressor tells that. Only of a model that [reads networks](Self::reads_networks).
    fn estimate_network(&self, operators: &[Operator]) -> Result<(Estimate, Option<Vec<f64>>), PluginError> {
        let encoded = self.encoder.encode_network(operators)?;
        let (value, spread) = match self.regressor.predict_spread(&encoded)? {
            Some(Spread { predicted, spreads }) => (predicted[0], spreads.first().copied()),
            None => (self.regressor.predict(&encoded)?[0], None),
        };
        let scale = self.target.scale(Cost::of(operators, 1).macs);
        let estimate = Estimate {
            value: value * scale,
            spread: spread.map(|spread| spread * scale),
        };
        let parts = self.regressor.contributions(&encoded)?;
        let parts = parts.map(|parts| parts.iter().take(operators.len()).map(|part| part * scale).collect());
        Ok((estimate, parts))
    }
}

impl ServedModel {
    /// Whether it predicts networks that are given by their operators.
    ///
    /// # Errors
    /// `ReadsArchitectures`, where it does not.
    pub fn check_reads_networks(&self) -> Result<(), ModelError> {
        if self.model.reads_networks() {
            return Ok(());
        }
        Err(ModelError::ReadsArchitectures {
            hardware: self.hardware.clone(),
            version: self.version,
            recipe: self.recipe.clone(),
        })
    }

    /// Whether it was fitted on architectures of its space.
    pub fn knows_architectures(&self) -> bool {
        self.range.has_architectures()
    }

    fn known_operators(&self) -> KnownOperators {
        let space = self.knows_architectures().then_some(&*self.space);
        let networks = self.networks.as_ref().map(|learned| &learned.fitted);
        KnownOperators::of(space, self.model.rules.as_ref(), networks)
    }

    /// Predicts a network that is none of the model's space, with an interval of this coverage.
    ///
    /// # Errors
    /// As [`Self::check_reads_networks`], and whatever keeps the model from predicting.
    pub fn predict_network(&self, network: &Network, coverage: f64) -> Result<PredictedNetwork, ModelError> {
        let executed = network.executed(self.model.rules.as_ref());
        self.predict_operators(&executed.operators, &executed.peculiar, coverage)
    }

    /// Whether a network that was measured is counted by the rules that the version counts by.
    pub fn reads_table(&self, network: &MeasuredNetwork) -> bool {
        self.model.rules.as_ref().map(Rules::name) == network.rules
    }

    /// As [`Self::predict_network`], of a network as its measurement holds it.
    ///
    /// # Errors
    /// Those of `predict_network`.
    pub fn predict_measured(&self, network: &MeasuredNetwork, coverage: f64) -> Result<PredictedNetwork, ModelError> {
        let mut peculiar = vec![None; network.operators.len()];
        for one in &network.peculiar {
            if let Some(words) = peculiar.get_mut(one.operator) {
                *words = Some(one.is.as_str());
            }
        }
        self.predict_operators(&networks::operators_of(network), &peculiar, coverage)
    }

    fn predict_operators(
        &self,
        operators: &[Operator],
        peculiar: &[Option<&str>],
        coverage: f64,
    ) -> Result<PredictedNetwork, ModelError> {
        self.check_reads_networks()?;
        let (Estimate { value, spread }, parts) = self.model.estimate_network(operators)?;
        // Where a model does not tell what each operator takes, those that it knows not are told by what they compute.
        let macs = || operators.iter().map(|operator| operator.macs as f64).collect();
        let known = self.known.get_or_init(|| self.known_operators());
        let unknown = known.unknown(operators, peculiar, &parts.unwrap_or_else(macs));
        self.check_number(|| "a network of no architecture".into(), value)?;
        let guessed: f64 = unknown.iter().map(|unknown| unknown.share).sum();
        // Networks that it knows tell how far off it is for others; architectures, which differ by little, tell less of that.
        let (calibration, range) = match &self.networks {
            Some(learned) => (&learned.calibration, &learned.range),
            None => (&self.calibration, &self.range),
        };
        let interval = calibration
            .reach(coverage)
            .and_then(|reach| reach.around(value, spread));
        let macs = Cost::of(operators, 1).macs;
        Ok(PredictedNetwork {
            predicted: Predicted {
                value,
                interval: interval.and_then(|interval| widened(interval, value, guessed)),
                outside_training_range: range.outside_of_network(operators[0].side_in, macs, value),
            },
            unknown,
        })
    }
}

/// An interval that holds what guessed operators may take, too.
fn widened(interval: Interval, value: f64, guessed: f64) -> Result<Interval, NoInterval> {
    if guessed > MOST_GUESSED {
        return Err(NoInterval::Guess { share: guessed });
    }
    let guess = guessed * value.abs();
    Ok(Interval {
        low: (interval.low - guess * (1.0 - 1.0 / UNSURE)).max(0.0),
        high: interval.high + guess * (UNSURE - 1.0),
        ..interval
    })
}

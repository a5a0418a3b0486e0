//! What operators ought to cost, before anything is learned of a device.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::columns::{add, amounts, median, terms};
use crate::operator::{Catalogue, FEWEST_KINDS, MOST_KINDS, Network, Operator, sum};
use crate::prices::Prices;

/// Arithmetic, memory and launches, each over what a network of the training has of it in the median.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Generic {
    /// Thousands of multiply-accumulates.
    kmacs: f64,
    /// KiB of values read and written; of weights, too, that are used once.
    activation_kib: f64,
    launches: f64,
    /// Whether weights that are used once are counted among the values: they are read from memory as these are. They tell networks of no
    /// search space apart, which have classifiers of any size; those of one have nearly the same.
    #[serde(default)]
    counts_weights: bool,
}

/// Shares of the three in a network of median size.
const SHARES: [f64; 3] = [0.5, 0.4, 0.1];

/// The share of prices in a prior cost, where there are any. Of .5, .75 and .85 it tells random networks on `datasets/zen5-1t` and
/// `datasets/epyc-1t` best, each by all others.
const PRICED: f64 = 0.75;

impl Generic {
    /// The medians of networks' sums.
    pub(crate) fn of(catalogue: &Catalogue, networks: &[Network]) -> Self {
        let counts_weights = networks.iter().any(|network| network.resolution.is_none());
        let moved = match counts_weights {
            true => Operator::moved_kib,
            false => |operator: &Operator| operator.work.activation_kib,
        };
        let middle = |amount: fn(&Operator) -> f64| {
            let sums = networks.iter().map(|network| {
                let operators = network.operators.iter();
                operators
                    .map(|(number, _)| amount(&catalogue.operators[*number as usize]))
                    .sum()
            });
            median(&sums.collect::<Vec<f64>>()).max(f64::MIN_POSITIVE)
        };
        Self {
            kmacs: middle(|o| o.work.kmacs),
            activation_kib: middle(moved),
            launches: middle(|o| o.work.launches),
            counts_weights,
        }
    }

    /// The cost of an operator; a network of median size has about 1.
    pub(crate) fn of_operator(&self, operator: &Operator) -> f64 {
        let work = &operator.work;
        let moved = if self.counts_weights {
            operator.moved_kib()
        } else {
            work.activation_kib
        };
        SHARES[0] * work.kmacs / self.kmacs
            + SHARES[1] * moved / self.activation_kib
            + SHARES[2] * work.launches / self.launches
    }

    fn is_whole(&self) -> bool {
        [self.kmacs, self.activation_kib, self.launches]
            .iter()
            .all(|x| x.is_finite() && *x > 0.0)
    }
}

/// Prior costs of operators, milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cost {
    generic: Generic,
    /// What amounts took in networks of no search space, in generic units, if there were any: kinds that these have and a space has not cost
    /// otherwise than arithmetic and bytes tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prices: Option<Prices>,
    /// What other targets taught, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taught: Option<Taught>,
    /// Milliseconds of a unit on this device.
    scale: f64,
}

/// What other targets taught of operators, in generic units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Taught {
    /// Of each operator of the catalogue.
    operators: Vec<f64>,
    /// Of any other, by its kind: the ratio to its generic cost.
    kinds: Vec<f64>,
}

impl Taught {
    /// The ratio of operators of a kind to their generic cost; of a kind that has none of its own, the mean.
    fn of_kind(&self, kind: Option<usize>) -> f64 {
        match kind.and_then(|kind| self.kinds.get(kind)) {
            Some(ratio) => *ratio,
            None => self.kinds.iter().sum::<f64>() / self.kinds.len() as f64,
        }
    }
}

impl Cost {
    pub(crate) fn generic(generic: Generic) -> Self {
        Self {
            generic,
            prices: None,
            taught: None,
            scale: 1.0,
        }
    }

    /// Prices beside what operators generically cost: what their amounts took in networks of no search space; `targets` are milliseconds.
    pub(crate) fn priced(self, catalogue: &Catalogue, networks: &[Network], targets: &[f64]) -> Self {
        let rows = networks.iter().zip(targets);
        let rows: Vec<_> = rows.filter(|(network, _)| network.resolution.is_none()).collect();
        if rows.is_empty() {
            return self;
        }
        let (kinds, costs) = (catalogue.kinds(), self.of_all(catalogue));
        let sums = rows.iter().map(|(network, _)| {
            let mut sums = vec![0.0; terms(kinds)];
            for (number, _) in &network.operators {
                add(&mut sums, &amounts(&catalogue.operators[*number as usize], kinds));
            }
            sums
        });
        let ratios: Vec<f64> = rows.iter().map(|(network, y)| *y / sum(network, &costs)).collect();
        let unit = median(&ratios);
        let targets: Vec<f64> = rows.iter().map(|(_, y)| *y / unit).collect();
        Self {
            prices: Some(Prices::of(&sums.collect::<Vec<_>>(), &targets)),
            ..self
        }
    }

    /// The same of some of the operators, by their numbers.
    pub(crate) fn of_some(mut self, kept: &BTreeSet<u32>) -> Self {
        if let Some(taught) = &mut self.taught {
            taught.operators = kept.iter().map(|number| taught.operators[*number as usize]).collect();
        }
        self
    }

    /// What other targets taught of each operator of a catalogue, in any unit.
    pub(crate) fn taught(generic: Generic, catalogue: &Catalogue, costs: Vec<f64>) -> Self {
        let kinds = catalogue.kinds();
        let mut sums = vec![(0.0, 0.0); kinds];
        for (operator, cost) in catalogue.operators.iter().zip(&costs) {
            if let Some(kind) = operator.kind(kinds) {
                let (taught, plain) = &mut sums[kind];
                *taught += cost;
                *plain += generic.of_operator(operator);
            }
        }
        let (taught, plain) = sums.iter().fold((0.0, 0.0), |(a, b), (t, p)| (a + t, b + p));
        let ratio = |(own, generic): &(f64, f64)| {
            if *generic > 0.0 { own / generic } else { taught / plain }
        };
        let kinds = sums.iter().map(ratio).collect();
        let operators = costs;
        Self {
            generic,
            prices: None,
            taught: Some(Taught { operators, kinds }),
            scale: 1.0,
        }
    }

    /// Scales the costs so that networks take what was measured, in the median of their ratios.
    pub(crate) fn adjust(&mut self, catalogue: &Catalogue, networks: &[Network], targets: &[f64]) {
        let costs = self.of_all(catalogue);
        let ratios = networks.iter().zip(targets);
        let ratios: Vec<f64> = ratios.map(|(network, y)| (y / sum(network, &costs)).ln()).collect();
        self.scale *= median(&ratios).exp();
    }

    /// The cost of an operator, which may be one of the catalogue that the costs were made for.
    pub(crate) fn of_operator(&self, operator: &Operator, catalogue: &Catalogue) -> f64 {
        let Some(taught) = &self.taught else {
            let generic = self.generic.of_operator(operator);
            let cost = match &self.prices {
                Some(prices) => (1.0 - PRICED) * generic + PRICED * prices.of_operator(operator),
                None => generic,
            };
            return self.scale * cost;
        };
        self.scale
            * match catalogue.find(&operator.shape) {
                Some(number) => taught.operators[number as usize],
                None => taught.of_kind(operator.kind(MOST_KINDS)) * self.generic.of_operator(operator),
            }
    }

    pub(crate) fn of_all(&self, catalogue: &Catalogue) -> Vec<f64> {
        let operators = catalogue.operators.iter();
        operators
            .map(|operator| self.of_operator(operator, catalogue))
            .collect()
    }

    /// Whether all numbers are ones, with a catalogue of so many operators.
    pub(crate) fn is_whole(&self, operators: usize) -> bool {
        let believable = |cost: &f64| (1e-12..=1e9).contains(cost);
        let taught = self.taught.as_ref().is_none_or(|taught| {
            taught.operators.len() == operators
                && (FEWEST_KINDS..=MOST_KINDS).contains(&taught.kinds.len())
                && taught.operators.iter().chain(&taught.kinds).all(believable)
        });
        let priced = self.prices.as_ref().is_none_or(Prices::are_whole);
        taught && priced && self.generic.is_whole() && (1e-9..=1e9).contains(&self.scale)
    }
}

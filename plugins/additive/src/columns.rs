//! The columns of the linear model. All but one group are sums over a network's operators, divided by the network's scale: what they
//! teach collapses into a table of times.
//!
//! | group | columns | what each sums |
//! | --- | --- | --- |
//! | scale | 1 | the prior cost `w` of all operators |
//! | constant | 1 | 0.3 median scale, the same for every network |
//! | terms | 20 or more | launches, weights; multiply-accumulates and bytes of each kind; over the training mean and the root of their number |
//! | kind | 9 or more | `w` of the operators of a kind |
//! | long, category-long, category-mid | 100, 200, 200 at most | `w psi`, `psi` from the basis of a kernel |
//! | alignment | 7 of each kind | `w` of operators whose channels do not fill vectors; only where there are networks of no search space |
//! | layer | 400 at most | `w` of layers times an indicator of what a layer is; only where each place has one shape |
//! | resolution | 1 each | whether the network has it, less the share of the training that has it; not divided |

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::alignment::{INDICATORS, indicators};
use crate::kernel::{Basis, Kernel};
use crate::layers::{LayerBasis, layers_of};
use crate::operator::{Catalogue, FEWEST_KINDS, MOST_KINDS, Network, Operator};

/// What is left of a kernel's trace where a basis ends.
const TOLERANCE: f64 = 1e-3;

/// The kernels, and how many functions represent each at most.
const KERNELS: [(Kernel, usize); 3] = [
    (Kernel::Long, 100),
    (Kernel::CategoryLong, 200),
    (Kernel::CategoryMid, 200),
];

/// The same where there are networks of no search space, whose operators differ in more.
const WIDE_KERNELS: [(Kernel, usize); 3] = [
    (Kernel::WideLong, 100),
    (Kernel::WideCategoryLong, 200),
    (Kernel::WideCategoryMid, 200),
];

fn kernels(is_wide: bool) -> [(Kernel, usize); 3] {
    if is_wide { WIDE_KERNELS } else { KERNELS }
}

/// Sums of physical amounts, of so many kinds: launches, weights, multiply-accumulates and bytes of each kind.
pub(crate) fn terms(kinds: usize) -> usize {
    2 + 2 * kinds
}

/// A group of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Group {
    Scale,
    Constant,
    Terms,
    Kind,
    Long,
    CategoryLong,
    CategoryMid,
    Alignment,
    Layer,
    Resolution,
}

impl Group {
    /// The standard deviation of its coefficients that is believed in beforehand.
    pub(crate) fn believed(self) -> f64 {
        match self {
            Self::Scale => 0.3,
            Self::Constant => 0.1,
            Self::Terms => 0.5,
            Self::Kind | Self::Alignment => 0.2,
            Self::Long => 0.3,
            Self::CategoryLong | Self::CategoryMid | Self::Layer => 0.15,
            Self::Resolution => 0.01,
        }
    }
}

/// What the columns are, for any network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Columns {
    /// Kinds that have columns of their own.
    #[serde(default = "fewest_kinds")]
    kinds: usize,
    /// Whether there are networks of no search space.
    #[serde(default)]
    is_wide: bool,
    bases: Vec<Basis>,
    /// What each term is divided by: times the root of their number; 0 for what does not occur.
    term_means: Vec<f64>,
    layers: Option<LayerBasis>,
    /// Resolutions, pixels, and the share of the training that has each.
    resolutions: Vec<(u32, f64)>,
    /// 0.3 times the median scale of the training.
    constant: f64,
}

/// How much operators weigh where functions are chosen: the root of what they cost in all networks, each relative to the network. Operators of
/// networks of no space are of any size, and the oddest ones would be chosen first, which cost nothing.
fn weights_of(networks: &[Network], costs: &[f64], scales: &[f64]) -> Vec<f64> {
    let mut shares = vec![0.0; costs.len()];
    for (network, scale) in networks.iter().zip(scales) {
        for (operator, _) in &network.operators {
            shares[*operator as usize] += costs[*operator as usize] / scale;
        }
    }
    shares.into_iter().map(f64::sqrt).collect()
}

fn fewest_kinds() -> usize {
    FEWEST_KINDS
}

/// Amounts of an operator, in the order of the terms of so many kinds.
pub(crate) fn amounts(operator: &Operator, kinds: usize) -> Vec<f64> {
    let mut amounts = vec![0.0; terms(kinds)];
    amounts[0] = operator.work.launches;
    amounts[1] = operator.work.weight_kib;
    if let Some(kind) = operator.kind(kinds) {
        amounts[2 + kind] = operator.work.kmacs;
        amounts[2 + kinds + kind] = operator.work.activation_kib;
    }
    amounts
}

impl Columns {
    /// The columns that suit networks; `costs` are the prior costs of operators and `scales` those of the networks, milliseconds.
    pub(crate) fn new(catalogue: &Catalogue, networks: &[Network], costs: &[f64], scales: &[f64]) -> Self {
        let operators = &catalogue.operators;
        let is_wide = networks.iter().any(|network| network.resolution.is_none());
        let weights = match is_wide {
            true => weights_of(networks, costs, scales),
            false => vec![1.0; operators.len()],
        };
        let bases = kernels(is_wide).map(|(kernel, most)| Basis::new(kernel, operators, &weights, most, TOLERANCE));
        let mut columns = Self {
            kinds: catalogue.kinds(),
            is_wide,
            bases: bases.into(),
            term_means: Vec::new(),
            layers: LayerBasis::new(catalogue, networks),
            resolutions: Vec::new(),
            constant: 0.0,
        };
        columns.rescale(catalogue, networks, scales);
        let mut counts = BTreeMap::<u32, f64>::new();
        let resolutions: Vec<u32> = networks.iter().filter_map(|network| network.resolution).collect();
        for resolution in &resolutions {
            *counts.entry(*resolution).or_default() += 1.0 / resolutions.len() as f64;
        }
        // One resolution tells nothing apart.
        if counts.len() > 1 {
            columns.resolutions = counts.into_iter().collect();
        }
        columns
    }

    /// Whether there are networks of no search space.
    pub(crate) fn is_wide(&self) -> bool {
        self.is_wide
    }

    /// Numbers of the operators that represent kernels.
    pub(crate) fn pivots(&self) -> impl Iterator<Item = u32> {
        self.bases.iter().flat_map(Basis::pivots)
    }

    /// The same columns in a catalogue of some of the operators, see [`Basis::renumbered`].
    pub(crate) fn renumbered(mut self, numbers: &BTreeMap<u32, u32>) -> Self {
        let bases = self.bases.into_iter();
        self.bases = bases.map(|basis| basis.renumbered(numbers)).collect();
        self
    }

    /// Takes over other scales of the networks.
    pub(crate) fn rescale(&mut self, catalogue: &Catalogue, networks: &[Network], scales: &[f64]) {
        let mut means = vec![0.0; terms(self.kinds)];
        for (network, scale) in networks.iter().zip(scales) {
            for (operator, _) in &network.operators {
                let amounts = amounts(&catalogue.operators[*operator as usize], self.kinds);
                for (mean, amount) in means.iter_mut().zip(amounts) {
                    *mean += amount / scale / networks.len() as f64;
                }
            }
        }
        let occurring = means.iter().filter(|mean| **mean > 0.0).count() as f64;
        self.term_means = means.iter().map(|mean| mean * occurring.sqrt()).collect();
        self.constant = 0.3 * median(scales);
    }

    /// The groups that have columns, in their order.
    pub(crate) fn groups(&self) -> Vec<(Group, Range<usize>)> {
        self.ranges().filter(|(_, range)| !range.is_empty()).collect()
    }

    /// All groups, with their columns, in their order.
    fn ranges(&self) -> impl Iterator<Item = (Group, Range<usize>)> {
        let kernel = |at: usize| self.bases[at].len();
        let sizes = [
            (Group::Scale, 1),
            (Group::Constant, 1),
            (Group::Terms, terms(self.kinds)),
            (Group::Kind, self.kinds),
            (Group::Long, kernel(0)),
            (Group::CategoryLong, kernel(1)),
            (Group::CategoryMid, kernel(2)),
            (Group::Alignment, if self.is_wide { INDICATORS * self.kinds } else { 0 }),
            (Group::Layer, self.layers.as_ref().map_or(0, LayerBasis::len)),
            (Group::Resolution, self.resolutions.len()),
        ];
        let mut begin = 0;
        sizes.into_iter().map(move |(group, size)| {
            let range = begin..begin + size;
            begin = range.end;
            (group, range)
        })
    }

    /// How many columns there are.
    pub(crate) fn len(&self) -> usize {
        self.ranges().last().map_or(0, |(_, range)| range.end)
    }

    fn range(&self, group: Group) -> Range<usize> {
        let found = self.ranges().find(|(other, _)| *other == group);
        found.map_or(0..0, |(_, range)| range)
    }

    /// What an operator of prior cost `cost`, milliseconds, adds to each column that sums over operators, before the division.
    pub(crate) fn of_operator(&self, operator: &Operator, cost: f64, catalogue: &[Operator]) -> Vec<f64> {
        let alignment = self.range(Group::Alignment);
        let mut row = vec![0.0; alignment.end];
        row[0] = cost;
        let terms = self.range(Group::Terms).start;
        for (at, (amount, mean)) in amounts(operator, self.kinds).iter().zip(&self.term_means).enumerate() {
            if *mean > 0.0 {
                row[terms + at] = amount / mean;
            }
        }
        if let Some(kind) = operator.kind(self.kinds) {
            row[self.range(Group::Kind).start + kind] = cost;
        }
        let mut begin = self.range(Group::Kind).end;
        for basis in &self.bases {
            let psi = basis.at(operator, catalogue);
            row[begin..][..psi.len()]
                .iter_mut()
                .zip(&psi)
                .for_each(|(entry, psi)| *entry = cost * psi);
            begin += psi.len();
        }
        if let (true, Some(kind)) = (self.is_wide, operator.kind(self.kinds)) {
            let own = row[alignment.start + INDICATORS * kind..].iter_mut();
            own.zip(indicators(operator))
                .for_each(|(entry, indicator)| *entry = cost * indicator);
        }
        row
    }

    /// The basis of layers, with its columns.
    pub(crate) fn layers(&self) -> Option<(&LayerBasis, Range<usize>)> {
        self.layers.as_ref().map(|layers| (layers, self.range(Group::Layer)))
    }

    /// The column of the constant, with its value before the division.
    pub(crate) fn constant(&self) -> (usize, f64) {
        (self.range(Group::Constant).start, self.constant)
    }

    /// The columns of the resolutions of a network, which are not divided; all 0 for a resolution that was not seen, and for none.
    pub(crate) fn of_resolution(&self, resolution: Option<u32>) -> impl Iterator<Item = (usize, f64)> + '_ {
        let seen = self.resolutions.iter().any(|(known, _)| Some(*known) == resolution);
        let begin = self.range(Group::Resolution).start;
        let entries = self.resolutions.iter().zip(begin..).map(move |((known, share), at)| {
            let is_it = if Some(*known) == resolution { 1.0 } else { 0.0 };
            (at, is_it - share)
        });
        entries.filter(move |_| seen)
    }

    /// All columns of a network of the catalogue.
    pub(crate) fn row(&self, network: &Network, scale: f64, table: &Table, catalogue: &Catalogue) -> Vec<f64> {
        let mut sums = vec![0.0; self.len()];
        for (operator, _) in &network.operators {
            add(&mut sums, &table.rows[*operator as usize]);
        }
        if let Some((basis, columns)) = self.layers() {
            for layer in layers_of(network.shapes(catalogue)) {
                let operators = &network.operators[layer.operators];
                let cost: f64 = operators.iter().map(|(number, _)| table.costs[*number as usize]).sum();
                add_times(&mut sums[columns.clone()], cost, &basis.at(&layer.kind));
            }
        }
        self.complete(sums, network.resolution, scale)
    }

    /// All columns of a network, from the sums over its operators and layers.
    pub(crate) fn complete(&self, mut sums: Vec<f64>, resolution: Option<u32>, scale: f64) -> Vec<f64> {
        let (at, constant) = self.constant();
        sums[at] = constant;
        sums.iter_mut().for_each(|sum| *sum /= scale);
        for (at, entry) in self.of_resolution(resolution) {
            sums[at] = entry;
        }
        sums
    }

    /// The resolutions that were seen, pixels, where they are told apart, each with the column that is its own.
    pub(crate) fn resolutions(&self) -> impl Iterator<Item = (u32, usize)> {
        let begin = self.range(Group::Resolution).start;
        self.resolutions.iter().map(|(pixels, _)| *pixels).zip(begin..)
    }

    /// What every network has of the columns of the resolutions, less than nothing: the share of the training that has each.
    pub(crate) fn less_shares(&self) -> impl Iterator<Item = (usize, f64)> {
        let begin = self.range(Group::Resolution).start;
        (begin..).zip(&self.resolutions).map(|(at, (_, share))| (at, -share))
    }

    /// Whether nothing was learned of a resolution, while there is something to be learned of each.
    pub(crate) fn is_new(&self, resolution: Option<u32>) -> bool {
        let is_new = |resolution| self.resolutions.iter().all(|(known, _)| *known != resolution);
        !self.resolutions.is_empty() && resolution.is_some_and(is_new)
    }

    /// Steps of an operator that is in no table, with its share of a layer: half a square for each basis.
    pub(crate) fn work_of_an_operator(&self) -> u64 {
        let half = |functions: usize| (functions * functions / 2) as u64;
        let bases = self.bases.iter().map(|basis| half(basis.len())).sum::<u64>();
        // A layer has three operators or more.
        bases + self.layers.as_ref().map_or(0, |layers| half(layers.len()) / 3)
    }

    /// Whether the parts belong together, in a catalogue of so many operators.
    pub(crate) fn is_whole(&self, operators: usize) -> bool {
        let finite = |value: &f64| value.is_finite() && *value >= 0.0;
        (FEWEST_KINDS..=MOST_KINDS).contains(&self.kinds)
            && self.bases.len() == KERNELS.len()
            && self
                .bases
                .iter()
                .zip(kernels(self.is_wide))
                .all(|(basis, (kernel, most))| {
                    basis.kernel == kernel && basis.len() <= most && basis.is_whole(operators)
                })
            && self.term_means.len() == terms(self.kinds)
            && self.term_means.iter().all(finite)
            && self.layers.as_ref().is_none_or(LayerBasis::is_whole)
            && self.resolutions.iter().all(|(_, share)| finite(share))
            && (0.0..1e9).contains(&self.constant)
    }
}

/// Prior costs and columns of the operators of a catalogue.
pub(crate) struct Table {
    /// Milliseconds.
    pub costs: Vec<f64>,
    pub rows: Vec<Vec<f64>>,
}

impl Table {
    pub(crate) fn new(columns: &Columns, catalogue: &Catalogue, costs: Vec<f64>) -> Self {
        let operators = catalogue.operators.iter().zip(&costs);
        let rows = operators.map(|(operator, cost)| columns.of_operator(operator, *cost, &catalogue.operators));
        Self {
            rows: rows.collect(),
            costs,
        }
    }
}

/// Adds what an operator has of each column.
pub(crate) fn add(sums: &mut [f64], row: &[f64]) {
    sums.iter_mut().zip(row).for_each(|(sum, entry)| *sum += entry);
}

/// Adds a multiple of what a layer has of its columns.
pub(crate) fn add_times(sums: &mut [f64], times: f64, row: &[f64]) {
    sums.iter_mut().zip(row).for_each(|(sum, entry)| *sum += times * entry);
}

/// The middle value; the mean of the two in the middle of an even number.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        even if even % 2 == 0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}

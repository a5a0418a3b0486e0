//! Which networks to measure next: those whose measurement would make the predictions of all others most certain, by the variances that are
//! believed in (active learning by Cohn's criterion: Seo, Wallat, Graepel and Obermayer, IJCNN 2000). No measurement is needed for
//! it, so that all of a batch are chosen at once.

use faer::Mat;
use lglp_sdk::plugin::{Design, PluginError};

use crate::columns::{Columns, Table};
use crate::cost::{Cost, Generic};
use crate::fit::NOISE;
use crate::operator::{Catalogue, Network, sum};
use crate::transfer::believed_where_taught;

/// Candidates that are looked at, the first ones, and how many of them stand for all networks.
const CANDIDATES: usize = 700;
const REFERENCES: usize = 400;

/// Chooses candidates, as their numbers, the best first.
///
/// # Errors
/// `Failed` for rows that are no tables of operators, and where too few candidates are looked at.
pub(crate) fn choose(design: &Design<'_>) -> Result<Vec<usize>, PluginError> {
    let mut catalogue = Catalogue::default();
    let mut networks = catalogue.read(&design.candidates)?;
    networks.truncate(CANDIDATES);
    let candidates = networks.len();
    if design.count > candidates {
        let message = format!("{} of {candidates} candidates are to be chosen", design.count);
        return Err(PluginError::Failed(message));
    }
    if design.measured.rows > 0 {
        networks.extend(catalogue.read(&design.measured)?);
    }
    let mut covariance = believed(&catalogue, &networks, !design.priors.is_empty());
    let noise = NOISE * NOISE;
    (candidates..networks.len()).for_each(|at| condition(&mut covariance, at, noise));
    let references = candidates.min(REFERENCES);
    let mut free: Vec<usize> = (0..candidates).collect();
    let mut chosen = Vec::with_capacity(design.count);
    for _ in 0..design.count {
        let gain = |at: usize| {
            let told: f64 = (0..references).map(|other| covariance[(other, at)].powi(2)).sum();
            told / (covariance[(at, at)] + noise)
        };
        let best = (0..free.len()).max_by(|a, b| gain(free[*a]).total_cmp(&gain(free[*b])));
        let Some(best) = best else { break };
        let at = free.swap_remove(best);
        condition(&mut covariance, at, noise);
        chosen.push(at);
    }
    Ok(chosen)
}

/// The covariance of the relative corrections of networks, before anything is measured: smaller ones, where other targets teach.
fn believed(catalogue: &Catalogue, networks: &[Network], taught: bool) -> Mat<f64> {
    let cost = Cost::generic(Generic::of(catalogue, networks));
    let costs = cost.of_all(catalogue);
    let sums: Vec<f64> = networks.iter().map(|network| sum(network, &costs)).collect();
    let columns = Columns::new(catalogue, networks, &costs, &sums);
    let table = Table::new(&columns, catalogue, costs);
    let mut scales = vec![0.0; columns.len()];
    for (group, range) in columns.groups() {
        let deviation = if taught {
            believed_where_taught(group)
        } else {
            group.believed()
        };
        scales[range].fill(deviation);
    }
    let rows: Vec<Vec<f64>> = networks
        .iter()
        .zip(&sums)
        .map(|(network, sum)| columns.row(network, *sum, &table, catalogue))
        .collect();
    let scaled = Mat::from_fn(rows.len(), columns.len(), |i, j| rows[i][j] * scales[j]);
    &scaled * scaled.transpose()
}

/// What is left of a covariance once a network is measured.
fn condition(covariance: &mut Mat<f64>, at: usize, noise: f64) {
    let count = covariance.nrows();
    let column: Vec<f64> = (0..count).map(|i| covariance[(i, at)]).collect();
    let variance = column[at] + noise;
    for j in 0..count {
        let share = column[j] / variance;
        for i in 0..count {
            covariance[(i, j)] -= column[i] * share;
        }
    }
}

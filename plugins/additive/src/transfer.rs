//! What fits on other targets teach: an operator costs beforehand what it takes there. Devices of one space differ in how fast they
//! are, and less in how much longer one operator takes than another.

use lglp_sdk::plugin::PluginError;

use crate::columns::{Group, median};
use crate::cost::{Cost, Generic};
use crate::fit::{Data, Known, fit, left_out_error};
use crate::model::Model;
use crate::nnls::nnls;
use crate::operator::sum;

/// The share of a prior cost that is taught; the rest is what any device would have it cost.
const TAUGHT: f64 = 0.85;

/// How many measurements the belief counts as that all sources are alike.
const ALIKE: f64 = 1.0;

/// Rows from which on sources are judged by the rows that are left out.
const JUDGED: usize = 5;

/// Standard deviations of coefficients that are believed in where prior costs are taught.
const BELIEVED: [(Group, f64); 6] = [
    (Group::Constant, 0.05),
    (Group::Terms, 0.1),
    (Group::Kind, 0.15),
    (Group::Long, 0.15),
    (Group::CategoryLong, 0.08),
    (Group::CategoryMid, 0.04),
];

/// The standard deviation of a group's coefficients that is believed in where prior costs are taught.
pub(crate) fn believed_where_taught(group: Group) -> f64 {
    let own = BELIEVED.iter().find(|(other, _)| *other == group);
    own.map_or(group.believed(), |(_, deviation)| *deviation)
}

/// Fits, beginning with those sources that make rows which are left out more certain.
///
/// # Errors
/// As [`fit`].
pub(crate) fn fit_from(
    data: &Data<'_>,
    sources: &[Model],
    report: &dyn Fn(u64, u64) -> Result<(), PluginError>,
) -> Result<Model, PluginError> {
    let fits = sources.len() as u64 + 2;
    let fitted = |at: u64, sources: &[&Model]| {
        report(at, fits)?;
        let mut data = data.clone();
        let known = taught(&mut data, sources).unwrap_or_default();
        // What is cancelled is cancelled within each fit, too.
        fit(data, known, &|_, _| report(at, fits))
    };
    if data.targets.len() < JUDGED {
        return fitted(0, &sources.iter().collect::<Vec<_>>());
    }
    let (mut best, mut helpful) = (fitted(0, &[])?, Vec::new());
    let without = left_out_error(&best, data.targets);
    let mut least = without;
    for (source, at) in sources.iter().zip(1..) {
        let model = fitted(at, &[source])?;
        let error = left_out_error(&model, data.targets);
        if error < without {
            helpful.push(source);
        }
        if error < least {
            (best, least) = (model, error);
        }
    }
    if helpful.len() > 1 {
        let model = fitted(fits - 1, &helpful)?;
        if left_out_error(&model, data.targets) < least {
            best = model;
        }
    }
    Ok(best)
}

/// Prior costs by which sources explain what was measured, each with a share that is not negative; adds the operators of the sources
/// to the catalogue. `None` where no source does.
fn taught(data: &mut Data<'_>, sources: &[&Model]) -> Option<Known> {
    let generic = Generic::of(&data.catalogue, data.networks);
    for source in sources {
        source.table().for_each(|(operator, _)| {
            data.catalogue.number(*operator);
        });
    }
    let Data {
        catalogue,
        networks,
        targets,
    } = data;
    // Costs of the catalogue's operators, by which the networks take what was measured in the median.
    let in_the_median = |costs: Vec<f64>| {
        let ratios: Vec<f64> = networks
            .iter()
            .zip(*targets)
            .map(|(network, y)| y / sum(network, &costs))
            .collect();
        let scale = median(&ratios);
        scale
            .is_finite()
            .then(|| costs.iter().map(|cost| scale * cost).collect::<Vec<f64>>())
    };
    let operators = &catalogue.operators;
    let plain = in_the_median(operators.iter().map(|o| generic.of_operator(o)).collect())?;
    let mut costs: Vec<Vec<f64>> = Vec::new();
    for source in sources {
        let Some(own) = in_the_median(operators.iter().map(|o| source.time_of(o).max(0.0)).collect()) else {
            continue;
        };
        let mixed = own.iter().zip(&plain);
        costs.push(
            mixed
                .map(|(own, plain)| TAUGHT * own + (1.0 - TAUGHT) * plain)
                .collect(),
        );
    }
    let explained = networks.iter().zip(*targets);
    let mut rows: Vec<Vec<f64>> = explained
        .map(|(network, y)| costs.iter().map(|costs| sum(network, costs) / y).collect())
        .collect();
    let mut wanted = vec![1.0; rows.len()];
    for at in 0..costs.len() {
        let mut row = vec![0.0; costs.len()];
        row[at] = ALIKE.sqrt();
        rows.push(row);
        wanted.push(ALIKE.sqrt() / costs.len() as f64);
    }
    let shares = nnls(&rows, &wanted, 0.0);
    if !shares.iter().any(|share| *share > 0.0) {
        return None;
    }
    let together = |at: usize| costs.iter().zip(&shares).map(|(costs, share)| share * costs[at]).sum();
    let costs = (0..operators.len()).map(together).collect();
    let variances = BELIEVED.map(|(group, deviation)| (Some(group), 2.0 * deviation.ln()));
    Some(Known {
        cost: Some(Cost::taught(generic, catalogue, costs)),
        variances: variances.into(),
    })
}

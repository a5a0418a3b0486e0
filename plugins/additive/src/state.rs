//! Saved models: JSON, with the table of microseconds by operator.

use std::ops::RangeInclusive;

use faer::Mat;
use lglp_sdk::plugin::{PluginError, work};
use serde::{Deserialize, Serialize};

use crate::columns::Columns;
use crate::cost::Cost;
use crate::fit::FREEDOMS;
use crate::model::Model;
use crate::operator::{Catalogue, Operator};
use crate::parts::Parts;
use crate::size::Size;

/// Version of the format.
pub(crate) const VERSION: u32 = 1;

/// Operators at most, which loading works out the times of.
const MOST_OPERATORS: usize = 20_000;

/// Columns at most.
const MOST_COLUMNS: usize = 2_000;

/// Operators times columns at most: what a loaded model keeps, 8 bytes for each.
const MOST_ENTRIES: usize = 8 << 20;

/// Operators of a network at most, none of which is in the table.
const MOST_OF_A_ROW: u64 = 256;

/// Milliseconds that are believed in.
const BELIEVABLE: RangeInclusive<f64> = 1e-9..=1e9;

const FORMAT: &str = "lglp additive model";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    format: String,
    /// What operators take: for people, and to check what follows from the coefficients.
    operators: Vec<Row>,
    degrees_of_freedom: f64,
    size: Size,
    cost: Cost,
    columns: Columns,
    log_variances: Vec<f64>,
    /// The variance of the error of networks of no search space, over that of those of one.
    #[serde(default = "alike")]
    network_noise: f64,
    first: Vec<f64>,
    second: Vec<f64>,
    /// Rows of the lower triangle of `R`, with `R' R` the covariance of `second`.
    covariance_root: Vec<Vec<f32>>,
}

/// Models of before knew of no networks but those of a search space.
fn alike() -> f64 {
    1.0
}

/// An operator and what it takes.
#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(flatten)]
    operator: Operator,
    /// Microseconds, predicted.
    us: f64,
    /// Microseconds, before anything was learned but the speed of the device.
    prior_us: f64,
}

/// Writes a model.
///
/// # Errors
/// `Failed` where a number has no JSON.
pub(crate) fn save(model: &Model) -> Result<Vec<u8>, PluginError> {
    let parts = &model.parts;
    let state = State {
        format: FORMAT.into(),
        operators: model
            .table()
            .map(|(operator, times)| Row {
                operator: *operator,
                us: 1e3 * times.second,
                prior_us: 1e3 * times.prior,
            })
            .collect(),
        degrees_of_freedom: parts.freedom,
        size: parts.size,
        cost: parts.cost.clone(),
        columns: parts.columns.clone(),
        log_variances: parts.variances.clone(),
        network_noise: parts.network_noise,
        first: parts.first.clone(),
        second: parts.second.clone(),
        covariance_root: (0..parts.root.nrows())
            .map(|i| (0..=i).map(|j| parts.root[(i, j)] as f32).collect())
            .collect(),
    };
    serde_json::to_vec(&state).map_err(PluginError::failed)
}

/// Reads a model, checking each part.
///
/// # Errors
/// `UnsupportedState`, saying what is not as it must be.
pub(crate) fn load(version: u32, bytes: &[u8]) -> Result<Model, PluginError> {
    let refuse = |why: String| Err(PluginError::UnsupportedState(why));
    if version != VERSION {
        return refuse(format!("version {version}; this plugin reads {VERSION}"));
    }
    let state: State = serde_json::from_slice(bytes).map_err(|e| PluginError::UnsupportedState(e.to_string()))?;
    if state.format != FORMAT {
        return refuse("it is no additive model".into());
    }
    let operators: Vec<Operator> = state.operators.iter().map(|row| row.operator).collect();
    let count = operators.len();
    if count == 0 || count > MOST_OPERATORS {
        return refuse(format!("{count} operators; 1 to {MOST_OPERATORS} are allowed"));
    }
    let whole = state.columns.is_whole(count) && state.cost.is_whole(count);
    let (groups, columns) = (state.columns.groups().len(), state.columns.len());
    let finite =
        |values: &[f64], count: usize| values.len() == count && values.iter().all(|x| x.is_finite() && x.abs() < 1e9);
    let fits = whole
        && columns <= MOST_COLUMNS
        && count * columns <= MOST_ENTRIES
        && FREEDOMS.contains(&state.degrees_of_freedom)
        && finite(&state.log_variances, groups + 1)
        && state.log_variances.iter().all(|x| x.abs() < 50.0)
        && finite(&state.first, columns)
        && finite(&state.second, columns)
        && state.covariance_root.len() == columns
        && state
            .covariance_root
            .iter()
            .enumerate()
            .all(|(at, row)| row.len() == at + 1 && row.iter().all(|x| x.is_finite()))
        && (1.0..1e9).contains(&state.network_noise)
        && BELIEVABLE.contains(&state.size.median)
        && (-1.0..=0.0).contains(&state.size.slope);
    if !fits {
        return refuse("its parts do not belong together".into());
    }
    let root = Mat::from_fn(columns, columns, |i, j| {
        if j <= i {
            f64::from(state.covariance_root[i][j])
        } else {
            0.0
        }
    });
    work::check(work_of_a_row(&state.columns), "bases of operators")?;
    let parts = Parts {
        catalogue: Catalogue::of(operators),
        columns: state.columns,
        cost: state.cost,
        size: state.size,
        freedom: state.degrees_of_freedom,
        variances: state.log_variances,
        network_noise: state.network_noise,
        first: state.first,
        second: state.second,
        root,
    };
    let model = Model::new(parts, Vec::new());
    if !model.is_finite() {
        return refuse("an operator would take no number of milliseconds".into());
    }
    Ok(model)
}

/// Steps that a row takes at most: each of its operators that is in no table solves the factors of the bases, and all columns are
/// multiplied with a triangle.
fn work_of_a_row(columns: &Columns) -> u64 {
    let width = columns.len() as u64;
    MOST_OF_A_ROW * columns.work_of_an_operator() + width * width / 2 / work::MULTIPLY_ADDS
}

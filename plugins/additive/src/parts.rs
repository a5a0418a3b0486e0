//! What a model consists of.

use faer::Mat;

use crate::columns::Columns;
use crate::cost::Cost;
use crate::operator::Catalogue;
use crate::size::Size;

/// What a fit finds, and a saved model has.
pub(crate) struct Parts {
    pub catalogue: Catalogue,
    pub columns: Columns,
    pub cost: Cost,
    pub size: Size,
    /// Degrees of freedom of the errors.
    pub freedom: f64,
    /// Logarithms of the variances of the second stage, the noise's last.
    pub variances: Vec<f64>,
    /// The variance of the error of networks of no search space, over that of those of one.
    pub network_noise: f64,
    /// Coefficients of the first stage.
    pub first: Vec<f64>,
    /// Coefficients of the second stage.
    pub second: Vec<f64>,
    /// `R`, lower triangular, with `R' R` the covariance of the second stage's coefficients.
    pub root: Mat<f64>,
}

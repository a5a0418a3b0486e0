//! The classical regressors of the paper's Table 1, agreeing with scikit-learn 1.9, whose defaults are the defaults here:
//! the paper gives no hyperparameters for them.
//!
//! | name | scikit-learn | by |
//! | --- | --- | --- |
//! | `linear` | `LinearRegression` | thin SVD (faer), minimum norm: one-hot columns are dependent |
//! | `bayesian-ridge` | `BayesianRidge` | the same SVD, evidence updates |
//! | `elastic-net` | `ElasticNet` | coordinate descent |
//! | `svr` | `SVR` | LIBSVM (libsvm-rs) |
//! | `gbdt` | `GradientBoostingRegressor` | exact regression trees |
//!
//! None of them stops early, so none looks at the validation part.

mod bayesian_ridge;
mod design;
mod elastic_net;
mod gbdt;
mod least_squares;
mod linear_model;
mod state;
mod svr;
mod tree;

lglp_sdk::export_plugin! {
    summary: "The classical regressors of the paper's Table 1, as scikit-learn has them",
    regressors: [
        linear_model::Linear<least_squares::LeastSquares>,
        linear_model::Linear<bayesian_ridge::BayesianRidge>,
        linear_model::Linear<elastic_net::ElasticNet>,
        svr::Svr,
        gbdt::Gbdt,
    ],
}

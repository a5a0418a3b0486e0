//! Regressor `lightgbm`: gradient boosted trees (Ke et al., 2017) by LightGBM 4.7.
//!
//! Fitted state is LightGBM's own model text, which its Python package reads as well.

mod booster;
mod ffi;
mod regressor;

lglp_sdk::export_plugin! {
    summary: "Gradient boosted trees by LightGBM",
    regressors: [regressor::LightGbm],
}

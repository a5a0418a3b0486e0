//! Regressor `lightgbm`: gradient boosted trees (Ke et al., 2017) by LightGBM 4.7.
//!
//! LightGBM trains. Fitted state is its own model text, which its Python package reads as well; here [`lglp_forest`] alone reads
//! it, and predicts what LightGBM would: LightGBM's reader trusts its text, and a text may come from anybody.

mod booster;
mod ffi;
mod regressor;

lglp_sdk::export_plugin! {
    summary: "Gradient boosted trees by LightGBM",
    regressors: [regressor::LightGbm],
}

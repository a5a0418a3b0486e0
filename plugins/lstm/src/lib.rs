//! Feature extractor and regressor `lstm`: a recurrent network reads the layers of an architecture one by one (the paper's
//! section 6). The extractor gives what the network's head is fed with; the regressor uses the head.

mod components;
mod model;
mod parameters;
mod saved;
mod state;
mod training;

lglp_sdk::export_plugin! {
    summary: "An LSTM over the layers of an architecture, by libtorch",
    extractors: [components::Extractor],
    regressors: [components::Predictor],
}

/// An error of libtorch as an error of this plugin.
fn torch(error: tch::TchError) -> lglp_sdk::plugin::PluginError {
    lglp_sdk::plugin::PluginError::failed(error)
}

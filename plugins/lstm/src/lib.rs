//! Feature extractor and regressor `lstm`: a recurrent network reads the layers of an architecture one by one (the paper's
//! section 6). The extractor gives what the network's head is fed with; the regressor uses the head. The plugin's helper trains, by
//! libtorch; fitted networks need none of it.

mod components;
mod fitted;
mod training;
mod wire;

lglp_sdk::export_plugin! {
    summary: "An LSTM over the layers of an architecture, trained by libtorch",
    extractors: [components::Extractor],
    regressors: [components::Predictor],
}

pub mod measure;
pub mod networks;
pub mod plugins;
pub mod predictor;
pub mod train;

//! What predicts, measures and trains: the plugin host, networks, models, the paired protocol, and what is made of them.
//!
//! It knows no HTTP and no command line. ARCHITECTURE.md is the map.

pub mod clean;
pub mod datasets;
pub mod host;
pub mod measure;
pub mod networks;
pub mod onboard;
pub mod plots;
pub mod predictor;
pub mod priority;
pub mod reproduce;
pub mod search;
pub mod spaces;
pub mod text;
pub mod train;
pub mod validate;

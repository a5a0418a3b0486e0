//! Regression forests from LightGBM's model text.
//!
//! LightGBM's own reader trusts its text: counts, children and sizes that do not fit end the process, or let it run for ever.
//! Model texts come from outside, in bundles and over REST, so that this crate reads them instead, believes nothing, and
//! predicts bit by bit what LightGBM predicts.
//!
//! | module | does |
//! | --- | --- |
//! | `lines` | hands out lines and numbers of a text, and says where one is wrong |
//! | `reader` | knows the format: header, trees, the end |
//! | `tree` | holds one tree as the text gives it, and checks that it is a tree |
//! | `threshold` | turns LightGBM's thresholds into `f32`s that decide alike |
//! | `forest` | lays trees out for prediction, and predicts |

mod error;
mod forest;
mod lines;
mod reader;
mod threshold;
mod tree;

pub use error::FormatError;
pub use forest::Forest;
pub use reader::{MAX_FOREST_LEAVES, MAX_LEAVES, MAX_TEXT, MAX_TREES};

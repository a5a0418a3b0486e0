//! LSTM networks with a linear head (the paper's section 6): what they are made of, how a fitted one is written and read, and
//! what it makes of an input. Training needs libtorch, and is not here: its parameters are. To serve a fitted network nothing else
//! is needed.

mod forward;
mod gates;
mod lines;
mod panels;
mod parameters;
mod saved;
mod shape;

pub use forward::Lstm;
pub use parameters::{LabelScaling, Parameters};
pub use saved::{Saved, VERSION};
pub use shape::{Connection, Network};

//! Attacks that the server once fell to, each told where it is repeated.

mod bodies;
mod fairness;
mod hanging_plugins;
mod shutdown;

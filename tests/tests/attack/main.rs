//! Attacks that once succeeded, each through the public surface, and what stands against them.

mod contract_edges;
mod echoes;
mod slow_clients;
mod slow_readers;

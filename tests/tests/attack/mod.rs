//! Attacks on the real program over its public surface, one file for each thing that is attacked. Each test opens with the
//! story of its attack.

mod batches;
mod bodies;
mod contract_edges;
mod costly_state;
mod echoes;
mod fairness;
mod fitted_state;
mod foreign_leases;
mod full_disk;
mod hanging_plugins;
mod heaps;
mod job_queue;
mod labels;
mod onboarding_scope;
mod plans;
mod plugins_at_start;
mod programs;
mod registrations;
mod sent_networks;
mod servers_of_workers;
mod settings;
mod shares;
mod shutdown;
mod slow_clients;
mod slow_readers;
mod staff;

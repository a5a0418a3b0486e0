//! Attacks on the real program over its public surface, one file for each thing that is attacked. Each test opens with the
//! story of its attack.

mod fitted_state;
mod job_queue;
mod labels;
mod plugins_at_start;
mod programs;
mod registrations;
mod staff;

//! Attacks, one file for each thing that is attacked. Each test opens with the story of its attack.

mod job_queue;
mod programs;
mod registrations;
mod staff;

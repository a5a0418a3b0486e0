//! Attacks on a running server, on its files and on its start: one file for each thing that is attacked.

mod labels;
mod plugins_at_start;

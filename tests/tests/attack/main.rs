//! Attacks on the real server over its public surface: what is sent, and what must still stand afterwards.

mod fitted_state;

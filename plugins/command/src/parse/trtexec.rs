//! `trtexec --exportTimes`: `computeMs` is the time between two CUDA events around the network, without transfers.

use lglp_sdk::plugin::Sample;
use lglp_sdk::trtexec;

use super::Said;

pub(super) fn read(said: &Said) -> Result<Vec<Sample>, String> {
    trtexec::samples(said.file()?, &said.printed, |run| run.compute_ms)
}

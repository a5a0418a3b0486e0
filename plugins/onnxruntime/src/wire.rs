//! What the plugin asks its helper, and what the helper answers: one line of JSON each.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the helper is to do; the argument that it is started with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// Answers the [`Pages`] that memory comes in where these are asked for.
    Pages { pages: Pages },
    /// Reads so many bytes of ONNX from its input, and answers null when the network is ready to run; then [`Run`]s for each line
    /// with a number of them, until its input ends.
    Serve {
        library: PathBuf,
        threads: usize,
        pages: Pages,
        bytes: u64,
    },
}

/// The size of the pages of a network's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pages {
    /// 2 MiB, where the system has them.
    #[default]
    Huge,
    /// As the system gives them by itself.
    System,
}

/// A timed run, nanoseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub wall_ns: u64,
    /// Of the running thread, which does all of the work where the threads are one.
    pub cpu_ns: u64,
}

//! Who has a registry open.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The process that has a registry open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// Where it serves the registry, as a URL, if it does.
    pub address: Option<String>,
    /// What it is.
    pub command: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} ({})", self.pid, self.command)?;
        self.address
            .as_ref()
            .map_or(Ok(()), |address| write!(f, " at {address}"))
    }
}

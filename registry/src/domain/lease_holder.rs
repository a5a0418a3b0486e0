//! Who works on a job.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result, WorkerName};

/// What the process is called that has the registry open, where it works on jobs itself.
const SERVER: &str = "server";

/// Who holds a lease. Its JSON is text: `server`, or a worker's `NAME@INSTANCE`; its `NAME` alone to those who may not speak for it, which reads
/// as the server's where a worker is called `server`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum LeaseHolder {
    /// The process that has the registry open.
    Server,
    /// A worker.
    Worker {
        /// Its name.
        name: WorkerName,
        /// Its process; none where that is not told.
        instance: Option<String>,
    },
}

impl LeaseHolder {
    /// The same as everybody may know it.
    #[must_use]
    pub fn without_instance(self) -> Self {
        match self {
            Self::Server => Self::Server,
            Self::Worker { name, .. } => Self::Worker { name, instance: None },
        }
    }
}

impl fmt::Display for LeaseHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => f.write_str(SERVER),
            Self::Worker { name, instance: None } => write!(f, "{name}"),
            Self::Worker {
                name,
                instance: Some(instance),
            } => write!(f, "{name}@{instance}"),
        }
    }
}

impl FromStr for LeaseHolder {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == SERVER {
            return Ok(Self::Server);
        }
        let (name, instance) = text
            .split_once('@')
            .map_or((text, None), |(name, rest)| (name, Some(rest)));
        Ok(Self::Worker {
            name: name.parse()?,
            instance: instance.map(str::to_owned),
        })
    }
}

impl TryFrom<String> for LeaseHolder {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<LeaseHolder> for String {
    fn from(holder: LeaseHolder) -> Self {
        holder.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_text_is_read_back() {
        for text in ["server", "abacus", "abacus@0123456789abcdef", "server@0123456789abcdef"] {
            assert_eq!(text.parse::<LeaseHolder>().unwrap().to_string(), text);
        }
        let told: LeaseHolder = "abacus@0123456789abcdef".parse().unwrap();
        assert_eq!(told.without_instance().to_string(), "abacus");
        assert!("@0123".parse::<LeaseHolder>().is_err());
    }
}

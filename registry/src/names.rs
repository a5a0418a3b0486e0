//! Names: what may stand in a path of the REST API and in a key of the store.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::quoted;
use crate::{Error, Result};

/// Checks `^[a-z0-9][a-z0-9._-]{0,62}$`, the rule for the names of hardware targets and search spaces.
pub(crate) fn check(field: &str, name: &str) -> Result<()> {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    let first = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if first && name.len() <= 63 && name.bytes().all(allowed) {
        Ok(())
    } else {
        let rule = "expected 1 to 63 of a-z 0-9 . _ -, the first a letter or digit";
        Err(Error::invalid(field, format!("{rule}; got {}", quoted(name))))
    }
}

/// Words that stand where a hardware target's name stands in paths (`/v1/plugins`, `/v1/{hardware}/models`).
const RESERVED: [&str; 11] = [
    "audit", "blobs", "events", "hardware", "jobs", "plugins", "registry", "spaces", "tokens", "webhooks", "workers",
];

fn check_hardware(field: &str, name: &str) -> Result<()> {
    check(field, name)?;
    if RESERVED.contains(&name) {
        let reserved = RESERVED.join(", ");
        return Err(Error::invalid(
            field,
            format!("{} is reserved, as are {reserved}", quoted(name)),
        ));
    }
    Ok(())
}

fn check_alias(field: &str, name: &str) -> Result<()> {
    check(field, name)?;
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(Error::invalid(
            field,
            format!("an alias starts with a letter, got {}", quoted(name)),
        ));
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $field:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(name: String) -> Result<Self> {
                $check($field, &name)?;
                Ok(Self(name))
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(name: &str) -> Result<Self> {
                name.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The name of a hardware target: `^[a-z0-9][a-z0-9._-]{0,62}$`, but none of the words that paths begin with.
    HardwareName, "hardware", check_hardware
}

name! {
    /// The name of an alias: `^[a-z][a-z0-9._-]{0,62}$`. It starts with a letter, so that it is never taken for a
    /// version number.
    AliasName, "alias", check_alias
}

name! {
    /// The name of a worker: `^[a-z0-9][a-z0-9._-]{0,62}$`.
    WorkerName, "worker", check
}

name! {
    /// The name of a webhook: `^[a-z0-9][a-z0-9._-]{0,62}$`.
    WebhookId, "id", check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_key() {
        for good in ["a", "0", "jetson-nano.fp16_1", &"x".repeat(63)] {
            assert!(good.parse::<HardwareName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "-a",
            "A",
            "a/b",
            "a b",
            "ä",
            "a\n",
            "plugins",
            &"x".repeat(64),
        ] {
            assert!(bad.parse::<HardwareName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_alias_is_never_a_version_number() {
        assert!("production".parse::<AliasName>().is_ok());
        assert!("3".parse::<AliasName>().is_err());
    }
}

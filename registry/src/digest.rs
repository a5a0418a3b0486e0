//! [`Digest`]: the SHA-256 of some bytes, as text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::quoted;
use crate::{Error, Result};

const PREFIX: &str = "sha256:";

/// The SHA-256 of some bytes, written `sha256:` and 64 lowercase hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_hash(&Sha256::digest(bytes))
    }

    /// The digest with these 32 bytes.
    pub(crate) fn from_hash(hash: &[u8]) -> Self {
        use fmt::Write as _;
        let mut text = String::with_capacity(PREFIX.len() + 64);
        text.push_str(PREFIX);
        for byte in hash {
            write!(text, "{byte:02x}").expect("writing to a string succeeds");
        }
        Self(text)
    }

    /// The digest that stands where there is nothing to name: before the first audit entry.
    pub fn zero() -> Self {
        Self(format!("{PREFIX}{}", "0".repeat(64)))
    }

    /// Every digest that is written in a text, in order.
    pub(crate) fn all_in(text: &[u8]) -> impl Iterator<Item = Self> {
        let prefix = PREFIX.as_bytes();
        let places = text.windows(prefix.len()).enumerate();
        let places = places.filter_map(move |(at, window)| (window == prefix).then_some(at + prefix.len()));
        places.filter_map(|at| {
            let hex = text.get(at..at + 64)?;
            Self::from_hex(std::str::from_utf8(hex).ok()?).ok()
        })
    }

    /// The whole text, `sha256:...`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 64 hex digits alone.
    pub fn hex(&self) -> &str {
        &self.0[PREFIX.len()..]
    }

    /// A digest from its 64 hex digits.
    ///
    /// # Errors
    /// [`Error::Invalid`] for anything but 64 lowercase hex digits.
    pub fn from_hex(hex: &str) -> Result<Self> {
        if hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(format!("{PREFIX}{hex}")))
        } else {
            Err(Error::invalid(
                "digest",
                format!("expected 64 lowercase hex digits, got {}", quoted(hex)),
            ))
        }
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let hex = text.strip_prefix(PREFIX);
        hex.map_or_else(
            || {
                Err(Error::invalid(
                    "digest",
                    format!("expected {PREFIX}..., got {}", quoted(text)),
                ))
            },
            Self::from_hex,
        )
    }
}

impl TryFrom<String> for Digest {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_input_has_its_well_known_digest() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").as_str(), format!("sha256:{hex}"));
        assert_eq!(Digest::of(b"").hex(), hex);
    }

    #[test]
    fn digests_are_found_in_text() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let text = format!(
            "sha256:x {{\"artifacts\":\"{a}\",\"log\":\"{b}\"}} sha256:{}",
            &a.hex()[..63]
        );
        assert_eq!(Digest::all_in(text.as_bytes()).collect::<Vec<_>>(), [a, b]);
    }

    #[test]
    fn only_the_canonical_form_is_read() {
        let good = Digest::of(b"x").to_string();
        assert_eq!(good.parse::<Digest>().unwrap().to_string(), good);
        for bad in [
            "",
            "sha256:",
            &good[7..],
            &good.to_uppercase(),
            &format!("{good}0"),
            "sha256:../../etc/passwd",
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
            assert!(serde_json::from_value::<Digest>(bad.into()).is_err(), "{bad}");
        }
    }
}

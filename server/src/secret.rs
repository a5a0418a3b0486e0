//! Secrets of tokens: how they are drawn, written, and recognised.
//!
//! A token travels as `lglp_<id>_<secret>`: by the prefix, scanners for leaked secrets recognise it; by the id, its record is
//! found; the secret is 256 random bits in hex. The registry keeps the SHA-256 of the secret. A slow hash, as passwords need
//! one, would hinder whoever reads the registry in guessing: 256 random bits are not guessed at any speed, and every
//! request would pay for it.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use lglp_registry::{Digest, TokenId};
use rand::TryRngCore;
use rand::rngs::OsRng;
use subtle::ConstantTimeEq;

/// Hex digits of a secret.
const SECRET_DIGITS: usize = 64;

/// A token with its secret, as its holder has it. It has no `Debug`, so that it gets into no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Bearer {
    /// Finds its record; no secret.
    pub id: TokenId,
    secret: String,
}

/// What a text that is no token is called. The text itself may be a secret, and is left out.
#[derive(Debug, thiserror::Error)]
#[error("it does not have the form lglp_<12 hex digits>_<64 hex digits>")]
pub struct Malformed;

impl Bearer {
    /// A new one, from the system's random numbers.
    ///
    /// # Errors
    /// Where the system has none.
    pub fn draw() -> Result<Self, rand::rand_core::OsError> {
        let mut bytes = [0; 6 + SECRET_DIGITS / 2];
        OsRng.try_fill_bytes(&mut bytes)?;
        let (id, secret) = bytes.split_at(6);
        Ok(Self {
            id: hex(id).parse().expect("six bytes are twelve hex digits"),
            secret: hex(secret),
        })
    }

    /// What the registry keeps of the secret.
    pub fn hash(&self) -> Digest {
        Digest::of(self.secret.as_bytes())
    }

    /// Whether this is the secret that was hashed, found out in a time that does not tell how much of it was right.
    pub fn has(&self, hash: &Digest) -> bool {
        self.hash().as_str().as_bytes().ct_eq(hash.as_str().as_bytes()).into()
    }
}

impl fmt::Display for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lglp_{}_{}", self.id, self.secret)
    }
}

impl FromStr for Bearer {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (id, secret) = text
            .strip_prefix("lglp_")
            .and_then(|rest| rest.split_once('_'))
            .ok_or(Malformed)?;
        let hexadecimal = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if secret.len() != SECRET_DIGITS || !hexadecimal(secret) {
            return Err(Malformed);
        }
        Ok(Self {
            id: id.parse().map_err(|_| Malformed)?,
            secret: secret.to_owned(),
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_known_by_its_hash() {
        let (one, other) = (Bearer::draw().unwrap(), Bearer::draw().unwrap());
        let text = one.to_string();
        assert_eq!(text.len(), "lglp_".len() + 12 + 1 + 64);
        let read: Bearer = text.parse().unwrap_or_else(|_| panic!("{text}"));
        assert!(read == one && read.has(&one.hash()));
        assert!(!other.has(&one.hash()) && other != one);
    }

    #[test]
    fn what_is_no_token_is_not_read() {
        let good = Bearer::draw().unwrap().to_string();
        for bad in [
            "",
            "lglp_",
            "lglp__",
            &good[1..],
            &good[..good.len() - 1],
            &format!("{good}0"),
            &good.to_uppercase(),
            &good.replacen('_', "-", 1),
        ] {
            assert!(bad.parse::<Bearer>().is_err(), "{bad}");
        }
    }
}

//! Tokens: who may call the server, and what for.
//!
//! The registry keeps the SHA-256 of a token's secret and never the secret. It is kept beside the token, not in it, so that
//! it cannot get into the audit log, an event or an answer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::limits;
use crate::error::quoted;
use crate::{Digest, Error, HardwareName, Result, names};

/// The public part of a token, by which it is found: 12 lowercase hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenId(String);

impl TokenId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TokenId {
    type Error = Error;

    fn try_from(id: String) -> Result<Self> {
        if id.len() == 12 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(id))
        } else {
            Err(Error::invalid(
                "id",
                format!("a token's id is 12 lowercase hex digits, not {id:?}"),
            ))
        }
    }
}

impl FromStr for TokenId {
    type Err = Error;

    fn from_str(id: &str) -> Result<Self> {
        id.to_owned().try_into()
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a token may do. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads and predicts.
    Viewer,
    /// Measures for the server, on a machine of its own.
    Worker,
    /// Records measurements, creates versions, moves aliases.
    Operator,
    /// Creates and revokes tokens, and whatever else concerns the server as a whole.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Worker, Self::Operator, Self::Admin];

    /// The role's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Worker => "worker",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name).ok_or_else(|| {
            let roles = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid("role", format!("{} is no role; the roles are {roles}", quoted(name)))
        })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A token that is to be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewToken {
    /// Its id, drawn at random.
    pub id: TokenId,
    /// Whose it is: the name that audit entries give. No two active tokens have the same.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The hardware targets that it is confined to; none confine it to nothing.
    #[serde(default)]
    pub hardware: Vec<HardwareName>,
}

impl NewToken {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid), naming the field.
    pub fn check(&self) -> Result<()> {
        names::check("name", &self.name)?;
        limits::document("hardware", &self.hardware, limits::DOCUMENT)
    }
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Token {
    /// By which it is found and revoked.
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "3f9a17c20b64", pattern = "^[0-9a-f]{12}$"))]
    pub id: TokenId,
    /// Whose it is: the name that audit entries give.
    #[cfg_attr(feature = "schema", schema(example = "ci"))]
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// The hardware targets that it is confined to; none confine it to nothing.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
    pub hardware: Vec<HardwareName>,
    /// When it was created; RFC 3339, UTC.
    pub created_at: String,
    /// Who created it, as the audit log names them.
    pub created_by: String,
    /// Null as long as it can be used.
    pub revoked_at: Option<String>,
    /// Who revoked it, as the audit log names them; null as long as it can be used.
    pub revoked_by: Option<String>,
}

impl Token {
    /// Whether it may still be used.
    pub fn is_active(&self) -> bool {
        self.revoked_at.is_none()
    }
}

/// A token and the SHA-256 of its secret: what a caller is recognised by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// The token.
    pub token: Token,
    /// The SHA-256 of the secret.
    pub secret: Digest,
}

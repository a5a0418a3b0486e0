//! Tokens: `/v1/tokens`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a token may do. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// By which it is found and revoked.
    #[schema(example = "3f9a17c20b64", pattern = "^[0-9a-f]{12}$")]
    pub id: String,
    /// Whose it is: the name that audit entries give.
    #[schema(example = "ci")]
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// The hardware targets that it is confined to; none confine it to nothing.
    pub hardware: Vec<String>,
    /// When it was created; RFC 3339, UTC.
    pub created_at: String,
    /// Who created it, as the audit log names them.
    pub created_by: String,
    /// Null as long as it can be used.
    pub revoked_at: Option<String>,
    /// Who revoked it, as the audit log names them; null as long as it can be used.
    pub revoked_by: Option<String>,
}

/// A list of tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TokenList {
    /// Every token, revoked ones included, the latest last.
    pub tokens: Vec<Token>,
}

/// A token that is to be created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// Whose it is; no two active tokens have the same name.
    #[schema(example = "ci", pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// The hardware targets that it shall be confined to; leave it out for all.
    #[serde(default)]
    pub hardware: Vec<String>,
    /// Who creates it, for the audit log; the name of the caller's token where there is one.
    #[serde(default)]
    pub actor: String,
}

/// A new token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    /// The token that was created.
    pub token: Token,
    /// What its holder sends as `Authorization: Bearer ...`. This is the only time it can be told.
    #[schema(example = "lglp_3f9a17c20b64_...")]
    pub secret: String,
}

//! Tokens: `/v1/tokens`.

use lglp_registry::HardwareName;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use lglp_registry::{Role, Token};

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
    #[schema(value_type = Vec<String>)]
    pub hardware: Vec<HardwareName>,
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

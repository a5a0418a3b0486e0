//! Tokens.

use crate::{Credential, Digest, NewToken, Result, Token, TokenId};

/// Who may do what.
pub trait Tokens: Send + Sync {
    /// Every token, revoked ones included, the latest last.
    ///
    /// # Errors
    /// The common ones.
    fn tokens(&self) -> Result<Vec<Token>>;

    /// Revokes a token for good. Revoking it again changes nothing.
    ///
    /// # Errors
    /// `Invalid`; `NotFound`.
    fn revoke_token(&self, id: &TokenId, actor: &str, reason: &str) -> Result<Token>;
}

/// Making tokens and recognising their holders, for the process that admits callers.
pub trait Issuing: Send + Sync {
    /// Creates a token. `secret` is the SHA-256 of its secret, which the registry never sees. Whoever lost the secret
    /// revokes the token and creates another.
    ///
    /// # Errors
    /// `Invalid`; `Conflict` where the id is taken, or the name by a token that is not revoked.
    fn create_token(&self, new: &NewToken, secret: &Digest, actor: &str) -> Result<Token>;

    /// What the holder of a token is recognised by.
    ///
    /// # Errors
    /// `NotFound`.
    fn credential(&self, id: &TokenId) -> Result<Credential>;
}

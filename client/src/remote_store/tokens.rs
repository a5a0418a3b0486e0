//! Tokens: listed and revoked; the server draws secrets itself.

use lglp_registry::{Credential, Digest, Error, NewToken, Result, Token, TokenId};
use serde::Deserialize;
use ureq::http::Method;

use super::{RemoteStore, error};

#[derive(Deserialize)]
struct Tokens {
    tokens: Vec<Token>,
}

impl RemoteStore {
    /// The server draws secrets itself, and answers with them: `POST /v1/tokens`.
    pub(super) fn ask_create_token(&self, _: &NewToken, _: &Digest, _: &str) -> Result<Token> {
        Err(Error::invalid(
            "secret",
            "a server draws the secrets of its tokens itself",
        ))
    }

    pub(super) fn ask_tokens(&self) -> Result<Vec<Token>> {
        let answer: Tokens = self
            .0
            .get("/v1/tokens")
            .map_err(error("list tokens", "list", "tokens"))?;
        Ok(answer.tokens)
    }

    /// The server tells nobody the hash of a secret.
    pub(super) fn ask_credential(&self, _: &TokenId) -> Result<Credential> {
        Err(Error::invalid(
            "id",
            "a server does not tell what tokens are recognised by",
        ))
    }

    /// The server knows who revokes it: whose token the request has.
    pub(super) fn ask_revoke_token(&self, id: &TokenId, _: &str, reason: &str) -> Result<Token> {
        let query = serde_urlencoded::to_string([("reason", reason)]).map_err(|e| Error::Storage {
            doing: "revoke the token",
            source: Box::new(e),
        })?;
        let answer = self
            .0
            .bytes(Method::DELETE, &format!("/v1/tokens/{id}?{query}"), Vec::new())
            .map_err(error("revoke the token", "token", id))?;
        serde_json::from_slice(&answer).map_err(|e| Error::Storage {
            doing: "revoke the token",
            source: Box::new(e),
        })
    }
}

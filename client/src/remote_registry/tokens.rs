//! Tokens: listed and revoked; the server draws secrets itself.

use lglp_openapi::tokens::TokenList;
use lglp_registry::{Error, Result, Token, TokenId, Tokens};
use ureq::http::Method;

use super::{RemoteRegistry, error};

impl Tokens for RemoteRegistry {
    fn tokens(&self) -> Result<Vec<Token>> {
        let answer: TokenList = self.0.get("/v1/tokens").map_err(error("list tokens", "list"))?;
        Ok(answer.tokens)
    }

    /// The server knows who revokes it: whose token the request has.
    fn revoke_token(&self, id: &TokenId, _: &str, reason: &str) -> Result<Token> {
        let query = serde_urlencoded::to_string([("reason", reason)]).map_err(|e| Error::Storage {
            doing: "revoke the token",
            source: Box::new(e),
        })?;
        let answer = self
            .0
            .bytes(Method::DELETE, &format!("/v1/tokens/{id}?{query}"), Vec::new())
            .map_err(error("revoke the token", "token"))?;
        serde_json::from_slice(&answer).map_err(|e| Error::Storage {
            doing: "revoke the token",
            source: Box::new(e),
        })
    }
}

//! Tokens. A record is a [`Credential`]; what is logged and listed is the token alone.

use serde_json::{Value, json};

use super::{SledStore, keys};
use crate::domain::limits;
use crate::{Change, Credential, Digest, Error, Issuing, NewToken, Result, Token, TokenId, Tokens, clock};

impl Tokens for SledStore {
    fn tokens(&self) -> Result<Vec<Token>> {
        let credentials: Vec<Credential> = self.list(keys::TOKEN)?;
        let mut tokens: Vec<Token> = credentials.into_iter().map(|credential| credential.token).collect();
        tokens.sort_by(|a, b| (&a.created_at, &a.id).cmp(&(&b.created_at, &b.id)));
        Ok(tokens)
    }

    fn revoke_token(&self, id: &TokenId, actor: &str, reason: &str) -> Result<Token> {
        limits::text("actor", actor)?;
        limits::short("reason", reason)?;
        let key = keys::token(id);
        self.write(|changes| {
            let credential: Option<Credential> = changes.find(&key)?;
            let Credential { token: before, secret } = credential.ok_or_else(|| Error::not_found("token", id))?;
            if !before.is_active() {
                return Ok(before);
            }
            let token = Token {
                revoked_at: Some(clock::now()),
                revoked_by: Some(actor.to_owned()),
                ..before.clone()
            };
            let change = Change::TokenRevoked {
                token: id.clone(),
                name: token.name.clone(),
            };
            changes.log(change, actor, Some(reason), (json!(before), json!(token)))?;
            let credential = Credential { token, secret };
            changes.put(key, &credential)?;
            Ok(credential.token)
        })
    }
}

impl Issuing for SledStore {
    fn create_token(&self, new: &NewToken, secret: &Digest, actor: &str) -> Result<Token> {
        new.check()?;
        limits::text("actor", actor)?;
        let key = keys::token(&new.id);
        self.write(|changes| {
            if changes.find::<Credential>(&key)?.is_some() {
                return Err(Error::conflict(format!("token {}", new.id), "secret"));
            }
            // Writers take turns, so no other token of this name comes in between.
            if self.tokens()?.iter().any(|t| t.is_active() && t.name == new.name) {
                return Err(Error::conflict(format!("the active token {}", new.name), "secret"));
            }
            let NewToken {
                id,
                name,
                role,
                hardware,
            } = new.clone();
            let token = Token {
                id,
                name,
                role,
                hardware,
                created_at: clock::now(),
                created_by: actor.to_owned(),
                revoked_at: None,
                revoked_by: None,
            };
            let change = Change::TokenCreated {
                token: token.id.clone(),
                name: token.name.clone(),
                role: token.role,
            };
            changes.log(change, actor, None, (Value::Null, json!(token)))?;
            let secret = secret.clone();
            let credential = Credential { token, secret };
            changes.put(key, &credential)?;
            Ok(credential.token)
        })
    }

    fn credential(&self, id: &TokenId) -> Result<Credential> {
        self.find(&keys::token(id))?
            .ok_or_else(|| Error::not_found("token", id))
    }
}

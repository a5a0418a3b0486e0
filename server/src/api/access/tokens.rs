//! The tokens that the server knows, in memory: asking the registry would cost every request a read.
//!
//! One process holds the registry, so what changes tokens goes through here. A change is first durable, then in memory, and only
//! then answered: a revoked token is refused from the next request on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use lglp_openapi::problem::Fault;
use lglp_registry::{Credential, Digest, NewToken, Result, Role, Store, Token, TokenId};

use super::refusal;
use super::rejected::Rejected;
use crate::api::problem::ApiError;
use crate::secret::Bearer;

type Table = HashMap<TokenId, Credential>;

/// See the module.
pub struct Tokens {
    current: ArcSwap<Table>,
    /// Changes take turns, so that none is made on an older table than the one before.
    turn: Mutex<()>,
}

impl Tokens {
    pub fn load(store: &dyn Store) -> Result<Self> {
        let credential = |token: Token| Ok((token.id.clone(), store.credential(&token.id)?));
        let table: Table = store.tokens()?.into_iter().map(credential).collect::<Result<_>>()?;
        Ok(Self {
            current: ArcSwap::from_pointee(table),
            turn: Mutex::new(()),
        })
    }

    /// Whether no token was ever created.
    pub fn is_empty(&self) -> bool {
        self.current.load().is_empty()
    }

    /// Whether some token can be used.
    pub fn any_active(&self) -> bool {
        self.current.load().values().any(|known| known.token.is_active())
    }

    /// Whose bearer this is. That a token was revoked is said only to who has its secret.
    pub(crate) fn recognise(&self, bearer: &Bearer) -> std::result::Result<Token, Rejected> {
        let table = self.current.load();
        let known = table.get(&bearer.id).filter(|known| bearer.has(&known.secret));
        let token = &known.ok_or(Rejected::Unknown)?.token;
        if token.is_active() {
            Ok(token.clone())
        } else {
            Err(Rejected::Revoked)
        }
    }

    /// Creates a token; its holder is to be told the bearer, which nobody can tell again.
    pub fn create(
        &self,
        store: &dyn Store,
        new: &NewToken,
        bearer: &Bearer,
        actor: &str,
    ) -> std::result::Result<Token, ApiError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let table = self.current.load_full();
        // With the first token, access needs tokens: from then on only an admin's could make more.
        let administers_all = new.role == Role::Admin && new.hardware.is_empty();
        if !administers_all && !table.values().any(|known| administers(&known.token)) {
            return Err(ApiError::invalid_request(vec![Fault {
                pointer: "/role".into(),
                detail:
                    "the first token must be that of an admin, for all hardware: nobody could create or revoke tokens \
                         otherwise"
                        .into(),
            }]));
        }
        let secret = bearer.hash();
        let token = store.create_token(new, &secret, actor)?;
        self.replace(&table, token.clone(), secret);
        Ok(token)
    }

    /// Revokes a token, unless nobody could create another then.
    pub fn revoke(
        &self,
        store: &dyn Store,
        id: &TokenId,
        actor: &str,
        reason: &str,
    ) -> std::result::Result<Token, ApiError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let table = self.current.load_full();
        let last = |known: &Credential| {
            administers(&known.token)
                && !table
                    .values()
                    .any(|other| other.token.id != known.token.id && administers(&other.token))
        };
        if table.get(id).is_some_and(last) {
            return Err(refusal::last_admin(id));
        }
        let token = store.revoke_token(id, actor, reason)?;
        if let Some(Credential { secret, .. }) = table.get(id).cloned() {
            self.replace(&table, token.clone(), secret);
        }
        Ok(token)
    }

    fn replace(&self, table: &Table, token: Token, secret: Digest) {
        let mut table = table.clone();
        table.insert(token.id.clone(), Credential { token, secret });
        self.current.store(Arc::new(table));
    }
}

/// Whether a token can create and revoke tokens.
fn administers(token: &Token) -> bool {
    token.is_active() && token.role == Role::Admin && token.hardware.is_empty()
}

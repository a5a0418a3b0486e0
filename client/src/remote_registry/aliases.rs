//! Aliases.

use lglp_openapi::models::{MoveAlias, RollBack};
use lglp_registry::{Alias, AliasMove, AliasName, Aliases, Forecast, HardwareName, Result, Rollback};
use ureq::http::Method;

use super::{RemoteRegistry, error, if_match, keyed};

fn move_body(request: &AliasMove) -> MoveAlias {
    MoveAlias {
        version: request.version,
        reason: request.reason.clone(),
        actor: request.actor.clone(),
        force: request.force,
    }
}

impl Aliases for RemoteRegistry {
    fn move_alias(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Alias> {
        let path = format!("/v1/{hardware}/aliases/{}", request.alias);
        let seen = if_match(&request.expected_generation);
        let headers = keyed(vec![("If-Match", seen.as_str())], request.idempotency_key.as_deref());
        self.0
            .send(Method::PUT, &path, &headers, &move_body(request))
            .map_err(error("move the alias", "version"))
    }

    fn forecast_move(&self, hardware: &HardwareName, request: &AliasMove) -> Result<Forecast> {
        let path = format!("/v1/{hardware}/aliases/{}?dry_run=true", request.alias);
        let seen = if_match(&request.expected_generation);
        self.0
            .send(Method::PUT, &path, &[("If-Match", &seen)], &move_body(request))
            .map_err(error("forecast the move", "version"))
    }

    fn roll_back(&self, hardware: &HardwareName, request: &Rollback) -> Result<Alias> {
        let path = format!("/v1/{hardware}/aliases/{}/rollback", request.alias);
        let seen = request.expected_generation.as_ref().map(if_match);
        let headers = seen.iter().map(|seen| ("If-Match", seen.as_str())).collect();
        let body = RollBack {
            reason: request.reason.clone(),
            actor: request.actor.clone(),
        };
        let headers = keyed(headers, request.idempotency_key.as_deref());
        self.0
            .send(Method::POST, &path, &headers, &body)
            .map_err(error("roll back", "alias"))
    }

    fn alias(&self, hardware: &HardwareName, name: &AliasName) -> Result<Alias> {
        let path = format!("/v1/{hardware}/aliases/{name}");
        self.0.get(&path).map_err(error("read the alias", "alias"))
    }

    fn aliases(&self, hardware: &HardwareName) -> Result<Vec<Alias>> {
        Ok(self.models(hardware)?.aliases)
    }
}

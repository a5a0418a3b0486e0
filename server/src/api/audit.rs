//! `/v1/audit` and `/v1/events`.

use actix_web::http::StatusCode;
use actix_web::web::Json;
use actix_web::{get, web};
use lglp_openapi::events::{AuditEntry, AuditHead, Event};
use lglp_openapi::problem::Slug;
use lglp_openapi::problem::responses::{InvalidQuery, TooManyReads};
use lglp_registry::{AuditFilter, AuditFrom, AuditQuery, Change, Role};
use serde::Deserialize;
use serde_json::Value;

use super::State;
use super::answer::Answer;
use super::caller::Caller;
use super::extract::hardware_name;
use super::heavy::{heavy, heavy_json};
use super::problem::ApiError;
use super::words::Query;

/// Entries of one answer at most, whatever was asked for: longer logs are read in pages. Large entries make smaller pages.
const MOST_ENTRIES: usize = 10_000;

/// A stretch of a log.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Stretch {
    /// Sequence number to start from.
    #[serde(default)]
    from: u64,
    /// Entries at most.
    #[serde(default = "page")]
    limit: usize,
}

fn page() -> usize {
    100
}

/// A stretch of the audit log.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditStretch {
    /// Sequence number to start from; 0 where it is left out.
    from: Option<u64>,
    /// Instead of `from`: the last entries before this sequence number, to page backwards.
    before: Option<u64>,
    /// Entries at most.
    #[serde(default = "page")]
    limit: usize,
    /// Only entries about this hardware target.
    hardware: Option<String>,
    /// Only entries of this kind, as `change.kind` tells it: `alias_moved`, `measurements_recorded`, ...
    kind: Option<String>,
    /// Only what this person or program did.
    actor: Option<String>,
    /// Only entries written at this time or later; RFC 3339.
    since: Option<String>,
    /// Only entries written before this time; RFC 3339.
    until: Option<String>,
}

impl AuditStretch {
    fn query(&self) -> Result<AuditQuery, ApiError> {
        let from = match (self.from, self.before) {
            (from, None) => AuditFrom::Sequence(from.unwrap_or(0)),
            (None, Some(before)) => AuditFrom::Before(before),
            (Some(_), Some(_)) => {
                let (title, detail) = ("The query is not valid", "give `from` or `before`, not both");
                return Err(ApiError::new(
                    StatusCode::BAD_REQUEST,
                    Slug::InvalidQuery,
                    title,
                    detail,
                ));
            }
        };
        let hardware = self.hardware.as_deref().map(hardware_name).transpose()?;
        Ok(AuditQuery {
            from,
            limit: self.limit.min(MOST_ENTRIES),
            filter: AuditFilter {
                hardware,
                kind: self.kind.clone(),
                actor: self.actor.clone(),
                since: self.since.clone(),
                until: self.until.clone(),
            },
        })
    }
}

/// Takes out the records that only admins may list: the addresses of webhooks can be secrets themselves.
fn keep_to_admins(entry: &mut AuditEntry) {
    let only_admins = matches!(
        entry.change,
        Change::WebhookCreated { .. }
            | Change::WebhookDeleted { .. }
            | Change::TokenCreated { .. }
            | Change::TokenRevoked { .. }
    );
    if only_admins {
        (entry.before, entry.after) = (Value::Null, Value::Null);
    }
}

/// The audit log: hash-chained, append-only.
#[utoipa::path(
    tag = "operation",
    security(("token" = ["viewer"])),
    params(AuditStretch),
    responses(
        (status = 200, body = Vec<AuditEntry>, description = "Entries, oldest first"),
        InvalidQuery,
        TooManyReads,
    )
)]
#[get("/v1/audit")]
pub(crate) async fn audit(
    state: web::Data<State>,
    stretch: Query<AuditStretch>,
    caller: Caller,
) -> Result<Answer<Vec<AuditEntry>>, ApiError> {
    let query = stretch.query()?;
    heavy_json(&state, &caller, move |state| {
        let mut entries = state.store.find_audit(&query)?;
        if caller.role < Role::Admin {
            entries.iter_mut().for_each(keep_to_admins);
        }
        Ok::<_, lglp_registry::Error>(entries)
    })
    .await
}

/// Checks the whole chain, and that the records are what it tells, and returns its end.
#[utoipa::path(tag = "operation", security(("token" = ["admin"])), responses((status = 200, body = AuditHead, description = "The end of the chain, which holds"), TooManyReads))]
#[get("/v1/audit/head")]
pub(crate) async fn audit_head(state: web::Data<State>, caller: Caller) -> Result<Json<AuditHead>, ApiError> {
    let head = heavy(&state, &caller, |state| state.store.verify_audit()).await?;
    Ok(Json(head))
}

/// What changed, for whoever waits for it.
#[utoipa::path(tag = "operation", security(("token" = ["viewer"])), params(Stretch), responses((status = 200, body = Vec<Event>, description = "Entries, oldest first"), TooManyReads))]
#[get("/v1/events")]
pub(crate) async fn events(
    state: web::Data<State>,
    stretch: Query<Stretch>,
    caller: Caller,
) -> Result<Answer<Vec<Event>>, ApiError> {
    heavy_json(&state, &caller, move |state| {
        state.store.events(stretch.from, stretch.limit.min(MOST_ENTRIES))
    })
    .await
}

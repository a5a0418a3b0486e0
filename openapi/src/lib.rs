//! The REST contract: what requests and responses hold. Units: milliseconds, bytes, rows; times are RFC 3339 in UTC.
//!
//! Records of the registry that travel as they are stored are the registry's own types, which its feature `schema` describes for the API's
//! document. What is told otherwise than it is stored has a type here, made from the record.

pub mod bundles;
pub mod events;
pub mod exclusions;
pub mod explain;
pub mod gates;
pub mod hardware;
pub mod jobs;
pub mod lineage;
pub mod measurements;
pub mod models;
pub mod networks;
pub mod plugins;
pub mod predict;
pub mod problem;
pub mod rebind;
pub mod registry;
pub mod savings;
pub mod spaces;
pub mod tokens;
pub mod traffic;
pub mod validations;
pub mod webhooks;
pub mod workers;

/// The header by which commands say who uses them; believed as long as a server knows no tokens.
pub const ACTOR_HEADER: &str = "X-Lglp-Actor";

/// Bytes as they are: a bundle, a blob, a backup.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct Binary(pub Vec<u8>);

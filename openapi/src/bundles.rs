//! Versions on their way between servers: `GET /v1/{hardware}/models/{version}/bundle`, `POST /v1/{hardware}/models/import`.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

/// How to import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// Import although a plugin here is another file than the one that the version was fitted with.
    pub accept_other_plugins: bool,
    /// Who imports it, where there is nothing else to tell.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub actor: String,
}

//! The registry of a running server, over HTTP: commands do the same thing whether or not a server runs.

mod aliases;
mod audit;
mod blobs;
mod datasets;
mod exclusions;
mod gates;
mod hardware;
mod jobs;
mod maintenance;
mod measurements;
mod tokens;
mod traffic;
mod usage;
mod validations;
mod versions;
mod webhooks;

use lglp_openapi::problem::Slug;
use lglp_registry::{Error, Expected};

use super::{ClientError, Http};

/// A [`Registry`](lglp_registry::Registry) whose operations are calls to a server.
pub struct RemoteRegistry(Http);

impl RemoteRegistry {
    /// The registry of the server that `http` talks to.
    pub fn new(http: Http) -> Self {
        Self(http)
    }
}

/// What a change expects to find, as `If-Match`.
fn if_match(expected: &Expected) -> String {
    let tag = |generation: &u64| format!("\"{generation}\"");
    match expected {
        Expected::Generation(seen) => tag(seen),
        Expected::OneOf(seen) => seen.iter().map(tag).collect::<Vec<_>>().join(", "),
        Expected::Existing => "*".to_owned(),
    }
}

/// What a problem means as an error of the registry. `what` was asked for.
fn error(doing: &'static str, what: &'static str) -> impl FnOnce(ClientError) -> Error {
    move |error| match &error {
        // What one item of a list names is for the server to say.
        ClientError::Problem(problem) if problem.status == 404 && problem.errors.is_empty() => {
            let what = match problem.slug() {
                Some(Slug::UnknownHardware) => "hardware target",
                Some(Slug::UnknownVersion) => "version",
                _ => what,
            };
            // What is not there may be something else than what was asked about: a job's version, not its hardware target.
            match problem.detail.strip_prefix(&format!("there is no {what} ")) {
                Some(id) => Error::not_found(what, id),
                None => Error::Storage {
                    doing,
                    source: Box::new(error),
                },
            }
        }
        ClientError::Problem(problem) if problem.status == 422 && !problem.errors.is_empty() => {
            let fault = &problem.errors[0];
            Error::invalid(
                fault.pointer.trim_start_matches('/').replace('/', "."),
                fault.detail.clone(),
            )
        }
        _ => Error::Storage {
            doing,
            source: Box::new(error),
        },
    }
}

/// Headers, with the idempotency key where there is one.
fn keyed<'a>(mut headers: Vec<(&'a str, &'a str)>, key: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    headers.extend(key.map(|key| ("Idempotency-Key", key)));
    headers
}

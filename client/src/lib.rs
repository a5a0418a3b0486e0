//! Speaking HTTP: to the server that holds a registry, and to the targets of webhooks.

mod backoff;
mod connector;
mod event_count;
mod http;
mod job_events;
mod operations;
mod post;
mod problem_text;
mod remote_registry;
pub mod tls;
mod worker_api;

pub use backoff::Backoff;
pub use event_count::EventCount;
pub use http::{ClientError, Http};
pub use job_events::follow;
pub use operations::{OperationError, Operations, Outcome, RemoteOperations};
pub use post::{Post, destination};
pub use remote_registry::RemoteRegistry;
pub use ureq::http::Method;
pub use worker_api::{Failure, Refusal, WorkerApi};

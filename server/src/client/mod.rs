//! Speaking HTTP: to the server that holds a registry, and to the targets of webhooks.

mod http;
mod job_events;
mod post;
mod remote_store;
mod tls;
mod worker_api;

pub use http::{ClientError, Http};
pub use job_events::follow;
pub use post::{Post, destination};
pub use remote_store::RemoteStore;
pub use worker_api::{Failure, Refusal, WorkerApi};

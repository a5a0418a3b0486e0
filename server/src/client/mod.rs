//! Speaking HTTP to the server that holds a registry.

mod http;
mod job_events;
mod remote_store;

pub use http::{ClientError, Http};
pub use job_events::follow;
pub use remote_store::RemoteStore;

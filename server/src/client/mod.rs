//! Speaking HTTP to the server that holds a registry.

mod http;
mod remote_store;

pub use http::{ClientError, Http};
pub use remote_store::RemoteStore;

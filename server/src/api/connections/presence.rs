//! Whether clients are still there.
//!
//! Over HTTP/1.1 the server drops the future of a handler when its client closes the connection. Over HTTP/2 it runs each
//! handler apart from the connection, and to its end: here the connection is watched beside it. A client that takes back
//! one request and keeps the connection is not seen; that request ends by itself.

use std::any::Any;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::pin;
use std::sync::Arc;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::Version;
use actix_web::middleware::Next;
use futures_util::future::{Either, select};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::super::problem::ApiError;
use super::stream::Stream;
use crate::compute::Lost;

/// A connection, by a descriptor of our own.
#[derive(Clone)]
struct Connection(Arc<AsyncFd<OwnedFd>>);

/// Keeps a descriptor of a connection that may speak HTTP/2.
pub(super) fn keep(connection: &dyn Any, extensions: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TlsStream<Stream>>() else {
        return;
    };
    let descriptor = stream.get_ref().0.as_fd().try_clone_to_owned();
    let watched = descriptor.and_then(|owned| {
        // SAFETY: an owned descriptor stays open, and the same one, until it is dropped with its registration.
        let watched = unsafe { AsyncFd::register_with_interest(owned, Interest::READABLE) };
        watched.map_err(Into::into)
    });
    match watched {
        Ok(watched) => drop(extensions.insert(Connection(Arc::new(watched)))),
        Err(error) => tracing::warn!("cannot watch a connection: {error}"),
    }
}

/// Drops the work on a request whose connection is closed.
pub(crate) async fn stay_with_client(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let connection = match request.version() {
        Version::HTTP_2 => request.conn_data::<Connection>().cloned(),
        _ => None,
    };
    let answer = next.call(request);
    let Some(connection) = connection else {
        return answer.await;
    };
    match select(pin!(answer), pin!(connection.closed())).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => Err(ApiError::from(Lost::Unwanted).into()),
    }
}

impl Connection {
    /// Waits until the client has closed its side.
    async fn closed(self) {
        while let Ok(mut ready) = self.0.ready(Interest::READABLE).await {
            if ready.ready().is_read_closed() {
                return;
            }
            // Something came; the connection reads it by its own descriptor.
            ready.clear_ready();
        }
    }
}

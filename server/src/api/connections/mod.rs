//! What one connection may cost: how many there are, from one address and in all (`places.rs`), how long each may take to begin
//! a request and to take its answer (`stream.rs`), how fast a body has to come (`body.rs`), and how much memory answers may
//! wait in (`answer.rs`). What a client asked for is dropped once it has left (`presence.rs`).
//!
//! actix-web's own server has none of this but a time limit for the first request's head, so the pieces that it is made of are
//! put together here. Deadlines are of two kinds: a rate has to be kept in every window of [`pace`], and a connection
//! without a request has to begin one within `BEGIN`, or a while after the silence that it is allowed.

mod answer;
mod body;
mod deadlines;
mod pace;
mod places;
mod presence;
mod stream;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::h1::{ExpectHandler, UpgradeHandler};
use actix_http::{HttpService, Protocol, Request, Response};
use actix_server::{GracefulShutdownSignal, ServerBuilder};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt as _, boxed, fn_service, map_config,
};
use actix_tls::accept::max_concurrent_tls_connect;
use actix_tls::accept::rustls_0_23::{Acceptor, TlsStream};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{AppConfig, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::rt::net::TcpStream;

pub(super) use body::TooSlow;
pub use places::Limits;
pub(super) use places::Places;
pub(super) use presence::stay_with_client;

use self::stream::{Requests, Stream};
use super::budget::Budget;

/// Time for the first head of a connection, from its first moment on.
const HEAD: Duration = Duration::from_secs(10);

/// Time for a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// How long what is left of a refused body may still come: a client that sends all of it before it reads is answered, too.
const LINGER: Duration = Duration::from_secs(5);

/// Serves `app` to whoever connects and finds a place.
///
/// # Errors
/// Those of the listener.
pub(super) fn listen<F, I, S, B>(
    server: ServerBuilder,
    listener: TcpListener,
    tls: Option<rustls::ServerConfig>,
    places: Arc<Places>,
    app: F,
) -> io::Result<ServerBuilder>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<actix_web::Error> + 'static,
    S::InitError: std::fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let address = listener.local_addr()?;
    let stopping = server.graceful_shutdown_signal();
    // Those who wait for a handshake hold places here: the limit below never stops others from being accepted.
    let Limits { in_all, keep_alive, .. } = places.limits();
    max_concurrent_tls_connect(in_all);
    server.listen("lglp", listener, move || {
        let (places, encrypted) = (places.clone(), tls.is_some());
        let admit = fn_service(move |stream: TcpStream| {
            // Nobody hears of errors here and below: what a connection ends of is the connection's affair.
            let admitted = Stream::admit(stream, &places, encrypted).map_err(drop);
            async move { admitted }
        });
        let app = app().into_factory().map_err(|error| error.into().error_response());
        let app = map_config(app, |_| AppConfig::default());
        // The two kinds of connections are two types to actix, whose services are boxed alike.
        match tls.clone() {
            None => {
                let ready = admit.map(|stream: Stream| {
                    let peer = Some(stream.peer());
                    (stream, Protocol::Http1, peer)
                });
                let http = http(app, Stream::requests, keep_alive, stopping.clone(), address);
                boxed::factory(ready.and_then(http.map_err(drop)))
            }
            Some(mut tls) => {
                tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
                let mut acceptor = Acceptor::new(tls);
                acceptor.set_handshake_timeout(HANDSHAKE);
                let encrypted = admit.and_then(acceptor.map_err(drop));
                let ready = encrypted.map(|stream: TlsStream<Stream>| {
                    let (tcp, session) = stream.get_ref();
                    let protocol = match session.alpn_protocol() {
                        Some(b"h2") => Protocol::Http2,
                        _ => Protocol::Http1,
                    };
                    let peer = Some(tcp.peer());
                    (stream, protocol, peer)
                });
                let requests = |stream: &TlsStream<Stream>| stream.get_ref().0.requests();
                let http = http(app, requests, keep_alive, stopping.clone(), address);
                boxed::factory(ready.and_then(http.map_err(drop)))
            }
        }
    })
}

/// HTTP over streams of a kind, each of which tells the requests that are made on it.
fn http<T, A, B>(
    app: A,
    requests: fn(&T) -> Rc<Requests>,
    keep_alive: Duration,
    stopping: GracefulShutdownSignal,
    address: SocketAddr,
) -> HttpService<T, A, B, ExpectHandler, UpgradeHandler>
where
    T: 'static,
    A: ServiceFactory<Request, Config = ()>,
    A::Error: Into<Response<BoxBody>> + 'static,
    A::InitError: std::fmt::Debug,
    A::Response: Into<Response<B>> + 'static,
    <A::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    HttpService::build()
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .keep_alive(keep_alive)
        .client_request_timeout(HEAD)
        .client_disconnect_timeout(LINGER)
        // Whoever has closed its side has gone: the future of its handler is dropped, and its work with it.
        .h1_allow_half_closed(false)
        .local_addr(address)
        .on_connect_ext(move |stream, data| {
            data.insert(requests(stream));
            presence::keep(stream, data);
        })
        .finish(app)
}

/// The middleware that tells the connection of its requests, holds their bodies to a pace, and their answers to a budget.
pub(super) async fn keep_pace(
    answers: Budget,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let under_way = request.conn_data::<Rc<Requests>>().map(|requests| requests.begin());
    body::hold_to_pace(&mut request);
    let answer = next.call(request).await?;
    Ok(answer::hold(&answers, answer, under_way))
}

//! A connection that ends where its other side does not come along.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actix_web::rt::net::{ActixStream, Ready, TcpStream};
use actix_web::rt::time::{Sleep, sleep};
use lglp_openapi::problem::{MEDIA_TYPE, Slug};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::deadlines::{BEGIN, BEGIN_ANOTHER};
use super::pace::Pace;
use super::places::{Full, Place, Places};

/// How long an answer may wait to be taken without [`LEAST`] of it going.
const WINDOW: Duration = Duration::from_secs(60);

/// 1 KiB a second.
const LEAST: u64 = 1024 * WINDOW.as_secs();

/// Bytes that the kernel holds of an answer beyond what is on its way. A socket counts as writable when half of them have gone,
/// which even a slow reader gets through several times in a window; without it, it would be after a third of some megabytes.
const UNSENT: u32 = 64 << 10;

/// The requests of one connection, told by the middleware to the stream below.
#[derive(Default)]
pub(super) struct Requests {
    begun: Cell<u64>,
    under_way: Cell<u64>,
    /// Who reads the connection, while a request is under way.
    reader: RefCell<Option<Waker>>,
}

impl Requests {
    /// One begins; it ends when this is dropped.
    pub(super) fn begin(self: &Rc<Self>) -> UnderWay {
        self.begun.set(self.begun.get() + 1);
        self.under_way.set(self.under_way.get() + 1);
        UnderWay(self.clone())
    }
}

/// A request that has not been answered in full.
pub(super) struct UnderWay(Rc<Requests>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get() - 1);
        // From now on a request has to begin, even where nothing comes that would have the connection read: a body in chunks
        // whose rest nobody waits for held its place for ever.
        if let Some(reader) = self.0.reader.take() {
            reader.wake();
        }
    }
}

/// A connection with its place and its deadlines.
pub(super) struct Stream {
    tcp: TcpStream,
    peer: SocketAddr,
    requests: Rc<Requests>,
    /// When a connection without a request is given up, and how many had begun when that was set.
    begin: Option<(u64, Pin<Box<Sleep>>)>,
    /// How long it may take to begin a request that is not its first.
    another: Duration,
    taking: Pace,
    _place: Place,
}

impl Stream {
    /// Finds a place for a connection. Where there is none, it is told so, if it is `encrypted` not, and closed.
    pub(super) fn admit(tcp: TcpStream, places: &Arc<Places>, encrypted: bool) -> io::Result<Self> {
        let peer = tcp.peer_addr()?;
        let place = places.take(peer.ip()).map_err(|full| {
            if !encrypted {
                // Whoever cannot take these few bytes at once does without.
                let _ = socket2::SockRef::from(&tcp).send(refusal(full).as_bytes());
            }
            io::Error::other("there are too many connections")
        })?;
        socket2::SockRef::from(&tcp).set_tcp_notsent_lowat(UNSENT)?;
        Ok(Self {
            tcp,
            peer,
            requests: Rc::default(),
            begin: None,
            another: BEGIN.max(places.limits().keep_alive + BEGIN_ANOTHER),
            taking: Pace::new(WINDOW, LEAST),
            _place: place,
        })
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub(super) fn requests(&self) -> Rc<Requests> {
        self.requests.clone()
    }

    /// Ready where no request is under way, and none has begun for too long.
    fn poll_begin(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.requests.under_way.get() > 0 {
            self.requests.reader.replace(Some(context.waker().clone()));
            self.begin = None;
            return Poll::Pending;
        }
        let begun = self.requests.begun.get();
        if self.begin.as_ref().is_none_or(|(then, _)| *then != begun) {
            let within = if begun == 0 { BEGIN } else { self.another };
            self.begin = Some((begun, Box::pin(sleep(within))));
        }
        self.begin
            .as_mut()
            .map_or(Poll::Pending, |(_, timer)| timer.as_mut().poll(context))
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.tcp.as_fd()
    }
}

/// What a connection gets for which there is no place.
fn refusal(full: Full) -> String {
    let (status, slug, title, detail) = match full {
        Full::InAll => (
            "503 Service Unavailable",
            Slug::TooManyConnections,
            "The server has too many connections",
            "try again in a few seconds",
        ),
        Full::Address => (
            "429 Too Many Requests",
            Slug::TooManyConnections,
            "Your address has too many connections",
            "use those that are open again, or send several architectures in one request; behind a proxy, raise the server's \
             --connections-per-address",
        ),
    };
    let body = serde_json::json!({
        "type": slug.urn(),
        "title": title,
        "status": status[..3].parse::<u16>().unwrap_or(503),
        "detail": detail,
    })
    .to_string();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {}\r\nRetry-After: 5\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn timed_out(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.poll_begin(context).is_ready() {
            return Poll::Ready(Err(timed_out("no request was begun")));
        }
        Pin::new(&mut self.tcp).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write(context, bytes);
        match &written {
            Poll::Ready(Ok(count)) => self.taking.progress(*count),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                if self.taking.poll_over(context).is_ready() {
                    return Poll::Ready(Err(timed_out("the answer is not taken")));
                }
            }
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

impl ActixStream for Stream {
    fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(&self.tcp, context)
    }

    fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(&self.tcp, context)
    }
}

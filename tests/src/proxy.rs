//! A network that fails on command: a TCP proxy before a server.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// It works.
    Passes,
    /// Every connection is cut, new ones included.
    Drops,
    /// Nothing arrives any more, and nobody is told.
    Hangs,
    /// Whatever passes takes so much longer.
    Delays(Duration),
    /// The next thing that a client says arrives in half, and its connection is cut.
    CutsRequests,
    /// The next thing that the server says arrives in half, and its connection is cut.
    CutsAnswers,
}

/// Between two looks at what the network is to do.
const LOOK: Duration = Duration::from_millis(10);

/// A proxy on a port of its own; it lives as long as the test's process.
#[derive(Clone)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Mutex<(SocketAddr, Network)>>,
}

impl Proxy {
    /// Listens on a free port, for a server at `base`, e.g. `http://127.0.0.1:8080`.
    pub fn before(base: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let proxy = Self {
            address: listener.local_addr().expect("an address"),
            shared: Arc::new(Mutex::new((address(base), Network::Passes))),
        };
        let listening = proxy.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                listening.connect(client);
            }
        });
        proxy
    }

    /// Where clients reach the server.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes what the network does.
    pub fn network(&self, network: Network) {
        self.shared.lock().expect("no panic").1 = network;
    }

    /// The server has another address from now on.
    pub fn moved_to(&self, base: &str) {
        self.shared.lock().expect("no panic").0 = address(base);
    }

    fn now(&self) -> Network {
        self.shared.lock().expect("no panic").1
    }

    fn connect(&self, client: TcpStream) {
        let (server, network) = *self.shared.lock().expect("no panic");
        if network == Network::Drops {
            return;
        }
        // A server that is away: the client's connection ends, as where nobody listens.
        let Ok(server) = TcpStream::connect(server) else { return };
        let copy = |stream: &TcpStream| stream.try_clone().expect("a copy");
        let ways = [
            (copy(&client), copy(&server), Network::CutsRequests),
            (server, client, Network::CutsAnswers),
        ];
        for (from, to, cut) in ways {
            let proxy = self.clone();
            thread::spawn(move || {
                let _ = proxy.pass_on(&from, &to, cut);
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    }

    /// Passes on what comes until somebody has enough, or the network cuts.
    fn pass_on(&self, mut from: &TcpStream, mut to: &TcpStream, cut: Network) -> std::io::Result<()> {
        from.set_read_timeout(Some(LOOK))?;
        let mut bytes = [0; 16 << 10];
        loop {
            match self.now() {
                Network::Drops => return Ok(()),
                Network::Hangs => {
                    thread::sleep(LOOK);
                    continue;
                }
                _ => {}
            }
            let read = match from.read(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Err(error) => return Err(error),
            };
            match self.now() {
                now if now == cut => return to.write_all(&bytes[..read / 2]),
                Network::Delays(time) => thread::sleep(time),
                _ => {}
            }
            to.write_all(&bytes[..read])?;
        }
    }
}

fn address(base: &str) -> SocketAddr {
    let address = base.strip_prefix("http://").expect("an address of HTTP");
    address.parse().expect("an address")
}

//! A target of webhooks: an HTTP server in the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

/// Longer than any wait before an attempt that these tests make.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Long enough for what must not arrive to arrive.
const SILENCE: Duration = Duration::from_millis(1500);

/// A request that came.
#[derive(Debug)]
pub struct Delivery {
    /// Request line and headers, with the empty line that ends them.
    pub head: String,
    /// As long as the headers announce.
    pub body: String,
}

impl Delivery {
    /// The value of a header, named in small letters; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        let prefix = format!("{name}: ");
        let line = self.head.lines().find(|l| l.to_lowercase().starts_with(&prefix));
        line.map_or("", |l| &l[prefix.len()..])
    }

    /// The number of the event.
    pub fn event(&self) -> u64 {
        self.header("x-lglp-event").parse().expect("a number")
    }

    /// What the event tells.
    pub fn change(&self) -> Value {
        serde_json::from_str::<Value>(&self.body).expect("JSON")["change"].clone()
    }
}

/// An HTTP server that tells of what comes, and answers as it is told; nobody listens any more once it is dropped.
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// What came and was not taken out yet, in its order.
    pub deliveries: Receiver<Delivery>,
    answer: Arc<Mutex<String>>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Target {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        drop(TcpStream::connect(self.address));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// An empty answer of a status and its phrase.
pub fn answer(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

impl Target {
    /// Listens on a free port.
    pub fn start() -> Self {
        Self::at("127.0.0.1:0".parse().expect("an address"))
    }

    /// Listens at an address.
    pub fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let answer = Arc::new(Mutex::new(answer("204 No Content")));
        let (sender, deliveries) = mpsc::channel();
        let stopping = Arc::new(AtomicBool::new(false));
        let (answers, stops) = (answer.clone(), stopping.clone());
        let thread = thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if stops.load(Ordering::Acquire) {
                    return;
                }
                let answer = answers.lock().expect("no panic").clone();
                let _ = serve(connection, &answer, &sender);
            }
        });
        Self {
            address,
            deliveries,
            answer,
            stopping,
            thread: Some(thread),
        }
    }

    /// What it answers from now on; nothing at all, the connection left open, where it is empty.
    pub fn answers(&self, answer: &str) {
        *self.answer.lock().expect("no panic") = answer.to_owned();
    }

    /// Where webhooks post to it.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Waits for the next delivery.
    pub fn next(&self) -> Delivery {
        self.deliveries.recv_timeout(PATIENCE).expect("a delivery")
    }

    /// Checks that no delivery comes for a while.
    pub fn nothing_comes(&self) {
        let came = self.deliveries.recv_timeout(SILENCE);
        assert!(came.is_err(), "{came:?}");
    }
}

/// Reads a request, tells of it and answers; nothing where the request breaks off.
fn serve(mut connection: TcpStream, answer: &str, sender: &Sender<Delivery>) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (reader.read_line(&mut head).ok()? > 0).then_some(())?;
    }
    let mut delivery = Delivery {
        head,
        body: String::new(),
    };
    let length = delivery.header("content-length").parse().unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    delivery.body = String::from_utf8(body).ok()?;
    // Told before it is answered: what the server knows to be delivered is here by then.
    sender.send(delivery).ok()?;
    if answer.is_empty() {
        // Held open until the sender gives up.
        thread::spawn(move || reader.read_to_end(&mut Vec::new()));
    } else {
        let _ = connection.write_all(answer.as_bytes());
    }
    Some(())
}

//! Clients that do what no library does: speak HTTP badly, say more than they send, leave before they are answered.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::Server;

/// A connection to a server.
pub struct Raw(pub TcpStream);

impl Raw {
    /// Connects to a server; whatever it speaks, this connection is plain TCP.
    pub fn to(server: &Server) -> Self {
        let address = server.base.split("://").nth(1).expect("an address");
        Self(TcpStream::connect(address).expect("a connection"))
    }

    /// Sends as much as the other side takes; whether it took all.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Begins a request with a body of `length` bytes.
    pub fn post(&mut self, path: &str, length: usize) {
        let head = format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n");
        assert!(self.send(head.as_bytes()), "the head is taken");
    }

    /// What comes until the other side closes, or until `limit`; none where it is still open then.
    pub fn rest(&mut self, limit: Duration) -> Option<String> {
        let (begun, mut all, mut chunk) = (Instant::now(), Vec::new(), vec![0; 1 << 16]);
        while let Some(left) = limit.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) {
            self.0.set_read_timeout(Some(left)).expect("a timeout");
            match self.0.read(&mut chunk) {
                Ok(0) => return Some(String::from_utf8_lossy(&all).into_owned()),
                Ok(count) => all.extend_from_slice(&chunk[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return None,
                Err(_) => return Some(String::from_utf8_lossy(&all).into_owned()),
            }
        }
        None
    }
}

/// Opens a connection to a server.
pub fn connect(server: &Server) -> TcpStream {
    let address = server.base.strip_prefix("http://").expect("plain HTTP");
    let stream = TcpStream::connect(address).expect("the server listens");
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).expect("a timeout");
    stream
}

/// The head of a POST, whose body is announced as it is told.
pub fn head(path: &str, length: usize, more: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n{more}\r\n")
}

/// Sends a whole POST, and waits for nothing.
pub fn post(server: &Server, path: &str, more: &str, body: &[u8]) -> TcpStream {
    let mut stream = connect(server);
    let head = head(path, body.len(), more);
    stream.write_all(head.as_bytes()).expect("the server listens");
    // One that refuses early may have closed the connection by now.
    let _ = stream.write_all(body);
    stream
}

/// Status and text of the answer that comes; 0 where the connection ends without one.
pub fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut text = Vec::new();
    let mut part = [0; 16 << 10];
    loop {
        let whole = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse::<usize>().ok())?
            });
            if length.is_some_and(|length| body.len() >= length) {
                let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok());
                return (status.unwrap_or_default(), whole);
            }
        }
        match stream.read(&mut part) {
            Ok(count) if count > 0 => text.extend_from_slice(&part[..count]),
            _ => return (0, whole),
        }
    }
}

/// Resident memory of a server now and at its peak, MiB.
pub fn memory(server: &Server) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).expect("a running server");
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line");
        let kib: u64 = line
            .split_whitespace()
            .nth(1)
            .and_then(|n| n.parse().ok())
            .expect("a number");
        kib / 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// Bytes packed by gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).expect("memory takes all");
    packer.finish().expect("memory takes all")
}

/// Text of so many bytes, about: `opening`, a piece again and again with commas between, `closing`.
pub fn repeated(opening: &str, piece: &str, closing: &str, bytes: usize) -> String {
    let pieces = vec![piece; bytes / (piece.len() + 1)];
    format!("{opening}{}{closing}", pieces.join(","))
}

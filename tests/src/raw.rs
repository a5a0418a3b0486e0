//! Connections that speak HTTP badly on purpose, byte by byte.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::Server;

/// A connection to a server.
pub struct Raw(pub TcpStream);

impl Raw {
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

/// Resident memory of a server, MiB.
pub fn resident_mib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).expect("a running process");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("its memory");
    let kib: u64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .expect("a number");
    kib >> 10
}

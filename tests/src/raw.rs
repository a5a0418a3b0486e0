//! Clients that do what no library does: say more than they send, leave before they are answered.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::Server;

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

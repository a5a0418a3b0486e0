//! A server that means harm: a real one, behind a proxy that rewrites what it answers.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use serde_json::Value;

/// Rewrites the JSON that is answered to a method and path.
pub type Rewrite = Arc<dyn Fn(&str, &mut Value) + Send + Sync>;

/// Serves on a free port what the server at `base` does, with JSON answers rewritten; the address. It lives as long as the test's process.
pub fn tampering(base: &str, rewrite: Rewrite) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = base.trim_start_matches("http://").to_owned();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (server, rewrite) = (server.clone(), rewrite.clone());
            // A client that goes is no fault.
            thread::spawn(move || answer(client, &server, &rewrite).ok());
        }
    });
    format!("http://{address}")
}

/// Passes one request on, and closes the connection after its answer.
fn answer(mut client: TcpStream, server: &str, rewrite: &Rewrite) -> std::io::Result<()> {
    let (head, body) = message(&mut BufReader::new(client.try_clone()?))?;
    let mut upstream = TcpStream::connect(server)?;
    let asked = head.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    upstream.write_all(&[head.as_bytes(), b"\r\n", &body].concat())?;
    let (head, body) = message(&mut BufReader::new(upstream))?;
    let body = match serde_json::from_slice::<Value>(&body) {
        Ok(mut answered) => {
            rewrite(&asked, &mut answered);
            answered.to_string().into_bytes()
        }
        Err(_) => body,
    };
    let kept = head
        .lines()
        .filter(|line| !line.to_lowercase().starts_with("content-length:"));
    let mut told: String = kept.map(|line| format!("{line}\r\n")).collect();
    if !head.contains(" 204 ") {
        told += &format!("Content-Length: {}\r\n", body.len());
    }
    client.write_all(&[told.as_bytes(), b"Connection: close\r\n\r\n", &body].concat())
}

/// The head of a message, each line with its end, without the blank one; and the body that its length tells.
fn message(from: &mut impl BufRead) -> std::io::Result<(String, Vec<u8>)> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some(told) = line.to_lowercase().strip_prefix("content-length:") {
            length = told.trim().parse().unwrap_or(0);
        }
        head += &line;
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok((head, body))
}

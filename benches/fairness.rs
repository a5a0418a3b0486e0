//! What attacks and floods leave to others: memory and signs of life under bodies that unpack to much, the time of one
//! prediction beside clients that ask for much, and how the server ends with work pending.
//!
//!   cargo run --release -p lglp-tests --example fairness -- [--recipe NAME]
//!
//! `LGLP_PROGRAM` names another program to measure, to compare with an earlier one.

use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lglp_tests::raw::{answer, gzip, memory, post, repeated};
use lglp_tests::{HARDWARE, Registry, Server, sample};
use serde_json::json;

/// How long nobody waits any longer.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let at = arguments.iter().position(|a| a == "--recipe");
    let recipe = at
        .and_then(|at| arguments.get(at + 1))
        .map_or("lglp-quick", String::as_str);
    let registry = Registry::with_production(recipe);
    println!("one prediction, in milliseconds, {recipe} in production");
    let server = registry.serve();
    report("alone", &mut singles(&server, Duration::from_secs(3)));
    drop(server);
    for at_once in [1, 3] {
        bombs(&registry, at_once);
    }
    leavers(&registry);
    batches(&registry);
    stopping(&registry);
}

/// Bodies of 94 KB that unpack to 61 MiB of small objects.
fn bombs(registry: &Registry, at_once: usize) {
    let server = registry.serve();
    let body = gzip(repeated("[", "{\"a\":1}", "]", 61 << 20).as_bytes());
    let path = path();
    let over = AtomicBool::new(false);
    let (before, _) = memory(&server);
    let slowest = std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut slowest = Duration::ZERO;
            while !over.load(Ordering::Relaxed) {
                let asked = Instant::now();
                if server.get("/healthz").0 != 200 {
                    return None;
                }
                slowest = slowest.max(asked.elapsed());
                std::thread::sleep(Duration::from_millis(10));
            }
            Some(slowest)
        });
        let attacks = (0..at_once).map(|_| {
            scope.spawn(|| {
                let mut stream = post(&server, &path, "Content-Encoding: gzip\r\n", &body);
                answer(&mut stream).0
            })
        });
        let attacks: Vec<_> = attacks.collect();
        let statuses: Vec<u16> = attacks.into_iter().map(|attack| attack.join().unwrap_or(0)).collect();
        println!(
            "{at_once} x {} KB of gzip at once: answered {statuses:?}",
            body.len() / 1000
        );
        over.store(true, Ordering::Relaxed);
        watching.join().ok().flatten()
    });
    match slowest {
        None => println!("  the server is gone"),
        Some(slowest) => {
            let (after, peak) = memory(&server);
            println!("  resident memory {before} MiB, at its peak {peak} MiB, afterwards {after} MiB");
            println!("  slowest sign of life {:.0} ms", slowest.as_secs_f64() * 1e3);
        }
    }
}

/// 20 clients that ask for 10,000 each and leave.
fn leavers(registry: &Registry) {
    let server = registry.serve();
    let batch = body(10_000, 1);
    let clients: Vec<TcpStream> = (0..20).map(|_| post(&server, &path(), "", batch.as_bytes())).collect();
    std::thread::sleep(Duration::from_secs(1));
    drop(clients);
    println!(
        "20 clients sent 10,000 each and left: the next one waits {:.1} ms",
        single(&server)
    );
}

/// 64 clients that ask for 10,000 each, again and again.
fn batches(registry: &Registry) {
    let server = registry.serve();
    let over = AtomicBool::new(false);
    let batch = body(10_000, 1);
    let (mut seen, counts) = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..64)
            .map(|_| {
                scope.spawn(|| {
                    let (mut answered, mut refused) = (0, 0);
                    while !over.load(Ordering::Relaxed) {
                        let mut stream = post(&server, &path(), "", batch.as_bytes());
                        // Not longer than the measurement lasts.
                        stream
                            .set_read_timeout(Some(Duration::from_secs(40)))
                            .expect("a timeout");
                        match answer(&mut stream).0 {
                            200 => answered += 1,
                            429 => {
                                refused += 1;
                                std::thread::sleep(Duration::from_secs(1));
                            }
                            _ => {}
                        }
                    }
                    (answered, refused)
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs(2));
        let seen = singles(&server, Duration::from_secs(20));
        over.store(true, Ordering::Relaxed);
        let counts: Vec<(u32, u32)> = clients
            .into_iter()
            .map(|client| client.join().unwrap_or_default())
            .collect();
        (seen, counts)
    });
    let (answered, refused) = counts.iter().fold((0, 0), |(a, r), (x, y)| (a + x, r + y));
    report("beside 64 clients with batches of 10,000", &mut seen);
    println!("  of the batches {answered} were answered, {refused} told to come again");
}

/// SIGTERM while predictions of more than half a minute wait.
fn stopping(registry: &Registry) {
    let mut server = registry.serve();
    let batch = body(10_000, 1);
    let clients: Vec<TcpStream> = (0..40).map(|_| post(&server, &path(), "", batch.as_bytes())).collect();
    std::thread::sleep(Duration::from_secs(1));
    let told = Instant::now();
    let id = server.child.id().to_string();
    let _ = Command::new("kill").args(["-TERM", &id]).status();
    let status = server.child.wait().expect("a child");
    let took = told.elapsed().as_secs_f64();
    drop(clients);
    println!("SIGTERM with 40 batches of 10,000 pending: {status} after {took:.1} s");
}

fn path() -> String {
    format!("/v1/{HARDWARE}/predict")
}

fn body(rows: usize, seed: u64) -> String {
    json!({ "architectures": sample(rows, seed) }).to_string()
}

/// Milliseconds of one prediction; of the patience where it was not answered.
fn single(server: &Server) -> f64 {
    let asked = Instant::now();
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .build();
    let sent = ureq::Agent::from(agent)
        .post(format!("{}{}", server.base, path()))
        .send(single_body());
    match sent {
        Ok(answer) if answer.status() == 200 => asked.elapsed().as_secs_f64() * 1e3,
        _ => PATIENCE.as_secs_f64() * 1e3,
    }
}

fn single_body() -> &'static str {
    static BODY: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    BODY.get_or_init(|| body(1, 7))
}

fn singles(server: &Server, during: Duration) -> Vec<f64> {
    single_body();
    let began = Instant::now();
    let mut seen = Vec::new();
    while began.elapsed() < during {
        seen.push(single(server));
        std::thread::sleep(Duration::from_millis(20));
    }
    seen
}

fn report(name: &str, seen: &mut [f64]) {
    seen.sort_by(f64::total_cmp);
    let at = |percent: usize| seen[(seen.len() * percent / 100).min(seen.len() - 1)];
    println!(
        "{name}: {} requests, p50 {:.1}, p99 {:.1}, slowest {:.1}",
        seen.len(),
        at(50),
        at(99),
        seen[seen.len() - 1]
    );
}

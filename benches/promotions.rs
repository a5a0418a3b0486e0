//! A thousand promotions under load: failed requests, latencies with and without promotions, resident memory.
//!
//!   cargo run --release -p lglp-tests --example promotions -- [--recipe NAME] [--promotions N] [--every MS] [--rate N] [--connections N]
//!
//! A server of the real program has more versions than it keeps, so that promotions load, test and free models. Clients
//! ask for one prediction at a time at a fixed rate; a latency counts from the moment a request was due, so that one
//! that stalls is not forgiven those it held up. Phases without promotions and with one after the other, every 100 ms, take
//! turns for equal times: what else the machine does meanwhile falls on both.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lglp_tests::{HARDWARE, Registry, Server, root, sample};
use serde_json::{Value, json};

/// Versions of the model, 8 more than aliases lead to at most being kept.
const VERSIONS: u64 = 14;
/// Of these, trained with seeds of their own; the others are copies.
const TRAINED: u64 = 2;
/// Promotions of one phase.
const PHASE: u64 = 25;

struct Options {
    recipe: String,
    promotions: u64,
    /// Time from one promotion to the next, unless loading takes longer.
    every: Duration,
    /// Requests a second.
    rate: u64,
    connections: u64,
}

impl Options {
    fn read() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let text = |name: &str, default: &str| {
            let at = arguments.iter().position(|a| a == name);
            at.and_then(|at| arguments.get(at + 1))
                .map_or(default.to_owned(), String::clone)
        };
        let number = |name: &str, default: &str| text(name, default).parse().expect("a number");
        Self {
            recipe: text("--recipe", "lglp-per-mac"),
            promotions: number("--promotions", "1000"),
            every: Duration::from_millis(number("--every", "100")),
            rate: number("--rate", "200"),
            connections: number("--connections", "4"),
        }
    }
}

/// What the clients saw in phases of one kind.
#[derive(Default)]
struct Seen {
    /// Milliseconds.
    latencies: Vec<f64>,
    failed: usize,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.failed += other.failed;
    }

    fn percentile(&mut self, percent: f64) -> f64 {
        self.latencies.sort_by(f64::total_cmp);
        let at = (self.latencies.len() as f64 * percent / 100.0) as usize;
        self.latencies[at.min(self.latencies.len() - 1)]
    }
}

fn main() {
    let options = Options::read();
    let registry = Registry::default();
    let dataset = root().join("datasets").join(HARDWARE);
    registry.ok(&["dataset", "import", dataset.to_str().expect("UTF-8")]);
    for seed in 0..TRAINED {
        println!("training {} with seed {seed}", options.recipe);
        let seed = seed.to_string();
        registry.ok(&[
            "train",
            "--hardware",
            HARDWARE,
            "--recipe",
            &options.recipe,
            "--seed",
            &seed,
        ]);
    }
    registry.ok(&["promote", "--hardware", HARDWARE, "1"]);
    let server = registry.serve();
    let models = format!("/v1/{HARDWARE}/models");
    for number in TRAINED + 1..=VERSIONS {
        let mut content = server.get(&format!("{models}/{}", 1 + number % TRAINED)).1["content"].clone();
        content["creator"] = json!(format!("copy {number}"));
        assert_eq!(server.post(&models, &content.to_string()).0, 201);
    }
    let architectures = sample(2000, 1);
    // Warm, before anything counts.
    load(&server, &architectures, &options, |_| {
        std::thread::sleep(Duration::from_secs(3))
    });

    let (mut quiet, mut promoting) = (Seen::default(), Seen::default());
    let (mut done, mut refused, mut spent) = (0, 0, Duration::ZERO);
    println!("resident memory at the start: {} MiB", resident(&server));
    while done < options.promotions {
        let began = Instant::now();
        promoting.add(load(&server, &architectures, &options, |server| {
            for _ in 0..PHASE.min(options.promotions - done) {
                let next = Instant::now() + options.every;
                let version = 1 + (done + 1) % VERSIONS;
                let asked = Instant::now();
                refused += usize::from(!promote(server, done + 1, version));
                spent += asked.elapsed();
                done += 1;
                if [100, 500, 1000].contains(&done) {
                    println!("resident memory after {done} promotions: {} MiB", resident(server));
                }
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
        }));
        let took = began.elapsed();
        quiet.add(load(&server, &architectures, &options, |_| std::thread::sleep(took)));
    }
    println!("resident memory at the end: {} MiB", resident(&server));
    println!(
        "{done} promotions of {} ({refused} refused), {:.0} ms each; {} requests/s on {} connections",
        options.recipe,
        spent.as_secs_f64() * 1e3 / done as f64,
        options.rate,
        options.connections
    );
    let report = |name: &str, seen: &mut Seen| {
        let [p50, p99, p999] = [50.0, 99.0, 99.9].map(|percent| seen.percentile(percent));
        let (requests, failed) = (seen.latencies.len(), seen.failed);
        println!("{name}: {requests} requests, {failed} failed, p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms");
        (p50, p99)
    };
    let without = report("without promotions", &mut quiet);
    let with = report("with promotions", &mut promoting);
    let (p50, p99) = (with.0 / without.0, with.1 / without.1);
    println!("with / without: p50 {p50:.2}, p99 {p99:.2}");
    let met = quiet.failed + promoting.failed + refused == 0 && p99 <= 1.5;
    println!(
        "target (no failed request, p99 within 1.5 times): {}",
        if met { "met" } else { "missed" }
    );
    // Exiting drops nothing, and the server would go on.
    drop(server);
    std::process::exit(i32::from(!met));
}

/// Requests at the fixed rate for as long as `meanwhile` takes.
fn load(server: &Server, architectures: &[String], options: &Options, meanwhile: impl FnOnce(&Server)) -> Seen {
    let over = AtomicBool::new(false);
    let start = Instant::now();
    std::thread::scope(|scope| {
        let client = |offset: u64| {
            let over = &over;
            scope.spawn(move || {
                let mut seen = Seen::default();
                let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
                let url = format!("{}/v1/{HARDWARE}/predict", server.base);
                for turn in (offset..).step_by(options.connections as usize) {
                    let due = start + Duration::from_secs_f64(turn as f64 / options.rate as f64);
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let architecture = &architectures[(turn * 7) as usize % architectures.len()];
                    let answer = agent
                        .post(&url)
                        .send(json!({ "architectures": [architecture] }).to_string());
                    let answer = answer.ok().filter(|answer| answer.status() == 200);
                    let text = answer.and_then(|mut answer| answer.body_mut().read_to_string().ok());
                    seen.latencies.push(due.elapsed().as_secs_f64() * 1e3);
                    seen.failed += usize::from(!text.is_some_and(|text| text.contains("latency_ms")));
                }
                seen
            })
        };
        let clients: Vec<_> = (0..options.connections).map(client).collect();
        meanwhile(server);
        over.store(true, Ordering::Relaxed);
        let mut seen = Seen::default();
        for client in clients {
            seen.add(client.join().expect("a client"));
        }
        seen
    })
}

fn promote(server: &Server, generation: u64, version: u64) -> bool {
    let path = format!("/v1/{HARDWARE}/aliases/production");
    let (generation, body) = (format!("\"{generation}\""), json!({ "version": version }).to_string());
    let (status, answer): (u16, Value) = server.call("PUT", &path, &[("If-Match", &generation)], Some(&body));
    if status != 200 {
        println!("promotion of version {version}: {status} {answer}");
    }
    status == 200
}

/// Resident memory of the server, MiB.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).expect("a running server");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("its memory");
    let kib: u64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .expect("a number");
    kib / 1024
}

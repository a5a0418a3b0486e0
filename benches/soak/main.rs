//! An hour of mixed traffic of every kind on one server, and what its memory does meanwhile; `--help` tells more.

mod memory;
mod traffic;

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lglp_tests::target::Target;
use lglp_tests::{HARDWARE, Registry};
use serde_json::json;

use self::memory::Sample;
use self::traffic::Traffic;

/// Growth that counts as none, MiB a minute.
const LEVEL: f64 = 1.0;

const HELP: &str = "\
Mixed traffic of every kind on one server, some 115 requests a second, and what its memory does meanwhile

Usage: cargo run --release -p lglp-tests --example soak -- [OPTIONS]

Options:
  --minutes N           How long it runs [default: 60]
  --recipe NAME         What the models in production are trained by [default: lglp-quick]
  --no-writes           Leaves out what makes the registry larger
  --heap-profile FILE   Has heaptrack record into FILE.zst from the first quarter of the time on
  --help                Prints this

Each minute is one line: requests, those that failed, memory in MiB (resident; proportional, where shared pages count for
their share; anonymous; of files; in glibc's heaps beside the first one), threads, open files. The slope is fitted to the
second half of the time, since a start fills caches that have bounds. The status is 1 where a request failed, or where
the slope is more than a MiB a minute.

The variable LGLP_PROGRAM names another server than target/release/lglp, to compare with; a script will do that sets
variables and then becomes the server by `exec`.

Examples:
  soak --minutes 60
  soak --minutes 15 --no-writes
  LGLP_PROGRAM=/opt/lglp-1/lglp soak --minutes 30

Heap profiles:
  heaptrack (Debian: heaptrack, gdb) attaches to the server; what it calls leaked was allocated since and not given back.
  It slows the server down.
    soak --minutes 20 --heap-profile /tmp/soak && heaptrack_print -l 1 /tmp/soak.zst | less
  jemalloc (Debian: libjemalloc2, and libjemalloc-dev for jeprof) samples, and costs little. The script of LGLP_PROGRAM:
    #!/bin/sh
    export LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2
    export MALLOC_CONF=prof:true,lg_prof_sample:17,lg_prof_interval:33,prof_prefix:/tmp/heap
    exec target/release/lglp \"$@\"
  Then what grew between two of its files, by place:
    jeprof --text --cum --base=/tmp/heap.EARLIER.heap target/release/lglp /tmp/heap.LATER.heap
";

struct Options {
    minutes: u64,
    recipe: String,
    writes: bool,
    heap_profile: Option<String>,
}

impl Options {
    fn read() -> Result<Self, String> {
        let mut options = Self {
            minutes: 60,
            recipe: "lglp-quick".into(),
            writes: true,
            heap_profile: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "--minutes" => options.minutes = minutes(&value()?)?,
                "--recipe" => options.recipe = value()?,
                "--no-writes" => options.writes = false,
                "--heap-profile" => options.heap_profile = Some(value()?),
                "--help" | "-h" => {
                    print!("{HELP}");
                    std::process::exit(0);
                }
                _ => return Err(format!("there is no option {name}")),
            }
        }
        Ok(options)
    }
}

fn minutes(text: &str) -> Result<u64, String> {
    let minutes = text.parse().ok().filter(|minutes| *minutes >= 2);
    minutes.ok_or_else(|| format!("--minutes takes a whole number, 2 at least, not {text}"))
}

fn main() {
    let options = Options::read().unwrap_or_else(|fault| {
        eprintln!("{fault}; see --help");
        std::process::exit(2);
    });
    let registry = Registry::default();
    registry.import(400);
    import_recorded(&registry);
    for seed in ["1", "2"] {
        registry.ok(&[
            "train",
            "--hardware",
            HARDWARE,
            "--recipe",
            &options.recipe,
            "--seed",
            seed,
        ]);
    }
    registry.ok(&["promote", "--hardware", HARDWARE, "1"]);
    let receiver = Target::start();
    let server = registry.serve();
    let webhook = json!({ "id": "soak", "url": receiver.url() });
    assert_eq!(server.post("/v1/webhooks", &webhook.to_string()).0, 201);
    let (pid, minutes) = (server.child.id(), options.minutes);
    println!("process {pid} at {}, {minutes} minutes", server.base);

    let traffic = Traffic::new(server.base.clone());
    let over = AtomicBool::new(false);
    let mut samples = Vec::new();
    let mut profiler = None;
    std::thread::scope(|scope| {
        for client in traffic.clients(options.writes) {
            scope.spawn(|| client(&over));
        }
        let over = &over;
        scope.spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let _ = receiver.deliveries.recv_timeout(Duration::from_secs(1));
            }
        });
        println!("{}", Sample::HEADER);
        let began = Instant::now();
        for minute in 0..=minutes {
            let due = began + Duration::from_secs(60 * minute);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if minute == minutes / 4
                && let Some(file) = &options.heap_profile
            {
                profiler = Some(profile(pid, file));
            }
            let sample = Sample::take(pid, minute, &traffic);
            println!("{sample}");
            samples.push(sample);
        }
        over.store(true, Ordering::Relaxed);
    });
    let slope = memory::slope(&samples[samples.len() / 2..]);
    println!("slope of the second half: {slope:.2} MiB a minute");
    for (kind, failed) in traffic.failures() {
        println!("failed: {failed} of {kind}");
    }
    let met = slope <= LEVEL && traffic.failed() == 0;
    println!(
        "target (no failed request, at most {LEVEL} MiB a minute): {}",
        if met { "met" } else { "missed" }
    );
    // Ends first, so that the profile is whole.
    drop(server);
    drop(profiler.map(|mut profiler: Child| profiler.wait()));
    drop(registry);
    std::process::exit(i32::from(!met));
}

/// Imports a measurement of the target that clients record for.
fn import_recorded(registry: &Registry) {
    let folder = registry.folder.path().join(traffic::RECORDED);
    std::fs::create_dir_all(&folder).expect("a folder");
    let shipped = registry.folder.path().join("dataset");
    for name in ["hardware.json", "mobilenetv3.jsonl"] {
        let text = std::fs::read_to_string(shipped.join(name)).expect("what was imported");
        let text = match name.ends_with(".jsonl") {
            true => text.lines().next().expect("a measurement").to_owned(),
            false => text,
        };
        let own = text.replace(&format!("\"{HARDWARE}\""), &format!("\"{}\"", traffic::RECORDED));
        std::fs::write(folder.join(name), own).expect("a file");
    }
    registry.ok(&["dataset", "import", folder.to_str().expect("UTF-8")]);
}

/// Has heaptrack record what a process allocates from now on.
fn profile(pid: u32, file: &str) -> Child {
    let mut command = Command::new("heaptrack");
    command.args(["--record-only", "-o", file, "-p", &pid.to_string()]);
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    child.expect("heaptrack; `apt-get install heaptrack gdb` installs it")
}

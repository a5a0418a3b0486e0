//! Children that write and acknowledge, and a parent that kills them at random and looks for what was acknowledged.
//!
//! sled 0.34 loses a committed transaction when its process is killed before a flush. So a child process writes and
//! prints a line after each acknowledgement; the parent kills it (-9), opens the registry, and looks for everything that
//! any child was told is written. With faults, the child's disk fails at random as well.

mod acknowledged;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use lglp_registry::prelude::*;
use lglp_registry::{AliasName, Disk, Error, HolderInfo, Measurement, NewVersion, RealDisk, Result, SledStore};
use lglp_registry_conformance::FaultyDisk;
use lglp_registry_conformance::fixtures::{measurement, name, promote, try_ready_for_versions};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

pub(crate) use acknowledged::Acknowledged;

const DIR: &str = "LGLP_REGISTRY_KILLED_DIR";
const RUN: &str = "LGLP_REGISTRY_KILLED_RUN";
/// One of how many steps of the child's disk fails; unset for a disk that works.
const FAULTS: &str = "LGLP_REGISTRY_KILLED_FAULTS";

/// Measurements in a bulk.
pub(crate) const BULK: usize = 40;

/// How often a registry is killed before the next one begins: checks read all of it.
const KILLS_OF_ONE: usize = 25;

pub(crate) fn production() -> AliasName {
    "production".parse().unwrap()
}

fn bulk(run: &str, step: u32) -> Vec<Measurement> {
    (0..BULK)
        .map(|index| measurement(&name("cpu"), &format!("bulk {run}.{step} {index}"), 1))
        .collect()
}

fn say(line: &str) {
    // One write a line: a kill leaves it out or lets it through.
    std::io::stdout().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// The child, where this process was started as one: writes until it is killed.
pub(crate) fn child() -> Option<std::convert::Infallible> {
    let (Some(dir), Ok(run)) = (std::env::var_os(DIR), std::env::var(RUN)) else {
        return None;
    };
    let one_in = std::env::var(FAULTS).ok().map(|text| text.parse::<u64>().unwrap());
    say("");
    let mut step = 0;
    for life in 0.. {
        let disk: Arc<dyn Disk> = match one_in {
            Some(one_in) => Arc::new(FaultyDisk::new(run.parse::<u64>().unwrap() << 32 | life, one_in)),
            None => Arc::new(RealDisk),
        };
        let store = match SledStore::open_on(Path::new(&dir), HolderInfo::default(), disk) {
            Ok(store) => store,
            Err(error) => {
                expected(&error, one_in);
                continue;
            }
        };
        // A fault that leaves the disk in doubt ends the life of the store; after the others it goes on.
        while let Err(error) = write(&store, &run, &mut step) {
            expected(&error, one_in);
            if let Err(stopped) = store.check_writable() {
                check_stopped(&store, &stopped);
                break;
            }
        }
    }
    unreachable!("it is killed before")
}

/// Only what a faulty disk explains may go wrong.
fn expected(error: &Error, one_in: Option<u64>) {
    let known = matches!(
        error,
        Error::Io { .. } | Error::DiskFull { .. } | Error::WritesStopped { .. }
    );
    if one_in.is_none() || !known {
        say(&format!("broken {error}"));
        std::process::exit(1);
    }
}

/// A store that stopped writing refuses every write, and reads on.
fn check_stopped(store: &SledStore, stopped: &Error) {
    let blob = store.put_blob(b"refused");
    let number = store.record_measurements(&bulk("refused", 0), "ann");
    let refused = matches!(
        (blob, number),
        (Err(Error::WritesStopped { .. }), Err(Error::WritesStopped { .. }))
    );
    let reads = store.hardware_targets().is_ok() && store.audit(0, 10).is_ok();
    if !refused || !reads || !matches!(stopped, Error::WritesStopped { .. }) {
        say(&format!("broken: refused {refused}, reads {reads}, {stopped}"));
        std::process::exit(1);
    }
}

/// Writes until something fails; a step that failed is not tried again.
fn write(store: &dyn Store, run: &str, step: &mut u32) -> Result<()> {
    let cpu = name("cpu");
    let base = try_ready_for_versions(store, &cpu)?;
    say("ack ready");
    loop {
        let now = *step;
        *step += 1;
        let new = measurement(&cpu, &format!("net {run}.{now}"), 0);
        store.record_measurement(&new, "ann")?;
        say(&format!("ack measurement {}", new.digest));
        if now.is_multiple_of(3) {
            let training_log = store.put_blob(format!("log {run}.{now}").as_bytes())?;
            say(&format!("ack blob {training_log}"));
            let new = NewVersion {
                training_log,
                ..base.clone()
            };
            let version = store.create_version(&cpu, &new, Some(&format!("{run}.{now}")))?;
            say(&format!("ack version {} {}", version.version, version.digest));
            let generation = store.alias(&cpu, &production()).map_or(0, |alias| alias.generation);
            let alias = store.move_alias(&cpu, &promote(version.version, generation))?;
            say(&format!("ack alias {} {}", alias.generation, alias.version));
        }
        if now % 3 == 2 {
            store.record_measurements(&bulk(run, now), "ann")?;
            say(&format!("ack bulk {run}.{now}"));
        }
    }
}

/// What some rounds of kills came to.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub rounds: usize,
    /// Lines of acknowledgements read, by kind.
    pub measurements: usize,
    pub blobs: usize,
    pub versions: usize,
    pub promotions: usize,
    pub bulks: usize,
    /// What was acknowledged and is not there, or is there and should not be.
    pub losses: Vec<String>,
}

impl Summary {
    pub(crate) fn acknowledgements(&self) -> usize {
        self.measurements + self.blobs + self.versions + self.promotions + self.bulks
    }
}

/// Kills `rounds` children started by `command`, each while it writes. `told` is called after each.
pub(crate) fn kill(rounds: usize, faults: Option<u64>, command: impl Fn() -> Command, told: impl Fn(usize)) -> Summary {
    let mut rng = StdRng::seed_from_u64(34);
    let mut summary = Summary::default();
    while summary.rounds < rounds {
        let dir = tempfile::tempdir().unwrap();
        let mut acknowledged = Acknowledged::default();
        let end = rounds.min(summary.rounds + KILLS_OF_ONE);
        while summary.rounds < end {
            let child = spawn(command(), dir.path(), summary.rounds, faults);
            kill_one(child, summary.rounds, &mut rng, &mut acknowledged);
            summary.losses.extend(acknowledged.losses(dir.path()));
            summary.rounds += 1;
            told(summary.rounds);
        }
        let store = SledStore::open(dir.path(), HolderInfo::default()).unwrap();
        let findings = store.verify(&|_, _| {}).unwrap().findings;
        summary
            .losses
            .extend(findings.iter().map(|f| format!("{}: {}", f.subject, f.fault)));
        acknowledged.add_to(&mut summary);
    }
    summary
}

/// Starts a child on a registry.
pub(crate) fn spawn(mut command: Command, dir: &Path, run: usize, faults: Option<u64>) -> Child {
    command.env(DIR, dir).env(RUN, run.to_string());
    if let Some(one_in) = faults {
        command.env(FAULTS, one_in.to_string());
    }
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills a child after some acknowledgements and a random while, and notes what it was told.
pub(crate) fn kill_one(mut child: Child, run: usize, rng: &mut StdRng, acknowledged: &mut Acknowledged) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // A third of the kills fall on opening, the others on writing.
    let wait = if run.is_multiple_of(3) {
        0
    } else {
        rng.random_range(1..30)
    };
    let mut seen = 0;
    while seen < wait {
        let line = lines.next().expect("the child writes until it is killed").unwrap();
        seen += usize::from(acknowledged.note(&line));
    }
    sleep(Duration::from_micros(
        rng.random_range(0..if wait == 0 { 40_000 } else { 8_000 }),
    ));
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines {
        acknowledged.note(&line.unwrap());
    }
}

//! What was acknowledged survives SIGKILL.
//!
//! sled 0.34 loses a committed transaction when its process is killed before a flush. So a child process writes and
//! prints a line after each acknowledgement, the parent kills it at random moments, opens the registry, and looks for
//! everything that any child was told is written.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use lglp_registry::conformance::fixtures::{SPACE, measurement, name, promote, ready_for_versions};
use lglp_registry::{AliasName, Change, Digest, HolderInfo, Measurement, NewVersion, SledStore, Store};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

const DIR: &str = "LGLP_REGISTRY_KILLED_DIR";
const RUN: &str = "LGLP_REGISTRY_KILLED_RUN";
const BULK: usize = 40;

fn open(dir: &Path) -> SledStore {
    SledStore::open(dir, HolderInfo::default()).unwrap()
}

fn production() -> AliasName {
    "production".parse().unwrap()
}

fn bulk(run: &str, step: u32) -> Vec<Measurement> {
    (0..BULK)
        .map(|index| measurement(&name("cpu"), &format!("bulk {run}.{step} {index}"), 1))
        .collect()
}

/// The child: writes until it is killed. It does nothing in an ordinary test run.
#[test]
fn child() {
    let (Some(dir), Ok(run)) = (std::env::var_os(DIR), std::env::var(RUN)) else {
        return;
    };
    let mut out = std::io::stdout();
    let mut say = |line: String| writeln!(out, "{line}").unwrap();
    say(String::new());
    let store = open(Path::new(&dir));
    let cpu = name("cpu");
    let base = ready_for_versions(&store, &cpu);
    say("ack ready".to_owned());
    for step in 0u32.. {
        let new = measurement(&cpu, &format!("net {run}.{step}"), 0);
        store.record_measurement(&new).unwrap();
        say(format!("ack measurement {}", new.digest));
        if step % 3 == 0 {
            let training_log = store.put_blob(format!("log {run}.{step}").as_bytes()).unwrap();
            say(format!("ack blob {training_log}"));
            let new = NewVersion {
                training_log,
                ..base.clone()
            };
            let version = store
                .create_version(&cpu, &new, Some(&format!("{run}.{step}")))
                .unwrap();
            say(format!("ack version {} {}", version.version, version.digest));
            let generation = store.alias(&cpu, &production()).map_or(0, |alias| alias.generation);
            let alias = store.move_alias(&cpu, &promote(version.version, generation)).unwrap();
            say(format!("ack alias {} {}", alias.generation, alias.version));
        }
        if step % 3 == 2 {
            store.record_measurements(&bulk(&run, step)).unwrap();
            say(format!("ack bulk {run}.{step}"));
        }
    }
}

/// Everything that the children were told is written.
#[derive(Default)]
struct Acknowledged {
    ready: bool,
    measurements: BTreeSet<Digest>,
    blobs: BTreeSet<Digest>,
    versions: BTreeMap<u32, Digest>,
    aliases: BTreeMap<u64, u32>,
    bulks: BTreeSet<String>,
    lines: usize,
}

impl Acknowledged {
    fn note(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        self.lines += 1;
        match words[..] {
            ["ack", "ready"] => self.ready = true,
            ["ack", "measurement", digest] => drop(self.measurements.insert(digest.parse().unwrap())),
            ["ack", "blob", digest] => drop(self.blobs.insert(digest.parse().unwrap())),
            ["ack", "version", number, digest] => {
                self.versions.insert(number.parse().unwrap(), digest.parse().unwrap());
            }
            ["ack", "alias", generation, version] => {
                self.aliases
                    .insert(generation.parse().unwrap(), version.parse().unwrap());
            }
            ["ack", "bulk", id] => drop(self.bulks.insert(id.to_owned())),
            _ => panic!("unknown line {line:?}"),
        }
    }

    fn check(&self, dir: &Path) {
        let store = open(dir);
        let head = store.verify_audit().unwrap();
        let events = store.events(0, usize::MAX).unwrap();
        assert_eq!(events.len() as u64, head.entries, "an event for every audit entry");
        let cpu = name("cpu");
        if store.hardware(&cpu).is_err() {
            assert!(!self.ready, "the hardware target was acknowledged");
            return;
        }
        let measured = store.measured_digests(&cpu, SPACE, 0).unwrap();
        assert!(measured.is_superset(&self.measurements), "a measurement is lost");
        assert_eq!(measured.len(), store.measurements(&cpu, SPACE, Some(0)).unwrap().len());
        self.blobs
            .iter()
            .for_each(|digest| drop(store.get_blob(digest).unwrap()));

        let versions = store.versions(&cpu).unwrap();
        assert!(
            versions
                .iter()
                .enumerate()
                .all(|(index, version)| version.version as usize == index + 1)
        );
        for (number, digest) in &self.versions {
            assert_eq!(&versions[*number as usize - 1].digest, digest);
        }
        self.check_aliases(
            &store,
            &events.into_iter().map(|event| event.change).collect::<Vec<_>>(),
        );
        self.check_bulks(&store);
    }

    /// The alias, the audit log and the events tell one story.
    fn check_aliases(&self, store: &dyn Store, changes: &[Change]) {
        let moves: Vec<(u64, u32)> = changes
            .iter()
            .filter_map(|change| match change {
                Change::AliasMoved {
                    generation, version, ..
                } => Some((*generation, *version)),
                _ => None,
            })
            .collect();
        assert!(
            moves
                .iter()
                .enumerate()
                .all(|(index, (generation, _))| *generation == index as u64 + 1)
        );
        let alias = store
            .alias(&name("cpu"), &production())
            .ok()
            .map(|alias| (alias.generation, alias.version));
        assert_eq!(alias, moves.last().copied());
        for (generation, version) in &self.aliases {
            assert_eq!(moves[*generation as usize - 1].1, *version);
        }
    }

    /// A bulk is there wholly or not at all.
    fn check_bulks(&self, store: &dyn Store) {
        let mut counts = BTreeMap::<String, usize>::new();
        for measurement in store.measurements(&name("cpu"), SPACE, Some(1)).unwrap() {
            let id = measurement.architecture.split(' ').nth(1).unwrap().to_owned();
            *counts.entry(id).or_default() += 1;
        }
        assert!(counts.values().all(|count| *count == BULK), "half a bulk: {counts:?}");
        assert!(self.bulks.iter().all(|id| counts.contains_key(id)), "a bulk is lost");
    }
}

fn spawn(dir: &Path, run: usize) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture", "--test-threads", "1"]);
    command.env(DIR, dir).env(RUN, run.to_string());
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills a child after some acknowledgements and a random while, and notes what it was told.
fn kill_one(dir: &Path, run: usize, rng: &mut StdRng, acknowledged: &mut Acknowledged) {
    let mut child = spawn(dir, run);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut note = |line: String| {
        if line.starts_with("ack ") {
            acknowledged.note(&line);
        }
        line.starts_with("ack ")
    };
    // A third of the kills fall on opening, the others on writing.
    let wait = if run.is_multiple_of(3) {
        0
    } else {
        rng.random_range(1..30)
    };
    let mut seen = 0;
    while seen < wait {
        let line = lines.next().expect("the child writes until it is killed").unwrap();
        seen += usize::from(note(line));
    }
    sleep(Duration::from_micros(
        rng.random_range(0..if wait == 0 { 40_000 } else { 8_000 }),
    ));
    child.kill().unwrap();
    child.wait().unwrap();
    // A line cut by the kill has no acknowledgement in it: it is printed in one write.
    for line in lines {
        note(line.unwrap());
    }
}

#[test]
fn what_was_acknowledged_survives_60_kills_of_one_registry() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = StdRng::seed_from_u64(34);
    let mut acknowledged = Acknowledged::default();
    for run in 0..60 {
        kill_one(dir.path(), run, &mut rng, &mut acknowledged);
        acknowledged.check(dir.path());
    }
    println!("{} acknowledgements", acknowledged.lines);
    assert!(
        acknowledged.aliases.len() > 30 && acknowledged.bulks.len() > 20,
        "the kills fell on too little work"
    );
}

#[test]
fn a_registry_killed_while_it_is_created_opens_again() {
    let mut rng = StdRng::seed_from_u64(43);
    for run in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let mut acknowledged = Acknowledged::default();
        kill_one(dir.path(), 3 * run, &mut rng, &mut acknowledged);
        acknowledged.check(dir.path());
    }
}

//! `kill -9` at random moments of `lglp train`, `measure` and `promote`: the registry opens afterwards, with everything
//! that was acknowledged.
//!
//! sled 0.34 loses a committed transaction when its process is killed before a flush, so acknowledging before flushing
//! passes every test but this one.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use lglp_registry::prelude::*;
use lglp_registry::{Digest, HardwareName, HolderInfo, Measurement, SledStore, Version};
use lglp_tests::{HARDWARE, Registry};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

const KILLS: usize = 60;

/// What commands have said is done.
#[derive(Default)]
struct Acknowledged {
    versions: BTreeMap<u32, Value>,
    /// Version and generation of `production`.
    production: Option<(u64, u64)>,
    measurements: BTreeMap<(Digest, u32), Measurement>,
}

fn name(text: &str) -> HardwareName {
    text.parse().expect("a name")
}

fn production(store: &SledStore) -> Option<(u64, u64)> {
    let alias = store
        .alias(&name(HARDWARE), &"production".parse().expect("a name"))
        .ok()?;
    Some((u64::from(alias.version), alias.generation))
}

impl Acknowledged {
    /// Opens the registry and looks for all of it; then what is there counts as acknowledged.
    fn check(&mut self, registry: &Registry) {
        let store = SledStore::open(registry.path(), HolderInfo::default()).expect("the registry opens");
        store.verify_audit().expect("the audit chain holds");
        let versions: Vec<Version> = store.versions(&name(HARDWARE)).expect("versions");
        for (i, version) in versions.iter().enumerate() {
            assert_eq!(version.version as usize, i + 1, "versions are numbered without gaps");
            for digest in version
                .content
                .artifacts
                .values()
                .chain([&version.content.training_log])
            {
                store
                    .get_blob(digest)
                    .expect("a version's blobs are there and unharmed");
            }
        }
        for (number, acknowledged) in &self.versions {
            let found = versions
                .get(*number as usize - 1)
                .expect("an acknowledged version is there");
            assert_eq!(serde_json::json!(found), *acknowledged);
        }
        let now = production(&store);
        assert!(
            now.map(|p| p.1) >= self.production.map(|p| p.1),
            "a promotion is gone: {now:?}"
        );
        if now.map(|p| p.1) == self.production.map(|p| p.1) {
            assert_eq!(now, self.production);
        }
        self.production = now;
        let found = store
            .measurements(&name("here"), "ofa-mobilenetv3", None)
            .unwrap_or_default();
        let found: BTreeMap<_, _> = found
            .into_iter()
            .map(|m| ((m.digest.clone(), m.replicate), m))
            .collect();
        for (key, acknowledged) in &self.measurements {
            assert_eq!(
                found.get(key),
                Some(acknowledged),
                "a measurement is gone or was replaced"
            );
        }
        self.measurements = found;
    }

    fn command_ended(&mut self, command: &str, answer: &Value) {
        match command {
            "train" => {
                let number = answer["version"].as_u64().expect("a number") as u32;
                self.versions.insert(number, answer.clone());
            }
            "promote" => {
                let number = |field: &str| answer[field].as_u64().expect("a number");
                self.production = Some((number("version"), number("generation")));
            }
            _ => {}
        }
    }
}

#[test]
#[ignore = "takes long"]
fn nothing_acknowledged_is_lost_to_kill_9() {
    let mut rng = StdRng::seed_from_u64(20);
    let registry = Registry::default();
    registry.import(40);
    let mut acknowledged = Acknowledged::default();
    // One undisturbed run of each, which also tells how long they take here: kills must fall into all of it.
    let commands = ["train", "promote", "measure"];
    let arguments = |command: &str, acknowledged: &Acknowledged, rng: &mut StdRng| -> Vec<String> {
        let text = match command {
            "train" => format!(
                "train --hardware {HARDWARE} --recipe lightgbm --seed {} --json",
                rng.random_range(0..9)
            ),
            "promote" => format!(
                "promote --hardware {HARDWARE} {} --json",
                rng.random_range(1..=acknowledged.versions.len())
            ),
            _ => {
                let count = acknowledged.measurements.len() + 1;
                format!("measure --hardware here --space ofa-mobilenetv3 --budget 0.05 --count {count} --json")
            }
        };
        text.split(' ').map(str::to_owned).collect()
    };
    let mut durations = BTreeMap::new();
    // Measuring calibrates its target once, which takes far longer than what is killed later.
    registry.ok(&[
        "measure",
        "--hardware",
        "here",
        "--space",
        "ofa-mobilenetv3",
        "--budget",
        "0.05",
        "--count",
        "1",
    ]);
    acknowledged.check(&registry);
    for command in commands {
        let arguments = arguments(command, &acknowledged, &mut rng);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let started = std::time::Instant::now();
        let answer = serde_json::from_str(&registry.ok(&arguments)).expect("JSON");
        durations.insert(command, started.elapsed());
        acknowledged.command_ended(command, &answer);
        acknowledged.check(&registry);
    }
    let (mut kills, mut ended) = (0, 0);
    while kills < KILLS {
        let command = commands[rng.random_range(0..commands.len())];
        let arguments = arguments(command, &acknowledged, &mut rng);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child = registry
            .command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        // Half of the kills fall into the last fifth, where the registry is written.
        let late = if rng.random_bool(0.5) { 0.8 } else { 0.0 };
        std::thread::sleep(
            durations[command]
                .mul_f64(rng.random_range(late..1.1))
                .max(Duration::from_millis(1)),
        );
        child.kill().expect("killed, or ended before");
        let output = child.wait_with_output().expect("ended");
        // Whatever was printed was acknowledged, even where the kill came before the end of the process.
        if let Ok(answer) = serde_json::from_slice(&output.stdout) {
            acknowledged.command_ended(command, &answer);
        }
        if output.status.success() {
            ended += 1;
        } else {
            kills += 1;
        }
        acknowledged.check(&registry);
    }
    println!(
        "{kills} kills, {ended} commands ended before theirs; {} versions, {} measurements, production {:?}",
        acknowledged.versions.len(),
        acknowledged.measurements.len(),
        acknowledged.production
    );
    assert!(acknowledged.measurements.len() > 1 && acknowledged.production.is_some());
}

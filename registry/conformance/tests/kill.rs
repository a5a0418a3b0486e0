//! What was acknowledged survives SIGKILL, on a disk that works and on one that fails. `cargo bench --bench kill` does the
//! same 1,000 times.

mod kills;

use std::process::Command;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use kills::{Acknowledged, Summary};

/// The child. It does nothing in an ordinary test run.
#[test]
fn child() {
    kills::child();
}

fn command() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture", "--test-threads", "1"]);
    command
}

fn check(summary: &Summary) {
    println!("{} acknowledgements: {summary:?}", summary.acknowledgements());
    assert_eq!(summary.losses, [""; 0]);
    assert!(
        summary.promotions > 30 && summary.bulks > 20,
        "the kills fell on too little work"
    );
}

#[test]
fn what_was_acknowledged_survives_100_kills() {
    check(&kills::kill(100, None, command, |_| {}));
}

#[test]
fn what_was_acknowledged_survives_100_kills_on_a_disk_that_fails() {
    check(&kills::kill(100, Some(150), command, |_| {}));
}

#[test]
fn a_registry_killed_while_it_is_created_opens_again() {
    let mut rng = StdRng::seed_from_u64(43);
    for run in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let mut acknowledged = Acknowledged::default();
        let child = kills::spawn(command(), dir.path(), 3 * run, None);
        kills::kill_one(child, 3 * run, &mut rng, &mut acknowledged);
        assert_eq!(acknowledged.losses(dir.path()), [""; 0]);
    }
}

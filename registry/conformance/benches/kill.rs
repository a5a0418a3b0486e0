//! Kills writing children 1,000 times and counts what they lost, on a disk that works and on one that fails:
//! `cargo bench -p lglp-registry --bench kill -- [ROUNDS]`, or `ROUNDS=...`.

#[path = "../tests/kills/mod.rs"]
mod kills;

use std::process::{Command, ExitCode};
use std::time::Instant;

fn main() -> ExitCode {
    kills::child();
    let argument = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let rounds = argument.or_else(|| std::env::var("ROUNDS").ok());
    let rounds: usize = rounds.map_or(1000, |text| text.parse().expect("ROUNDS is a number"));
    let program = std::env::current_exe().expect("this program has a path");
    let mut lost = 0;
    for (disk, faults) in [
        ("a disk that works", None),
        ("one step of 150 of the disk fails", Some(150)),
    ] {
        let started = Instant::now();
        let told = |round: usize| {
            if round.is_multiple_of(100) {
                eprintln!(
                    "{disk}: {round} of {rounds} rounds, {:.0} s",
                    started.elapsed().as_secs_f64()
                );
            }
        };
        let summary = kills::kill(rounds, faults, || Command::new(&program), told);
        println!(
            "{disk}: {} rounds, {} acknowledgements ({} measurements, {} bulks of {}, {} blobs, {} versions, {} promotions), \
             {} losses, {:.0} s",
            summary.rounds,
            summary.acknowledgements(),
            summary.measurements,
            summary.bulks,
            kills::BULK,
            summary.blobs,
            summary.versions,
            summary.promotions,
            summary.losses.len(),
            started.elapsed().as_secs_f64()
        );
        summary.losses.iter().for_each(|loss| println!("  lost: {loss}"));
        lost += summary.losses.len();
    }
    if lost == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

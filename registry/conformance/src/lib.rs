//! The suite that every implementation of [`Store`] passes.

mod aliases;
mod audit;
mod blobs;
mod database;
mod datasets;
mod exclusions;
mod faulty_disk;
pub mod fixtures;
mod gates;
mod hardware;
mod interventions;
mod jobs;
mod maintenance;
mod measurements;
mod tokens;
mod traffic;
mod usage;
mod validations;
mod versions;
mod webhooks;
mod workers;

pub use database::edit;
pub use faulty_disk::FaultyDisk;

use lglp_registry::{Error, Result, Store};

type Check = (&'static str, fn(&dyn Store));

/// Runs every check, each on an empty store from `make`.
///
/// # Panics
/// Where the store breaks a promise of [`Store`]. The name of each check is printed before it runs.
pub fn run_all(make: impl Fn() -> Box<dyn Store>) {
    let groups = [
        hardware::CHECKS,
        measurements::CHECKS,
        exclusions::CHECKS,
        usage::CHECKS,
        datasets::CHECKS,
        blobs::CHECKS,
        versions::CHECKS,
        aliases::CHECKS,
        gates::CHECKS,
        jobs::CHECKS,
        traffic::CHECKS,
        validations::CHECKS,
        audit::CHECKS,
        maintenance::CHECKS,
        interventions::CHECKS,
        tokens::CHECKS,
        webhooks::CHECKS,
        workers::CHECKS,
    ];
    for (name, check) in groups.concat() {
        println!("conformance: {name}");
        check(make().as_ref());
    }
}

/// What is wrong, wherever in a list.
fn fault(error: Error) -> Error {
    match error {
        Error::Item { fault, .. } => *fault,
        other => other,
    }
}

/// The field of an expected [`Error::Conflict`].
#[track_caller]
fn conflict<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result.map_err(fault) {
        Err(Error::Conflict { field, .. }) => field,
        other => panic!("expected a conflict, got {other:?}"),
    }
}

/// The field of an expected [`Error::Invalid`].
#[track_caller]
fn invalid<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::Invalid { field, .. }) => field,
        other => panic!("expected an invalid field, got {other:?}"),
    }
}

/// What an expected [`Error::NotFound`] says is missing.
#[track_caller]
fn not_found<T: std::fmt::Debug>(result: Result<T>) -> (&'static str, String) {
    match result.map_err(fault) {
        Err(Error::NotFound { what, id }) => (what, id),
        other => panic!("expected nothing to be found, got {other:?}"),
    }
}

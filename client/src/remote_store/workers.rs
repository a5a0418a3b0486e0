//! Workers: a server deals with them itself. What people may ask of them, `lglp workers` asks the server for.

use lglp_registry::{
    Accepted, Error, Measurement, NewHardware, NewWorker, Quota, Result, SignOfLife, Worker, WorkerName, Workers,
};

use super::RemoteStore;

fn works_itself<T>() -> Result<T> {
    Err(Error::invalid("worker", "a server deals with its workers itself"))
}

impl Workers for RemoteStore {
    fn register_worker(&self, _: &NewWorker, _: Option<&NewHardware>, _: Quota, _: &str) -> Result<Worker> {
        works_itself()
    }

    fn worker(&self, _: &WorkerName) -> Result<Worker> {
        works_itself()
    }

    fn workers(&self) -> Result<Vec<Worker>> {
        works_itself()
    }

    fn see_worker(&self, _: &WorkerName, _: &str, _: SignOfLife) -> Result<Worker> {
        works_itself()
    }

    fn sign_off_worker(&self, _: &WorkerName, _: &str) -> Result<Worker> {
        works_itself()
    }

    fn confirm_worker(&self, _: &WorkerName, _: &str, _: &str) -> Result<Worker> {
        works_itself()
    }

    fn record_leased(&self, _: u64, _: u64, _: &[Measurement], _: &str) -> Result<Accepted> {
        works_itself()
    }

    fn renew_leases_except(&self, _: &str) -> Result<()> {
        works_itself()
    }
}

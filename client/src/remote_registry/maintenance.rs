//! What somebody does who looks after a registry.

use std::io::Write;
use std::time::Duration;

use lglp_openapi::hardware::RenameHardware;
use lglp_openapi::measurements::Deleted;
use lglp_openapi::registry::CollectBlobs;
use lglp_registry::{Collected, Error, HardwareName, HardwareTarget, Intervention, Maintenance, Result, Verification};
use serde::Deserialize;
use ureq::http::Method;

use super::{RemoteRegistry, error};

#[derive(Deserialize)]
struct Ready {
    writes: Option<String>,
}

impl Maintenance for RemoteRegistry {
    fn delete_hardware(&self, hardware: &HardwareName, how: &Intervention) -> Result<()> {
        let path = format!("/v1/hardware/{hardware}?{}", asked(&[], how));
        let deleted = self.0.delete(&path);
        deleted.map_err(error("delete the hardware target", "hardware target"))
    }

    fn rename_hardware(
        &self,
        hardware: &HardwareName,
        to: &HardwareName,
        how: &Intervention,
    ) -> Result<HardwareTarget> {
        let path = format!("/v1/hardware/{hardware}/rename");
        let order = RenameHardware {
            to: to.clone(),
            reason: how.reason.clone(),
            force: how.force,
        };
        let failed = error("rename the hardware target", "hardware target");
        self.0.send(Method::POST, &path, &[], &order).map_err(failed)
    }

    fn delete_measurements(&self, hardware: &HardwareName, space: &str, how: &Intervention) -> Result<usize> {
        let path = format!("/v1/{hardware}/measurements?{}", asked(&[("space", space)], how));
        let failed = error("delete measurements", "hardware target");
        let deleted: Deleted = self.0.delete_for(&path).map_err(failed)?;
        Ok(deleted.deleted)
    }

    fn check_writable(&self) -> Result<()> {
        let ready: Ready = self.0.get("/readyz").map_err(error("ask the server", "server"))?;
        let stopped = |reason| Err(Error::WritesStopped { reason });
        ready.writes.map_or(Ok(()), stopped)
    }

    fn backup(&self, out: &mut dyn Write) -> Result<()> {
        let path = "/v1/registry/backup";
        self.0
            .download(path, out)
            .map_err(error("fetch the backup", "registry"))
    }

    /// The server tells of no progress.
    fn verify(&self, _progress: &dyn Fn(u64, u64)) -> Result<Verification> {
        let path = "/v1/registry/verify";
        self.0.get(path).map_err(error("verify the registry", "registry"))
    }

    fn collect_blobs(&self, keep: Duration, dry_run: bool, _actor: &str) -> Result<Collected> {
        let order = CollectBlobs {
            keep_seconds: keep.as_secs(),
            dry_run,
        };
        self.0
            .send(Method::POST, "/v1/registry/gc", &[], &order)
            .map_err(error("collect blobs", "registry"))
    }
}

/// The query of an intervention; the server knows who the caller is.
fn asked(further: &[(&str, &str)], how: &Intervention) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(further).append_pair("reason", &how.reason);
    if how.force {
        query.append_pair("force", "true");
    }
    query.finish()
}

//! What was measured.

use std::collections::BTreeSet;
use std::ops::Range;

use lglp_openapi::measurements::{ImportMeasurements, Recorded};
use lglp_registry::{Blobs, Digest, HardwareName, MeasuredSpace, Measurement, Measurements, Result, canonical_json};
use ureq::http::Method;

use super::{RemoteRegistry, error};
use crate::ClientError;

/// Bytes of measurements that are sent at once, as JSON, before the last of them.
const TOGETHER: usize = 4 << 20;

impl Measurements for RemoteRegistry {
    fn record_measurements(&self, measurements: &[Measurement], _actor: &str) -> Result<usize> {
        let Some(first) = measurements.first() else {
            return Ok(0);
        };
        let parts = parts(measurements)?;
        let failed = |refused| error("record measurements", "hardware target")(of_whole(refused, &parts));
        let path = format!("/v1/{}/measurements", first.hardware);
        if parts.len() == 1 {
            let recorded: Recorded = self.0.send(Method::POST, &path, &[], &measurements).map_err(failed)?;
            return Ok(recorded.recorded);
        }
        // Each part is stored on its own, and what they hold is recorded in one step.
        let mut import = ImportMeasurements { parts: Vec::new() };
        for part in &parts {
            let digest = self.put_blob(&canonical_json(&measurements[part.clone()])?)?;
            import.parts.push(digest.to_string());
        }
        let path = format!("{path}/import");
        let recorded: Recorded = self.0.send(Method::POST, &path, &[], &import).map_err(failed)?;
        Ok(recorded.recorded)
    }

    fn measurements(&self, hardware: &HardwareName, space: &str, replicate: Option<u32>) -> Result<Vec<Measurement>> {
        self.listed(hardware, space, replicate, "")
    }

    fn measurements_without_samples(
        &self,
        hardware: &HardwareName,
        space: &str,
        replicate: Option<u32>,
    ) -> Result<Vec<Measurement>> {
        self.listed(hardware, space, replicate, "&samples=false")
    }

    fn measured_spaces(&self, hardware: &HardwareName) -> Result<Vec<MeasuredSpace>> {
        let path = format!("/v1/{hardware}/spaces");
        let failed = error("list measured spaces", "hardware target");
        self.0.get(&path).map_err(failed)
    }

    fn measured_digests(&self, hardware: &HardwareName, space: &str, replicate: u32) -> Result<BTreeSet<Digest>> {
        let measured = self.measurements_without_samples(hardware, space, Some(replicate))?;
        Ok(measured.into_iter().map(|m| m.digest).collect())
    }
}

impl RemoteRegistry {
    fn listed(
        &self,
        hardware: &HardwareName,
        space: &str,
        replicate: Option<u32>,
        further: &str,
    ) -> Result<Vec<Measurement>> {
        let replicate = replicate.map(|r| format!("&round={r}")).unwrap_or_default();
        let path = format!("/v1/{hardware}/measurements?space={space}{replicate}{further}");
        self.0.get(&path).map_err(error("list measurements", "hardware target"))
    }
}

/// Where measurements are cut into parts.
fn parts(measurements: &[Measurement]) -> Result<Vec<Range<usize>>> {
    let (mut parts, mut begin, mut bytes) = (Vec::new(), 0, 0);
    for (at, measurement) in measurements.iter().enumerate() {
        bytes += canonical_json(measurement)?.len() + 1;
        if bytes >= TOGETHER || at + 1 == measurements.len() {
            parts.push(begin..at + 1);
            (begin, bytes) = (at + 1, 0);
        }
    }
    Ok(parts)
}

/// What is wrong with an item of a part (`/parts/2/17/latency_ms`), as of the whole list.
fn of_whole(error: ClientError, parts: &[Range<usize>]) -> ClientError {
    let ClientError::Problem(mut problem) = error else {
        return error;
    };
    for fault in &mut problem.errors {
        let steps: Vec<&str> = fault.pointer.splitn(5, '/').collect();
        if let ["", "parts", part, at, rest @ ..] = steps.as_slice()
            && let (Ok(part), Ok(at)) = (part.parse::<usize>(), at.parse::<usize>())
            && let Some(part) = parts.get(part)
        {
            let at = (part.start + at).to_string();
            fault.pointer = [&["", &at], rest].concat().join("/");
        }
    }
    if let [fault] = problem.errors.as_slice() {
        problem.detail = format!("{}: {}", fault.pointer, fault.detail);
    }
    ClientError::Problem(problem)
}

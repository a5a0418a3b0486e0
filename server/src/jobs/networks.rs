//! Networks of no space that jobs measure: models without their weights, which clients have stored as blobs.

use std::collections::HashMap;
use std::sync::Arc;
use std::{fmt, io};

use lglp_engine::measure::Plan;
use lglp_engine::networks::{GivenNetwork, Rules, Structures};
use lglp_openapi::jobs::MeasureParameters;
use lglp_registry::{Digest, Error, MeasuredNetwork, Measurement, ONNX, Result, Store};

use super::Services;
use super::plans::bad_plan;

/// Networks that one job measures at most.
pub(super) const NETWORKS_LIMIT: usize = 10_000;

/// Bytes of a model without its weights at most; the largest of torchvision and timm take a tenth.
const STRUCTURE_LIMIT: u64 = 16 << 20;

/// The blobs of a registry.
struct Blobs(Arc<dyn Store>);

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blobs")
    }
}

impl Structures for Blobs {
    fn structure(&self, digest: &Digest) -> io::Result<Vec<u8>> {
        let blob = within_limit(&*self.0, digest).and_then(|()| self.0.get_blob(digest));
        blob.map_err(io::Error::other)
    }
}

fn within_limit(store: &dyn Store, digest: &Digest) -> Result<()> {
    let bytes = store.blob_size(digest)?;
    if bytes <= STRUCTURE_LIMIT {
        return Ok(());
    }
    let most = STRUCTURE_LIMIT >> 20;
    Err(bad_plan(format!(
        "{digest} has {bytes} bytes; a model without its weights has at most {most} MiB"
    )))
}

/// Where the models of networks lie.
pub(super) fn structures(services: &Services) -> Arc<dyn Structures> {
    Arc::new(Blobs(services.store.clone()))
}

/// The networks that a job measures; `None` where it measures architectures.
///
/// # Errors
/// `Invalid` where the job's space and its plan do not agree in that.
pub(super) fn networks_of(
    parameters: &MeasureParameters,
    plan: Option<&Plan>,
    services: &Services,
) -> Result<Option<Vec<GivenNetwork>>> {
    match (parameters.space == ONNX, plan) {
        (false, Some(plan)) if !plan.names.is_empty() => Err(bad_plan(format!(
            "it names networks: `space` is `{ONNX}` where these are measured"
        ))),
        (false, _) => Ok(None),
        (true, None) => Err(bad_plan(
            "networks are measured by a plan that names them; `lglp measure --onnx FILES --job` makes one",
        )),
        (true, Some(plan)) => {
            let networks = plan
                .networks(&structures(services))
                .map_err(|e| bad_plan(e.to_string()))?;
            let unnamed = || bad_plan("`names` is missing, which tells what people call each network");
            networks.ok_or_else(unnamed).map(Some)
        }
    }
}

/// Measurements of networks, each called as it is named, with what it computes as the stored model tells it, by the rules of the target's
/// runtime: neither is for a worker to say.
///
/// # Errors
/// `Invalid` for one of what nobody stored, or cannot be measured.
pub(super) fn as_stored(
    measured: &[Measurement],
    names: Vec<Option<String>>,
    rules: Option<&Rules>,
    services: &Services,
) -> Result<Vec<Measurement>> {
    let structures = structures(services);
    let mut tables: HashMap<&str, MeasuredNetwork> = HashMap::new();
    let mut stored = Vec::with_capacity(measured.len());
    for ((at, measurement), name) in measured.iter().enumerate().zip(names) {
        let text = measurement.architecture.as_str();
        if !tables.contains_key(text) {
            let digest: Digest = text.parse()?;
            let field = || format!("measurements.{at}.architecture");
            let sent = GivenNetwork::sent(name.unwrap_or_default(), digest.clone(), structures.clone());
            let loaded = match sent.load(rules) {
                // Where the registry fails, it is not the measurement's fault, which is to be sent again.
                Err(unusable) if unusable.problem.is_passing() => {
                    return match services.store.get_blob(&digest) {
                        Err(Error::NotFound { .. }) | Ok(_) => Err(Error::invalid(field(), unusable.to_string())),
                        Err(error) => Err(error),
                    };
                }
                loaded => loaded.map_err(|e| Error::invalid(field(), e.to_string()))?,
            };
            tables.insert(text, loaded.network);
        }
        stored.push(Measurement {
            network: tables.get(text).cloned(),
            ..measurement.clone()
        });
    }
    Ok(stored)
}

/// Refuses a plan of more networks than a job measures, or of such as nobody stored.
///
/// # Errors
/// `Invalid`.
pub(super) fn check_stored(plan: &Plan, services: &Services) -> Result<()> {
    let count = plan.architectures.len();
    if count > NETWORKS_LIMIT {
        return Err(bad_plan(format!(
            "expected {NETWORKS_LIMIT} networks at most, got {count}"
        )));
    }
    for (text, name) in plan.architectures.iter().zip(&plan.names) {
        let digest = text.parse().map_err(|e: Error| bad_plan(e.to_string()))?;
        match within_limit(&*services.store, &digest) {
            Err(Error::NotFound { .. }) => {
                let reason = format!(
                    "there is no blob {text} ({name}); store the model without its weights first: POST /v1/blobs"
                );
                return Err(bad_plan(reason));
            }
            stored => stored?,
        }
    }
    Ok(())
}

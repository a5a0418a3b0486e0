//! Plans as they are kept: blobs, some of which clients have stored. One is read at a time, and the last one stays in memory,
//! so that neither many requests nor a worker that asks again and again take more than one plan takes.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use lglp_registry::{Digest, Error, Result, Store, canonical_json};
use lglp_sdk::strict::Strict;

use lglp_engine::measure::Plan;

/// Bytes of a plan at most: `MEASURE_LIMIT` of the largest architectures of the spaces that come along take 29 MiB.
pub(super) const PLAN_LIMIT: usize = 32 << 20;

/// A plan, and by what a measurement of each of its architectures is found: a worker asks for that at every batch.
pub(super) struct KeptPlan {
    plan: Plan,
    digests: Vec<Digest>,
}

impl KeptPlan {
    pub(super) fn digests(&self) -> &[Digest] {
        &self.digests
    }
}

impl From<Plan> for KeptPlan {
    fn from(plan: Plan) -> Self {
        let digests = plan.architectures.iter().map(|text| Digest::of(text.as_bytes()));
        Self {
            digests: digests.collect(),
            plan,
        }
    }
}

impl Deref for KeptPlan {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.plan
    }
}

/// The plans of a registry.
#[derive(Default)]
pub struct Plans {
    last: Mutex<Option<(Digest, Arc<KeptPlan>)>>,
}

impl Plans {
    /// Keeps a plan.
    ///
    /// # Errors
    /// `Invalid` for one that is larger than [`PLAN_LIMIT`]; those of `put_blob`.
    pub(super) fn keep(&self, store: &dyn Store, plan: &Plan) -> Result<Digest> {
        let content = canonical_json(plan)?;
        within_limit(content.len() as u64)?;
        store.put_blob(&content)
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// `Invalid` for what is none; `NotFound`; `CorruptBlob`.
    pub(super) fn read(&self, store: &dyn Store, digest: &Digest) -> Result<Arc<KeptPlan>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, plan)) = last.as_ref().filter(|(known, _)| known == digest) {
            return Ok(plan.clone());
        }
        // What is kept already makes room first.
        *last = None;
        within_limit(store.blob_size(digest)?)?;
        let plan = Arc::new(KeptPlan::from(parse(&store.get_blob(digest)?)?));
        *last = Some((digest.clone(), plan.clone()));
        Ok(plan)
    }
}

/// Reads the text of a plan; a fault names its place.
fn parse(text: &[u8]) -> Result<Plan> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let plan: Plan =
        serde_path_to_error::deserialize(Strict::closed(&mut json)).map_err(|e| bad_plan(e.to_string()))?;
    json.end().map_err(|e| bad_plan(e.to_string()))?;
    Ok(plan)
}

/// What is wrong with a plan.
pub(super) fn bad_plan(reason: impl Into<String>) -> Error {
    Error::invalid("parameters.plan", reason)
}

fn within_limit(bytes: u64) -> Result<()> {
    if bytes <= PLAN_LIMIT as u64 {
        return Ok(());
    }
    let most = PLAN_LIMIT >> 20;
    Err(bad_plan(format!(
        "a plan has at most {most} MiB, this one {bytes} bytes; measure it by several jobs"
    )))
}

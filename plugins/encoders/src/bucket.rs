//! The resolution as encodings B and C have it: one of eight buckets of 146 pixels, which cover 0 to 1168.

use lglp_sdk::plugin::PluginError;

pub(crate) const BUCKETS: usize = 8;

/// The bucket of each resolution choice.
pub(crate) fn buckets(resolutions: &[u32]) -> Result<Vec<usize>, PluginError> {
    let bucket = |resolution: &u32| {
        let bucket = (resolution / 146) as usize;
        if bucket < BUCKETS {
            return Ok(bucket);
        }
        let most = BUCKETS * 146 - 1;
        Err(PluginError::Failed(format!(
            "resolution {resolution}: encodings B and C reach up to {most}; use A or D"
        )))
    };
    resolutions.iter().map(bucket).collect()
}

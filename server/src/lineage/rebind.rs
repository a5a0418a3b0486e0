//! Binding a version to other builds of its plugins, once they were seen to predict the same.

use lglp_engine::host::{ComponentKind, PluginError, PluginHost};
use lglp_engine::networks;
use lglp_engine::predictor::{ModelError, ModelState, ServedModel};
use lglp_engine::spaces::Spaces;
use lglp_openapi::rebind::{RebindRequest, Rebound};
use lglp_registry::{HardwareName, PluginUse, Registry, Version};
use lglp_sdk::{Architecture, Sampler};

use super::relative_difference;

/// Architectures that both builds are compared on, beside those that were recorded at training.
const COMPARED: usize = 1_000;

/// Why a version was not bound to other builds.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RebindError {
    /// The tolerance is no number that makes sense.
    #[error("{tolerance} is no tolerance: from 0 to 0.001, relative to the prediction")]
    Tolerance {
        /// What was asked for.
        tolerance: f64,
    },
    /// It has the builds that are in the plugin folder.
    #[error("version {version} has the builds that are in the plugin folder: there is nothing to bind it to")]
    Nothing {
        /// The version.
        version: u32,
    },
    /// The build that it was fitted with is neither in the folder nor kept.
    #[error(
        "the build {sha256} of the plugin `{plugin}`, which version {version} was fitted with, is not here: there is nothing to compare \
         with; train anew"
    )]
    Gone {
        /// The version.
        version: u32,
        /// The plugin's name.
        plugin: String,
        /// Digest of the build.
        sha256: String,
    },
    /// They predict something else.
    #[error(
        "the builds predict something else: {before} and {now} for {architecture}, a relative difference of {difference:.1e}, where \
         {tolerance:.1e} is allowed; train anew"
    )]
    Differs {
        /// The architecture of the largest difference.
        architecture: String,
        /// What the version predicts.
        before: f64,
        /// What it would predict.
        now: f64,
        /// The relative difference.
        difference: f64,
        /// As much is allowed.
        tolerance: f64,
    },
    /// The version cannot be loaded with either.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The plugins cannot be looked up, or kept.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// It is not there, or the registry cannot be read or written.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
}

/// Makes a version of another, with the builds of its plugins that are in the plugin folder, where these predict the same. Blocks.
pub fn rebind(
    store: &dyn Registry,
    host: &PluginHost,
    spaces: &Spaces,
    (hardware, version): (&HardwareName, u32),
    request: &RebindRequest,
    creator: &str,
) -> Result<Rebound, RebindError> {
    let tolerance = request.tolerance;
    if !(0.0..=1e-3).contains(&tolerance) {
        return Err(RebindError::Tolerance { tolerance });
    }
    let before = store.version(hardware, version)?;
    let mut content = before.content.clone();
    for used in &mut content.plugins {
        *used = bound(host, used, version)?;
    }
    if content.plugins == before.content.plugins {
        return Err(RebindError::Nothing { version });
    }
    content.creator = creator.to_owned();
    content.rebound_from = Some(before.digest.clone());
    let after = Version {
        content,
        ..before.clone()
    };
    let mut state = ModelState::new();
    for (role, digest) in &before.content.artifacts {
        state.insert(role.clone(), store.get_blob(digest)?);
    }
    let target = store.hardware(hardware)?;
    let load = |version: &Version| ServedModel::from_state(host, spaces, &target, version, &state);
    let (old, new) = (load(&before)?, load(&after)?);
    let rows = networks::some(&old.space, Sampler::new(&old.space, 1), COMPARED);
    let largest = compare(&old, &new, &rows)?;
    if largest.difference > tolerance {
        let architecture = old.space.canonical_text(&rows[largest.row]);
        return Err(RebindError::Differs {
            architecture,
            before: largest.before,
            now: largest.now,
            difference: largest.difference,
            tolerance,
        });
    }
    host.keep(after.content.plugins.iter().map(|used| used.sha256.as_str()))?;
    let made = store.create_version(hardware, &after.content, None)?;
    Ok(Rebound {
        version: made.version,
        digest: made.digest.to_string(),
        rebound_from: version,
        compared: rows.len(),
        largest_difference: largest.difference,
        plugins: made.content.plugins,
    })
}

/// What a part of a version is bound to now.
fn bound(host: &PluginHost, used: &PluginUse, version: u32) -> Result<PluginUse, RebindError> {
    let kind: Option<ComponentKind> = serde_json::from_value(used.kind.clone().into()).ok();
    let Some(kind) = kind else { return Ok(used.clone()) };
    let sha256 = used.sha256.as_str();
    let fitted_with = host.fitted_with(kind, &used.component, &used.plugin, sha256)?;
    if fitted_with.sha256() != sha256 {
        return Err(RebindError::Gone {
            version,
            plugin: used.plugin.clone(),
            sha256: sha256.to_owned(),
        });
    }
    let now = host.component_of(kind, &used.component, Some(&used.plugin))?;
    Ok(PluginUse {
        version: now.plugin_version().to_owned(),
        sha256: now.sha256().parse()?,
        ..used.clone()
    })
}

struct Largest {
    row: usize,
    before: f64,
    now: f64,
    difference: f64,
}

fn compare(old: &ServedModel, new: &ServedModel, rows: &[Architecture]) -> Result<Largest, ModelError> {
    let (before, now) = (old.values(rows)?, new.values(rows)?);
    let mut largest = Largest {
        row: 0,
        before: before[0],
        now: now[0],
        difference: 0.0,
    };
    for (row, (before, now)) in before.into_iter().zip(now).enumerate() {
        let difference = relative_difference(before, now).abs();
        // What is no number is as different as can be.
        if difference > largest.difference || difference.is_nan() {
            largest = Largest {
                row,
                before,
                now,
                difference: if difference.is_nan() { f64::INFINITY } else { difference },
            };
        }
    }
    Ok(largest)
}

//! What the serving table counts for Prometheus.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use lglp_registry::HardwareName;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Labels of what one version does.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ModelLabels {
    /// Name of the hardware target.
    pub hardware: String,
    /// Number of the version.
    pub version: u32,
}

/// Labels of what one plugin does.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct PluginLabels {
    /// Name of the plugin: one of those that were there when the server began.
    pub plugin: String,
}

/// Labels of what is compared of two versions.
#[derive(Clone, Debug, Hash, PartialEq, Eq, PartialOrd, Ord, EncodeLabelSet)]
pub struct PairLabels {
    pub hardware: String,
    pub production: u32,
    pub candidate: u32,
}

/// Sizes of differences that are told apart, relative to production's prediction.
const DIFFERENCES: [f64; 7] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0];

/// Counters of canaries and shadows.
#[derive(Clone)]
pub struct Counts {
    /// Predictions that production made because the canary failed to.
    pub canary_failures: Family<ModelLabels, Counter>,
    /// Sizes of the differences between shadow and production.
    pub shadow_differences: Family<PairLabels, Histogram, fn() -> Histogram>,
    /// Predictions that were not compared, since too many waited.
    pub shadow_dropped: Family<PairLabels, Counter>,
    /// Predictions that were not compared, since one of the two versions failed, or gave a number that cannot be compared.
    pub shadow_failed: Family<PairLabels, Counter>,
    /// Versions that could not be loaded.
    pub load_failures: Family<ModelLabels, Counter>,
    /// Pairs that have series.
    pairs: Arc<Mutex<BTreeSet<PairLabels>>>,
    /// Counted when it is asked for, as are the rows.
    pub plugins_quarantined: Gauge,
    /// Processes of plugins that were lost in calls; counted likewise.
    pub plugin_processes_lost: Family<PluginLabels, Gauge>,
    /// Versions that are asked nothing, since a call on their behalf has not come back; counted likewise.
    pub versions_quarantined: Gauge,
    /// Architectures that wait or are being predicted, those of slow versions counted several times.
    pub rows_waiting: Gauge,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            canary_failures: Family::default(),
            shadow_differences: Family::new_with_constructor(|| Histogram::new(DIFFERENCES)),
            shadow_dropped: Family::default(),
            shadow_failed: Family::default(),
            load_failures: Family::default(),
            pairs: Arc::default(),
            plugins_quarantined: Gauge::default(),
            plugin_processes_lost: Family::default(),
            versions_quarantined: Gauge::default(),
            rows_waiting: Gauge::default(),
        }
    }
}

impl Counts {
    /// Notes that a pair has series.
    pub(crate) fn note_pair(&self, labels: &PairLabels) {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if !pairs.contains(labels) {
            pairs.insert(labels.clone());
        }
    }

    /// Drops the series of a hardware target's pairs but for one: there are as many pairs as an alias was ever moved.
    pub(crate) fn keep_pair(&self, hardware: &HardwareName, kept: Option<(u32, u32)>) {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        pairs.retain(|labels| {
            let keep = labels.hardware != hardware.as_str() || kept == Some((labels.production, labels.candidate));
            if !keep {
                self.shadow_differences.remove(labels);
                self.shadow_dropped.remove(labels);
                self.shadow_failed.remove(labels);
            }
            keep
        });
    }

    /// Has them told with the others.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "canary_failures",
            "Predictions that production made because the canary failed to",
            self.canary_failures.clone(),
        );
        registry.register(
            "shadow_relative_difference",
            "Size of the difference between the shadow's prediction and production's, relative to the latter",
            self.shadow_differences.clone(),
        );
        registry.register(
            "shadow_dropped",
            "Predictions that were not compared, since too many waited",
            self.shadow_dropped.clone(),
        );
        registry.register(
            "shadow_failed",
            "Predictions that were not compared, since production or the shadow failed, or their numbers cannot be compared",
            self.shadow_failed.clone(),
        );
        registry.register(
            "model_load_failures",
            "Versions that could not be loaded or failed their self-test",
            self.load_failures.clone(),
        );
        registry.register(
            "plugins_quarantined",
            "Plugins that are asked nothing, since calls into them have not come back",
            self.plugins_quarantined.clone(),
        );
        registry.register(
            "plugin_processes_lost",
            "Processes of plugins that ended or were ended in calls, since the server began",
            self.plugin_processes_lost.clone(),
        );
        registry.register(
            "versions_quarantined",
            "Versions that are asked nothing, since a call on their behalf has not come back",
            self.versions_quarantined.clone(),
        );
        registry.register(
            "predict_rows_waiting",
            "Architectures that wait or are being predicted, those of slow versions counted several times",
            self.rows_waiting.clone(),
        );
    }
}

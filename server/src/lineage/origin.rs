//! The lineage of one version: what it follows from, and what the audit log says of it since.

use lglp_engine::host::{ComponentKind, PluginHost};
use lglp_openapi::lineage::{Happened, HistoryEntry, Lineage, PluginState, TracedPlugin, ValidationSummary};
use lglp_registry::{AuditEntry, Change, HardwareName, NewVersion, Registry, Result, Validation, Version};

use super::splits::split_sizes;

/// Audit entries that are read at once.
const PAGE: usize = 1000;

/// Everything that a version follows from, and what happened to it.
pub fn lineage(store: &dyn Registry, host: &PluginHost, hardware: &HardwareName, version: u32) -> Result<Lineage> {
    let version = store.version(hardware, version)?;
    let dataset = store.dataset(hardware, &version.content.dataset)?;
    let aliases = store.aliases(hardware)?.into_iter();
    let leading_here = aliases.filter(|alias| alias.version == version.version);
    let reports = store.validations(hardware, Some(version.version))?;
    let mut dataset_frozen_by = None;
    let mut history = Vec::new();
    each_entry(store, |entry| {
        match &entry.change {
            Change::DatasetFrozen { hardware: of, dataset }
                if of == hardware && *dataset == version.content.dataset =>
            {
                dataset_frozen_by = Some(entry.actor);
                return;
            }
            _ => {}
        }
        if let Some(what) = happened(&entry.change, &version) {
            history.push(HistoryEntry {
                sequence: entry.sequence,
                at: entry.at,
                actor: entry.actor,
                reason: entry.reason.filter(|reason| !reason.is_empty()),
                what,
            });
        }
    })?;
    Ok(Lineage {
        hardware: hardware.to_string(),
        version: version.version,
        digest: version.digest.to_string(),
        aliases: leading_here.map(|alias| alias.name.to_string()).collect(),
        quantity: version.content.quantity,
        dataset,
        dataset_frozen_by,
        plugins: trace_plugins(&version.content, host),
        split: split_sizes(&version.content),
        creator: version.content.creator,
        created_at: version.created_at,
        imported: version.content.imported,
        recipe: version.content.recipe,
        seed: version.content.seed,
        metrics: version.content.metrics,
        validations: reports.into_iter().map(summary).collect(),
        history,
    })
}

/// The plugins that a version was fitted with, each beside the one that provides its component here.
pub(crate) fn trace_plugins(content: &NewVersion, host: &PluginHost) -> Vec<TracedPlugin> {
    let trace = |used: &lglp_registry::PluginUse| {
        let kind: Option<ComponentKind> = serde_json::from_value(used.kind.clone().into()).ok();
        let here = |kind| {
            let of_plugin = host.component_of(kind, &used.component, Some(&used.plugin));
            of_plugin.or_else(|_| host.component(kind, &used.component))
        };
        let component = kind.and_then(|kind| here(kind).ok());
        let loaded_sha256 = component.map(|component| component.sha256().to_owned());
        TracedPlugin {
            fitted_with: used.clone(),
            state: match &loaded_sha256 {
                None => PluginState::Missing,
                Some(loaded) if *loaded == used.sha256.as_str() => PluginState::Same,
                Some(_) => PluginState::Other,
            },
            loaded_sha256,
        }
    };
    content.plugins.iter().map(trace).collect()
}

fn summary(report: Validation) -> ValidationSummary {
    let content = report.content;
    ValidationSummary {
        number: report.number,
        digest: report.digest.to_string(),
        architectures: content.pairs.len(),
        metrics: content.metrics,
        coverage: content.coverage,
        finished_at: content.finished_at,
        creator: content.creator,
    }
}

/// What a change means to a version, if it is about it.
fn happened(change: &Change, version: &Version) -> Option<Happened> {
    match change {
        Change::VersionCreated {
            hardware,
            version: number,
            ..
        } if (hardware, *number) == (&version.hardware, version.version) => Some(Happened::Created),
        Change::AliasMoved {
            hardware,
            alias,
            version: to,
            generation,
            previous,
            forced,
            rolled_back,
            ..
        } if *hardware == version.hardware => {
            let (alias, generation) = (alias.to_string(), *generation);
            if *to == version.version {
                let from = *previous;
                Some(Happened::AliasCame {
                    alias,
                    generation,
                    from,
                    forced: *forced,
                    rolled_back: *rolled_back,
                })
            } else if *previous == Some(version.version) {
                let to = *to;
                Some(Happened::AliasLeft {
                    alias,
                    generation,
                    to,
                    rolled_back: *rolled_back,
                })
            } else {
                None
            }
        }
        Change::VersionValidated {
            hardware,
            version: number,
            validation,
            ..
        } if (hardware, *number) == (&version.hardware, version.version) => Some(Happened::Validated {
            validation: *validation,
        }),
        _ => None,
    }
}

fn each_entry(store: &dyn Registry, mut look: impl FnMut(AuditEntry)) -> Result<()> {
    let mut from = 1;
    loop {
        let page = store.audit(from, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        from = last.sequence + 1;
        page.into_iter().for_each(&mut look);
    }
}

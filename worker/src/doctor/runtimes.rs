//! The runtimes: which of them can be opened here, and as what.

use lglp_engine::host::{ComponentKind, PluginError, PluginHost};
use lglp_engine::measure::{DeviceLock, Setup, difference, fingerprint};
use lglp_registry::HardwareTarget;
use serde_json::Value;

use super::{Examination, Finding};

/// What was found, and the names of those that measure.
pub(super) fn look(examination: &Examination<'_>, target: Option<&HardwareTarget>) -> (Vec<Finding>, Vec<String>) {
    let host = match examination.host {
        Ok(host) => host,
        Err(error) => {
            let remedy = "unpack the whole archive: `plugins` lies beside the program";
            return (vec![Finding::missing("plugins", error.to_string(), remedy)], Vec::new());
        }
    };
    let setups = match (&examination.setup, target) {
        (Some(setup), _) => vec![setup.clone()],
        (None, Some(target)) => vec![Setup::of_target(target)],
        (None, None) => runtimes(host).map(|name| Setup::of(&name)).collect(),
    };
    let mut findings: Vec<Finding> = host
        .infos()
        .iter()
        .filter_map(|plugin| {
            let reason = plugin.unavailable.as_ref()?;
            let remedy = "only what it provides is missing; install what the reason names, or remove the file";
            Some(Finding::warning(
                format!("plugin {}", plugin.file),
                reason.clone(),
                remedy,
            ))
        })
        .collect();
    let mut measures = Vec::new();
    for setup in setups {
        match open(host, &setup) {
            Ok(description) => {
                let (runtime, can) = opened(&setup.runtime, &description, target);
                findings.extend(runtime);
                measures.extend(can.then_some(setup.runtime));
            }
            Err(error) => findings.push(closed(&setup.runtime, &error)),
        }
    }
    (findings, measures)
}

/// The runtimes of every plugin that can be used.
fn runtimes(host: &PluginHost) -> impl Iterator<Item = String> {
    let plugins = host.infos().into_iter().filter_map(|plugin| plugin.description);
    let components = plugins.flat_map(|plugin| plugin.components);
    components
        .filter(|component| component.kind == ComponentKind::Runtime)
        .map(|component| component.name)
}

fn open(host: &PluginHost, setup: &Setup) -> Result<Value, PluginError> {
    setup.on(host)?.open()?.describe()
}

/// A runtime that can be opened, its device's lock, and whether it measures what the target is.
fn opened(runtime: &str, description: &Value, target: Option<&HardwareTarget>) -> (Vec<Finding>, bool) {
    let mut findings = vec![Finding::ok(format!("runtime {runtime}"), facts(description))];
    let what = format!("device lock of {runtime}");
    let path = DeviceLock::path(description);
    let file = path.display();
    let mut can = true;
    findings.push(match DeviceLock::open(&path) {
        Ok(lock) if lock.is_free() => Finding::ok(what, format!("{file} is free")),
        Ok(_) => Finding::warning(
            what,
            format!("{file} is held: another worker measures on the device"),
            "nothing, where that is meant: workers take turns",
        ),
        Err(error) => {
            can = false;
            Finding::missing(
                what,
                format!("{file}: {error}"),
                "make the folder writable, or set TMPDIR to one that is",
            )
        }
    });
    if let Some(target) = target {
        let what = format!("target {}", target.name);
        findings.push(match difference(target, &fingerprint(description)) {
            None => Finding::ok(what, "this is its machine, as far as can be told"),
            Some(difference) => {
                can = false;
                let (fact, there, here) = (difference.fact, difference.there, difference.here);
                let remedy = format!(
                    "measure for another hardware name, e.g. {}-2, or have it confirmed: lglp workers confirm WORKER --reason WHY",
                    target.name
                );
                Finding::missing(what, format!("its {fact} is {there}, this machine's is {here}"), remedy)
            }
        });
    }
    (findings, can)
}

/// A description without the quotes and braces.
fn facts(description: &Value) -> String {
    let Some(facts) = description.as_object() else {
        return description.to_string();
    };
    let facts = facts.iter().map(|(name, fact)| match fact.as_str() {
        Some(text) => format!("{name} {text}"),
        None => format!("{name} {fact}"),
    });
    facts.collect::<Vec<_>>().join(", ")
}

fn closed(runtime: &str, error: &PluginError) -> Finding {
    let what = format!("runtime {runtime}");
    match error {
        PluginError::InvalidParameters { message, .. } => Finding::warning(
            what,
            format!("cannot be tried with default settings: {message}"),
            format!("give doctor --runtime {runtime} --set NAME=VALUE; `lglp plugins --json` lists the settings"),
        ),
        error => Finding::missing(
            what,
            error.to_string(),
            "install what the reason names, where it is to measure",
        ),
    }
}

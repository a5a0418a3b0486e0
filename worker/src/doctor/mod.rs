//! What a machine can measure, what it lacks, and what to do about it.

mod folders;
mod machine;
mod runtimes;
mod server;

use std::path::PathBuf;

use lglp_registry::HardwareName;
use serde::Serialize;

use lglp_client::Http;
use lglp_engine::host::{PluginError, PluginHost};
use lglp_engine::measure::Setup;

/// What is looked at.
pub(crate) struct Examination<'a> {
    pub host: Result<&'a PluginHost, &'a PluginError>,
    /// The worker's name.
    pub name: &'a str,
    /// The target that it is to measure for.
    pub hardware: Option<&'a HardwareName>,
    /// The runtime to look at, rather than at the target's or at every one.
    pub setup: Option<Setup>,
    /// The worker's state folder, where one is known.
    pub state: Option<PathBuf>,
    /// The server.
    pub http: Option<&'a Http>,
}

/// How a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Ok,
    /// It measures, but not as well as it could, or not everything.
    Warning,
    Missing,
}

/// Something that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    pub what: String,
    pub verdict: Verdict,
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Everything that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// The runtimes that measure here; none where nothing can be measured.
    pub measures_with: Vec<String>,
    pub findings: Vec<Finding>,
}

impl Finding {
    fn ok(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            verdict: Verdict::Ok,
            found: found.into(),
            remedy: None,
        }
    }

    fn warning(what: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warning,
            remedy: Some(remedy.into()),
            ..Self::ok(what, found)
        }
    }

    fn missing(what: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Missing,
            remedy: Some(remedy.into()),
            ..Self::ok(what, found)
        }
    }
}

/// Looks at everything. It measures nothing and changes nothing.
pub(crate) fn examine(examination: &Examination<'_>) -> Report {
    let mut findings = machine::look();
    let (server, target) = server::look(examination);
    let (runtimes, measures_with) = runtimes::look(examination, target.as_ref());
    findings.extend(runtimes);
    findings.extend(folders::look(examination.state.as_deref()));
    findings.extend(server);
    Report {
        measures_with,
        findings,
    }
}

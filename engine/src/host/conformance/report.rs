//! What comes of the checks of a plugin.

use serde::{Deserialize, Serialize};

use super::OF_ALL;
use crate::host::{ComponentKind, PluginDescription};

/// What comes of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "detail", rename_all = "kebab-case")]
pub enum Verdict {
    /// It keeps to the contract; with what was seen, for people.
    Passed(String),
    /// It may be meant so.
    Warned(String),
    /// It breaks the contract: how.
    Failed(String),
    /// It could not be looked at: why.
    Skipped(String),
}

/// One check of a component.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was checked, such as `deterministic`.
    pub check: &'static str,
    /// What that means, for people.
    pub about: &'static str,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// How long it took, ms.
    pub took_ms: u64,
}

/// A component and what came of its checks.
#[derive(Clone, Debug, Serialize)]
pub struct CheckedComponent {
    /// What it is for.
    pub kind: ComponentKind,
    /// Its name.
    pub name: String,
    /// In the order in which they were made.
    pub findings: Vec<Finding>,
}

/// What came of all checks of a plugin.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The plugin's file.
    pub file: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub sha256: String,
    /// What it says of itself; none where it cannot be loaded.
    pub description: Option<PluginDescription>,
    /// Why it cannot be loaded.
    pub unloadable: Option<String>,
    /// Those that were asked for.
    pub components: Vec<CheckedComponent>,
}

impl Report {
    /// Whether nothing broke the contract.
    pub fn passed(&self) -> bool {
        let mut findings = self.components.iter().flat_map(|component| &component.findings);
        self.unloadable.is_none() && !findings.any(|finding| matches!(finding.verdict, Verdict::Failed(_)))
    }

    /// The first mistake, in words that say where to read of it.
    pub fn mistake(&self) -> Option<String> {
        if let Some(reason) = &self.unloadable {
            return Some(reason.clone());
        }
        self.components.iter().find_map(|component| {
            let failed = component.findings.iter().find_map(|finding| match &finding.verdict {
                Verdict::Failed(how) => Some((finding, how)),
                _ => None,
            });
            let (finding, how) = failed?;
            let (name, check, about) = (&component.name, finding.check, finding.about);
            Some(format!(
                "`{name}` does not keep to the contract of plugins ({check}: {about}): {how}"
            ))
        })
    }

    /// Components of which nothing could be looked at but their schemas, each with the reason.
    pub fn unchecked(&self) -> Vec<(String, String)> {
        let reason = |component: &CheckedComponent| {
            let reasons = component
                .findings
                .iter()
                .skip(OF_ALL.len())
                .map(|finding| match &finding.verdict {
                    Verdict::Skipped(reason) => Some(reason.clone()),
                    _ => None,
                });
            reasons.collect::<Option<Vec<String>>>()?.into_iter().next()
        };
        let components = self.components.iter();
        components
            .filter_map(|component| Some((component.name.clone(), reason(component)?)))
            .collect()
    }
}

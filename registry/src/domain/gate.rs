//! Gates: what a version must have shown before it goes into production.

use serde::{Deserialize, Serialize};

use super::{finite, limits};
use crate::{Error, Expected, Result, Validation, clock};

/// Rules over the newest validation report of the version that is to be promoted: that on architectures, or on networks of no space. A rule
/// that is left out is not asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GateRules {
    /// Architectures that were measured, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(example = 50))]
    pub min_n: Option<u32>,
    /// Mean absolute percentage error at most, %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(example = 5.0))]
    pub max_mape: Option<f64>,
    /// Spearman's rank correlation at least, -1 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(example = 0.98))]
    pub min_spearman: Option<f64>,
    /// Share of measurements within the prediction's interval at least, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(example = 0.8))]
    pub min_coverage: Option<f64>,
    /// Age of the report at most, hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(example = 168.0))]
    pub max_age_hours: Option<f64>,
    /// How much larger the MAPE may be than that of production on the same architectures, % of the latter; below 0 it must
    /// be smaller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(example = 10.0))]
    pub max_regression: Option<f64>,
    /// Whether the report is one on networks of no space.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_networks: bool,
}

/// The gate of a hardware target. Its generation is also its `ETag`; 0 where none was set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Gate {
    /// The rules; empty where none was set.
    pub rules: GateRules,
    /// How often the rules were set.
    pub generation: u64,
    /// When the rules were set last.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub set_at: String,
    /// Who set them last.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub set_by: String,
}

/// A request to set the rules of a gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateChange {
    /// The rules, whole: those left out are gone.
    pub rules: GateRules,
    /// The generation the caller has seen; 0 where there must be no gate yet.
    pub expected_generation: Expected,
    /// Who sets them.
    pub actor: String,
    /// Why, for the audit log.
    pub reason: String,
}

/// What a gate says of a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Verdict {
    /// Whether every rule holds.
    pub passed: bool,
    /// Whether it was to be judged by a report on networks of no space.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_networks: bool,
    /// The number of the report it was judged by.
    pub validation: Option<u32>,
    /// What each rule that is set says.
    pub rules: Vec<RuleOutcome>,
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RuleOutcome {
    /// The rule's name, as among the gate's rules.
    #[cfg_attr(feature = "schema", schema(example = "max_mape"))]
    pub rule: String,
    /// The bound that the gate sets, in the rule's unit.
    pub bound: f64,
    /// What the rule looks at; null where the report does not tell.
    pub value: Option<f64>,
    /// Whether the rule holds.
    pub passed: bool,
    /// Figure and bound, or why there is no figure, for people.
    #[cfg_attr(feature = "schema", schema(example = "MAPE, %: 7.312, at most 5 is asked"))]
    pub detail: String,
}

impl GateRules {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        let any = Self::default();
        let on_networks = self.on_networks;
        *self == Self { on_networks, ..any }
    }

    /// Checks the bounds.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the rule.
    pub fn check(&self) -> Result<()> {
        let within = |rule: &str, bound: Option<f64>, low: f64, high: f64| {
            let Some(bound) = bound else { return Ok(()) };
            finite(rule, bound)?;
            if (low..=high).contains(&bound) {
                return Ok(());
            }
            let most = if high == f64::MAX {
                "any".to_owned()
            } else {
                high.to_string()
            };
            Err(Error::invalid(rule, format!("expected {low} to {most}, got {bound}")))
        };
        within("max_mape", self.max_mape, 0.0, f64::MAX)?;
        within("min_spearman", self.min_spearman, -1.0, 1.0)?;
        within("min_coverage", self.min_coverage, 0.0, 1.0)?;
        within("max_age_hours", self.max_age_hours, 0.0, f64::MAX)?;
        within("max_regression", self.max_regression, -100.0, f64::MAX)
    }

    /// Judges a version by its newest report. `production` is the version in production now; `version` the one to
    /// replace it.
    pub fn judge(&self, version: u32, report: Option<&Validation>, production: Option<u32>) -> Verdict {
        let mut rules = Vec::new();
        let mut ask = |rule: &str, bound: Option<f64>, judge: &dyn Fn(&Validation, f64) -> Judged| {
            let Some(bound) = bound else { return };
            let judged = report.map_or_else(
                || Judged {
                    value: None,
                    passed: false,
                    detail: match self.on_networks {
                        true => format!("version {version} has no validation report on networks"),
                        false => format!("version {version} has no validation report"),
                    },
                },
                |report| judge(report, bound),
            );
            rules.push(RuleOutcome {
                rule: rule.to_owned(),
                bound,
                value: judged.value,
                passed: judged.passed,
                detail: judged.detail,
            });
        };
        ask("min_n", self.min_n.map(f64::from), &|report, bound| {
            Judged::at_least("architectures measured", Some(report.content.pairs.len() as f64), bound)
        });
        ask("max_mape", self.max_mape, &|report, bound| {
            Judged::at_most("MAPE, %", metric(report, "mape"), bound)
        });
        ask("min_spearman", self.min_spearman, &|report, bound| {
            Judged::at_least("Spearman", metric(report, "spearman"), bound)
        });
        ask("min_coverage", self.min_coverage, &|report, bound| {
            Judged::at_least("coverage of the intervals", report.content.coverage, bound)
        });
        ask("max_age_hours", self.max_age_hours, &|report, bound| {
            let age = clock::hours_since(&report.created_at);
            Judged::at_most("age of the report, hours", age, bound)
        });
        ask("max_regression", self.max_regression, &|report, bound| {
            regression(report, production, bound)
        });
        Verdict {
            passed: rules.iter().all(|outcome| outcome.passed),
            on_networks: self.on_networks,
            validation: report.map(|report| report.number),
            rules,
        }
    }
}

impl GateChange {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<()> {
        limits::text("actor", &self.actor)?;
        limits::short("reason", &self.reason)?;
        self.rules.check()
    }
}

/// One rule's judgement.
struct Judged {
    value: Option<f64>,
    passed: bool,
    detail: String,
}

impl Judged {
    fn at_most(what: &str, value: Option<f64>, bound: f64) -> Self {
        Self::compare(what, value, bound, "at most", |value| value <= bound)
    }

    fn at_least(what: &str, value: Option<f64>, bound: f64) -> Self {
        Self::compare(what, value, bound, "at least", |value| value >= bound)
    }

    fn compare(what: &str, value: Option<f64>, bound: f64, order: &str, holds: impl Fn(f64) -> bool) -> Self {
        let figure = value.map_or_else(|| "not in the report".to_owned(), short);
        Self {
            value,
            passed: value.is_some_and(holds),
            detail: format!("{what}: {figure}, {order} {} is asked", short(bound)),
        }
    }
}

fn metric(report: &Validation, name: &str) -> Option<f64> {
    report.content.metrics.get(name).copied()
}

/// The rule that compares with production: by a report that compares with what is in production now.
fn regression(report: &Validation, production: Option<u32>, bound: f64) -> Judged {
    let Some(production) = production else {
        return Judged {
            value: None,
            passed: true,
            detail: "nothing is in production to compare with".to_owned(),
        };
    };
    if production == report.content.version {
        return Judged {
            value: Some(0.0),
            passed: true,
            detail: format!("version {production} is in production itself"),
        };
    }
    let compared = report.content.baseline.as_ref();
    let Some(baseline) = compared.filter(|baseline| baseline.version == production) else {
        let with = compared.map_or_else(|| "nothing".to_owned(), |b| format!("version {}", b.version));
        return Judged {
            value: None,
            passed: false,
            detail: format!(
                "report {} compares with {with}, and version {production} is in production: validate again",
                report.number
            ),
        };
    };
    let (own, other) = (metric(report, "mape"), baseline.metrics.get("mape").copied());
    let value = own
        .zip(other)
        .map(|(own, other)| 100.0 * (own - other) / other.max(f64::MIN_POSITIVE));
    let what = format!("MAPE above that of version {production}, %");
    Judged::at_most(&what, value, bound)
}

/// A figure for people: four digits that count, and no more than three of a fraction.
fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let digits = (3 - value.abs().log10().floor() as i32).clamp(0, 3) as usize;
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

//! How a training went, kept with the version that it gave.

use lglp_sdk::plugin::Progress;
use serde_json::{Value, json};

use crate::predictor::FitEvent;

/// Reports of progress that are kept at most, beside the last of each component: a fit reports as often as it likes.
const MOST: usize = 10_000;

/// A line of JSON for each report of progress, and for each note. Of more reports than may be kept, every second is, every fourth, and so
/// on, and the last of each component, which is what its fit came to.
pub struct TrainingLog {
    reports: Vec<Report>,
    /// Reports are kept whose number is a multiple of it.
    step: usize,
    /// The last that was told, which may be the last of its component.
    latest: Option<Report>,
    notes: Vec<String>,
}

struct Report {
    number: usize,
    component: String,
    line: String,
    is_last: bool,
}

impl Default for TrainingLog {
    fn default() -> Self {
        Self {
            reports: Vec::new(),
            step: 1,
            latest: None,
            notes: Vec::new(),
        }
    }
}

impl TrainingLog {
    /// Adds a report of progress.
    pub(super) fn report(&mut self, event: &FitEvent<'_>) {
        let Progress {
            done,
            total,
            train_mse,
            validation_mse,
        } = event.progress;
        let line = json!({
            "component": event.component, "round": done, "of": total,
            "train_mse": train_mse, "validation_mse": validation_mse,
        });
        let number = self.latest.as_ref().map_or(0, |latest| latest.number + 1);
        let latest = self.latest.replace(Report {
            number,
            component: event.component.to_owned(),
            line: line.to_string(),
            is_last: false,
        });
        if let Some(mut before) = latest {
            before.is_last = before.component != event.component;
            if before.is_last || before.number % self.step == 0 {
                self.reports.push(before);
            }
        }
        if self.reports.len() > MOST {
            self.step *= 2;
            let step = self.step;
            self.reports.retain(|one| one.is_last || one.number % step == 0);
        }
    }

    /// Adds what is said of the training as a whole.
    pub(super) fn note(&mut self, note: &Value) {
        self.notes.push(note.to_string());
    }

    /// All of it, each line with its end.
    pub(super) fn text(&self) -> String {
        let reports = self.reports.iter().chain(&self.latest).map(|one| &one.line);
        reports.chain(&self.notes).map(|line| format!("{line}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rounds that are kept of fits of so many reports, one component after the other.
    fn kept(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
        let mut log = TrainingLog::default();
        for (component, count) in counts {
            for done in 1..=*count {
                let progress = Progress {
                    done,
                    total: *count,
                    train_mse: 1.0,
                    validation_mse: 1.0,
                };
                log.report(&FitEvent {
                    component,
                    unit: None,
                    progress,
                });
            }
        }
        log.note(&json!({ "compared": [] }));
        let text = log.text();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let mut lines: Vec<Value> = lines.collect();
        assert_eq!(lines.pop(), Some(json!({ "compared": [] })));
        let round = |line: &Value| {
            let component = line["component"].as_str().expect("a name").to_owned();
            (component, line["round"].as_u64().expect("a number"))
        };
        lines.iter().map(round).collect()
    }

    /// The last report fell out where it was the one that was too many.
    #[test]
    fn the_last_of_each_component_is_kept_of_however_many() {
        for count in [1, 2, 9_999, 10_000, 10_001, 10_002, 19_999, 20_001, 39_997, 50_000] {
            let rounds = kept(&[("a", count), ("b", count)]);
            assert!(rounds.len() <= MOST + 2, "{count}: {}", rounds.len());
            for component in ["a", "b"] {
                let last = rounds.iter().rfind(|(name, _)| name == component);
                assert_eq!(last.map(|(_, round)| *round), Some(count), "{component}");
            }
            // Evenly, apart from the ends.
            let first: Vec<u64> = rounds.iter().take(10).map(|(_, round)| *round).collect();
            let gaps: Vec<u64> = first.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!(
                gaps.iter().all(|gap| count < 10 || *gap == gaps[0]),
                "{count}: {first:?}"
            );
            assert!(count < 10_000 || rounds.len() > MOST / 2, "{count}: {}", rounds.len());
        }
        assert_eq!(kept(&[("a", 3)]).len(), 3);
    }
}

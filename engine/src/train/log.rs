//! How a training went, kept with the version that it gave.

use lglp_sdk::plugin::Progress;
use serde_json::json;

use crate::predictor::FitEvent;

/// Reports of progress that are kept at most: a fit reports as often as it likes.
const MOST: usize = 10_000;

/// A line of JSON for each report of progress, and for each note. Of more reports than may be kept, every second, fourth, ... is.
#[derive(Default)]
pub struct TrainingLog {
    reports: Vec<String>,
    /// One of so many is kept, as a power of two.
    thinned: u32,
    seen: usize,
    /// The last report of the component that is being fitted, where it is not among those.
    last: Option<(String, String)>,
    notes: Vec<String>,
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
        // The last that a component says is what its fit came to.
        let ended = self.last.take().filter(|(component, _)| component != event.component);
        self.reports.extend(ended.map(|(_, line)| line));
        match self.seen % (1 << self.thinned) {
            0 => self.reports.push(line.to_string()),
            _ => self.last = Some((event.component.to_owned(), line.to_string())),
        }
        self.seen += 1;
        if self.reports.len() >= MOST {
            let mut at = 0;
            self.reports.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            self.thinned += 1;
        }
    }

    /// Adds what is said of the training as a whole.
    pub(super) fn note(&mut self, note: &serde_json::Value) {
        self.notes.push(note.to_string());
    }

    /// All of it, each line with its end.
    pub(super) fn text(&self) -> String {
        let last = self.last.as_ref().map(|(_, line)| line);
        let lines = self.reports.iter().chain(last).chain(&self.notes);
        lines.map(|line| format!("{line}\n")).collect()
    }
}

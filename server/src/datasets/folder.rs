//! A hardware target as a folder of text files: `hardware.json`, and for each search space `SPACE.jsonl` with one
//! measurement a line and, where there are any, `SPACE.exclusions.jsonl` with the marks on them.

use std::path::{Path, PathBuf};

use lglp_registry::{Exclusion, HardwareName, Measurement, NewHardware, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::spaces::Spaces;

const HARDWARE: &str = "hardware.json";

/// What a folder holds.
#[derive(Clone, Debug)]
pub struct DatasetFolder {
    pub hardware: NewHardware,
    pub measurements: Vec<Measurement>,
    pub exclusions: Vec<Exclusion>,
}

/// Why a folder cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// What a file says makes no sense; `place` is the file, with the line where it has several.
    #[error("{place}: {problem}")]
    Content { place: String, problem: String },
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
}

impl DatasetFolder {
    /// Reads a folder and checks all of it.
    pub fn read(folder: &Path, spaces: &Spaces) -> Result<Self, FolderError> {
        let path = folder.join(HARDWARE);
        let hardware: NewHardware =
            serde_json::from_str(&text(&path)?).map_err(|e| content(path.display().to_string(), e))?;
        let (mut measurements, mut exclusions) = (Vec::new(), Vec::new());
        for space in spaces.iter() {
            for (place, measurement) in lines::<Measurement>(&measurements_file(folder, &space.name))? {
                if measurement.hardware != hardware.name {
                    return Err(content(place, format!("hardware is `{}`", measurement.hardware)));
                }
                let architecture = space
                    .architecture_from_text(&measurement.architecture)
                    .map_err(|e| content(place.clone(), e))?;
                let canonical = space.canonical_text(&architecture);
                if canonical != measurement.architecture {
                    return Err(content(
                        place,
                        format!("the architecture's canonical text is {canonical}"),
                    ));
                }
                measurement.check().map_err(|e| content(place, e))?;
                measurements.push(measurement);
            }
            for (place, exclusion) in lines::<Exclusion>(&exclusions_file(folder, &space.name))? {
                exclusion.check().map_err(|e| content(place, e))?;
                exclusions.push(exclusion);
            }
        }
        Ok(Self {
            hardware,
            measurements,
            exclusions,
        })
    }

    /// Records everything; returns how many measurements were not recorded before.
    pub fn record(&self, store: &dyn Store, actor: &str) -> lglp_registry::Result<usize> {
        store.put_hardware(&self.hardware, actor)?;
        let fresh = store.record_measurements(&self.measurements, actor)?;
        store.exclude_measurements(&self.hardware.name, &self.exclusions, actor)?;
        Ok(fresh)
    }

    /// Writes a hardware target; returns the files of measurements with how many each holds.
    pub fn write(
        store: &dyn Store,
        spaces: &Spaces,
        name: &HardwareName,
        folder: &Path,
    ) -> Result<Vec<(PathBuf, usize)>, FolderError> {
        let target = store.hardware(name)?;
        let hardware = NewHardware {
            name: target.name,
            runtime: target.runtime,
            settings: target.settings,
            fingerprint: target.fingerprint,
            reference: target.reference,
            by_workers: target.by_workers,
        };
        let source = |source| FolderError::Io {
            path: folder.to_owned(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(source)?;
        let path = folder.join(HARDWARE);
        let pretty = serde_json::to_string_pretty(&hardware).map_err(|e| content(HARDWARE.into(), e))?;
        replace(&path, &format!("{pretty}\n"))?;
        let mut written = Vec::new();
        for space in spaces.iter() {
            let measurements = store.measurements(name, &space.name, None)?;
            if measurements.is_empty() {
                continue;
            }
            let path = measurements_file(folder, &space.name);
            write_lines(&path, &measurements)?;
            written.push((path, measurements.len()));
            let exclusions = store.exclusions(name, &space.name)?;
            if !exclusions.is_empty() {
                write_lines(&exclusions_file(folder, &space.name), &exclusions)?;
            }
        }
        Ok(written)
    }
}

fn measurements_file(folder: &Path, space: &str) -> PathBuf {
    folder.join(format!("{space}.jsonl"))
}

fn exclusions_file(folder: &Path, space: &str) -> PathBuf {
    folder.join(format!("{space}.exclusions.jsonl"))
}

fn content(place: String, problem: impl std::fmt::Display) -> FolderError {
    let problem = problem.to_string();
    FolderError::Content { place, problem }
}

fn text(path: &Path) -> Result<String, FolderError> {
    let path = path.to_owned();
    std::fs::read_to_string(&path).map_err(|source| FolderError::Io { path, source })
}

/// The values of a file, one a line, each with its place; none where there is no such file.
fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<(String, T)>, FolderError> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text = text(path)?;
    let filled = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    filled
        .map(|(i, line)| {
            let place = format!("{}, line {}", path.display(), i + 1);
            match serde_json::from_str(line) {
                Ok(value) => Ok((place, value)),
                Err(error) => Err(content(place, error)),
            }
        })
        .collect()
}

fn write_lines<T: Serialize>(path: &Path, values: &[T]) -> Result<(), FolderError> {
    let mut lines = String::new();
    for value in values {
        lines += &serde_json::to_string(value).map_err(|e| content(path.display().to_string(), e))?;
        lines.push('\n');
    }
    replace(path, &lines)
}

/// Replaces a file as a whole, so that an interrupted export leaves the old one.
fn replace(path: &Path, text: &str) -> Result<(), FolderError> {
    let partial = path.with_extension("partial");
    let written = std::fs::write(&partial, text).and_then(|()| std::fs::rename(&partial, path));
    written.map_err(|source| FolderError::Io {
        path: path.to_owned(),
        source,
    })
}

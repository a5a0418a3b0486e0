//! A hardware target as a folder of text files: `hardware.json`, and for each search space `SPACE.jsonl` with one
//! measurement a line and, where there are any, `SPACE.exclusions.jsonl` with the marks on them.

use std::path::{Path, PathBuf};

use lglp_registry::{Exclusion, HardwareName, Measurement, NewHardware, ONNX, Registry};
use lglp_sdk::{literal, strict};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::spaces::Spaces;

const HARDWARE: &str = "hardware.json";

/// What a folder holds.
#[derive(Clone, Debug)]
pub struct DatasetFolder {
    /// The target, as `hardware.json` describes it.
    pub hardware: NewHardware,
    /// The target's measurements, those of one space after those of another.
    pub measurements: Vec<Measurement>,
    /// The marks on measurements that do not count, in all spaces.
    pub exclusions: Vec<Exclusion>,
}

/// Why a folder cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file, or the folder itself, cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file, or the folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// What a file says makes no sense.
    #[error("{place}: {problem}")]
    Content {
        /// The file, with the line where it has several.
        place: String,
        /// What is wrong there, for people.
        problem: String,
    },
    /// An import would take it for a part of the export.
    #[error("{} is there, and `{hardware}` has no measurements of that space; export into a folder of its own", path.display())]
    Foreign {
        /// The file that would be left beside the export.
        path: PathBuf,
        /// The target that is exported.
        hardware: HardwareName,
    },
    /// The registry did not give what is to be exported.
    #[error(transparent)]
    Registry(#[from] lglp_registry::Error),
}

impl DatasetFolder {
    /// Reads a folder and checks all of it.
    pub fn read(folder: &Path, spaces: &Spaces) -> Result<Self, FolderError> {
        let path = folder.join(HARDWARE);
        let told = text(&path)?;
        let hardware: NewHardware = strict::closed_from_slice(told.as_bytes())
            .map_err(|e| content(path.display().to_string(), literal::fault(told.as_bytes(), &e)))?;
        let (mut measurements, mut exclusions) = (Vec::new(), Vec::new());
        for file in files(folder)? {
            if file.space != ONNX {
                let known = spaces.get(&file.space);
                known.map_err(|unknown| content(file.path.display().to_string(), unknown))?;
            }
            if file.is_exclusions {
                for (place, exclusion) in lines::<Exclusion>(&file.path)? {
                    exclusion.check().map_err(|e| content(place, e))?;
                    exclusions.push(exclusion);
                }
                continue;
            }
            for (place, mut measurement) in lines::<Measurement>(&file.path)? {
                let misplaced = |field: &str, told: &str| content(place.clone(), format!("{field} is `{told}`"));
                if measurement.hardware != hardware.name {
                    return Err(misplaced("hardware", &measurement.hardware.to_string()));
                }
                if measurement.space != file.space {
                    return Err(misplaced("space", &measurement.space));
                }
                let admitted = spaces.admit(&mut measurement);
                admitted.map_err(|misfit| content(place.clone(), format!("{}: {}", misfit.field, misfit.problem)))?;
                measurement.check().map_err(|e| content(place, e))?;
                measurements.push(measurement);
            }
        }
        Ok(Self {
            hardware,
            measurements,
            exclusions,
        })
    }

    /// Records everything; returns how many measurements were not recorded before.
    pub fn record(&self, store: &dyn Registry, actor: &str) -> lglp_registry::Result<usize> {
        store.put_hardware(&self.hardware, actor)?;
        let fresh = store.record_measurements(&self.measurements, actor)?;
        store.exclude_measurements(&self.hardware.name, &self.exclusions, actor)?;
        Ok(fresh)
    }

    /// Writes a hardware target, with the measurements of every space, known here or not; returns their files with how many each
    /// holds.
    ///
    /// # Errors
    /// [`FolderError::Foreign`] where the folder holds measurements that the export would not replace.
    pub fn write(
        store: &dyn Registry,
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
        let measured: Vec<String> = store
            .measured_spaces(name)?
            .into_iter()
            .map(|measured| measured.space)
            .collect();
        if let Some(foreign) = files(folder)?.into_iter().find(|file| !measured.contains(&file.space)) {
            return Err(FolderError::Foreign {
                path: foreign.path,
                hardware: name.clone(),
            });
        }
        let path = folder.join(HARDWARE);
        let pretty = serde_json::to_string_pretty(&hardware).map_err(|e| content(HARDWARE.into(), e))?;
        replace(&path, &format!("{pretty}\n"))?;
        let mut written = Vec::new();
        for space in &measured {
            let path = measurements_file(folder, space);
            let measurements = store.measurements(name, space, None)?;
            write_lines(&path, &measurements)?;
            written.push((path, measurements.len()));
            let (path, exclusions) = (exclusions_file(folder, space), store.exclusions(name, space)?);
            if !exclusions.is_empty() {
                write_lines(&path, &exclusions)?;
            } else if path.exists() {
                std::fs::remove_file(&path).map_err(source)?;
            }
        }
        Ok(written)
    }
}

/// A file of measurements, or of marks on them.
struct SpaceFile {
    path: PathBuf,
    space: String,
    is_exclusions: bool,
}

const EXCLUSIONS: &str = ".exclusions";

/// The files of a folder that an import reads, by name, so that measurements come before marks on them.
fn files(folder: &Path) -> Result<Vec<SpaceFile>, FolderError> {
    let failed = |source| FolderError::Io {
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(stem) = name.strip_suffix(".jsonl") {
            files.push(SpaceFile {
                space: stem.strip_suffix(EXCLUSIONS).unwrap_or(stem).to_owned(),
                is_exclusions: stem.ends_with(EXCLUSIONS),
                path: path.clone(),
            });
        }
    }
    files.sort_by(|a, b| (a.is_exclusions, &a.path).cmp(&(b.is_exclusions, &b.path)));
    Ok(files)
}

fn measurements_file(folder: &Path, space: &str) -> PathBuf {
    folder.join(format!("{space}.jsonl"))
}

fn exclusions_file(folder: &Path, space: &str) -> PathBuf {
    folder.join(format!("{space}{EXCLUSIONS}.jsonl"))
}

fn content(place: String, problem: impl std::fmt::Display) -> FolderError {
    let problem = problem.to_string();
    FolderError::Content { place, problem }
}

fn text(path: &Path) -> Result<String, FolderError> {
    let path = path.to_owned();
    crate::text::read(&path).map_err(|source| FolderError::Io { path, source })
}

/// The values of a file, one a line, each with its place.
fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<(String, T)>, FolderError> {
    let text = text(path)?;
    let filled = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    filled
        .map(|(i, line)| {
            let place = format!("{}, line {}", path.display(), i + 1);
            match strict::closed_from_slice(line.as_bytes()) {
                Ok(value) => Ok((place, value)),
                Err(error) => Err(content(place, literal::fault_in_line(line.as_bytes(), &error))),
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

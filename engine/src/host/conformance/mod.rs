//! Whether a plugin keeps to the contract: each check in a process of its own, with a time limit, so that one that crashes or hangs tells
//! that of itself and nothing else. It finds mistakes, not malice: a plugin that is checked is run.

mod encoder;
mod fitted;
mod guarded;
mod memory;
mod parameters;
mod report;
mod runtime;
mod sample;
mod together;

pub use report::{CheckedComponent, Finding, Report, Verdict};

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lglp_sdk::SearchSpace;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::child::{Answering, End, Heard, Question, is_asked};
use super::component::Opened;
use super::components::Components;
use super::file::{Language, Opening, PluginFile};
use super::in_process::{Library, PATIENCE};
use super::isolated;
use super::{ComponentHandle, ComponentKind, PluginDescription, PluginError, Policy, Settings, Trust};
use crate::priority;

/// The argument that a child process is started with.
const SUBCOMMAND: &str = "check-plugin";

/// Why memory is not looked at of what runs in another process.
const ELSEWHERE: &str = "it runs in processes of its own, whose memory is limited, and reaches none of the host's";

/// What is checked, and how.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The lglp that is started for each check.
    pub program: &'a Path,
    /// The only component that is checked; all, where it is none.
    pub component: Option<&'a str>,
    /// Parameters of the components, or settings of a runtime.
    pub parameters: &'a Value,
    /// Search spaces that an encoder is tried on.
    pub spaces: &'a [SearchSpace],
    /// A plugin with an encoder `operators`, for regressors that read tables of operators.
    pub operators: Option<&'a Path>,
    /// Time for each check.
    pub limit: Duration,
    /// Who wants to know.
    pub purpose: Purpose,
    /// What a plugin may use that runs in processes of its own.
    pub policy: &'a Policy,
}

/// What a plugin is checked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// Its author wants to know all that is wrong. A native plugin is loaded by the process of the check, which looks at its memory.
    Report,
    /// A server is to run it. It runs restricted, as it will there, and yields to whatever else runs; the first mistake ends it.
    Admission,
}

impl Purpose {
    /// For all checks of a plugin.
    fn time(self) -> Duration {
        match self {
            Self::Report => Duration::MAX,
            Self::Admission => Duration::from_secs(600),
        }
    }

    fn ends_with(self, finding: &Finding) -> bool {
        self == Self::Admission && matches!(finding.verdict, Verdict::Failed(_))
    }

    /// Whether the plugin runs in processes of its own, beside that of the check.
    fn is_apart(self, file: &Opening) -> bool {
        self == Self::Admission || file.language == Language::Python
    }
}

/// What a child is asked.
#[derive(Clone, Serialize, Deserialize)]
struct Task {
    plugin: Opening,
    settings: Settings,
    purpose: Purpose,
    operators: Option<Opening>,
    kind: ComponentKind,
    component: String,
    check: String,
    parameters: Value,
    spaces: Vec<String>,
    limit: Duration,
}

/// What a check looks at.
struct Subject {
    handle: ComponentHandle,
    /// An encoder of tables of operators.
    operators: Option<ComponentHandle>,
    parameters: Value,
    spaces: Vec<SearchSpace>,
    began: Instant,
    limit: Duration,
}

impl Subject {
    /// Whether so large a part of the time is over, in hundredths, that calls are not repeated any more.
    fn is_late(&self, percent: u32) -> bool {
        self.began.elapsed() * 100 > self.limit * percent
    }
}

/// The first place in which both differ, to the last digit.
fn difference<T: Copy + Into<f64>>(a: &[T], b: &[T]) -> Option<usize> {
    let bits = |values: &[T], at: usize| values.get(at).map(|value| (*value).into().to_bits());
    (0..a.len().max(b.len())).find(|at| bits(a, *at) != bits(b, *at))
}

/// A check: its name, what it means, and itself.
struct Check {
    name: &'static str,
    about: &'static str,
    run: fn(&Subject) -> Result<Verdict, PluginError>,
}

/// Those of every kind.
const OF_ALL: [Check; 2] = [
    Check {
        name: "schema",
        about: "the schema of its parameters is a JSON Schema of an object",
        run: parameters::schema,
    },
    Check {
        name: "parameters",
        about: "it refuses parameters that its schema refuses",
        run: parameters::refused,
    },
];

fn checks(kind: ComponentKind) -> impl Iterator<Item = &'static Check> {
    let own: &'static [Check] = match kind {
        ComponentKind::Encoder => encoder::CHECKS,
        ComponentKind::FeatureExtractor | ComponentKind::Regressor => fitted::CHECKS,
        ComponentKind::Runtime => runtime::CHECKS,
    };
    OF_ALL.iter().chain(own)
}

/// Checks a plugin. `progress` is told the component and the check that begins.
///
/// # Errors
/// Where the file cannot be read, it has no component of the name that is asked for, or a child cannot be started.
pub fn check(file: &Path, asked: &Asked<'_>, progress: &mut dyn FnMut(&str, &str)) -> Result<Report, PluginError> {
    // Whoever checks a plugin runs it, wherever it is from.
    let plugin = PluginFile::open(file, &Trust::default())?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let settings = asked.policy.of(&name, &plugin.opening.sha256);
    check_opened(&plugin, &settings, asked, progress)
}

/// The same of an open file, run by these settings.
pub(super) fn check_opened(
    plugin: &PluginFile,
    settings: &Settings,
    asked: &Asked<'_>,
    progress: &mut dyn FnMut(&str, &str),
) -> Result<Report, PluginError> {
    let began = Instant::now();
    // Regressors that read its tables are not checked where it has gone.
    let operators = asked.operators;
    let operators = operators.and_then(|file| PluginFile::open(file, &Trust::default()).ok());
    let mut report = Report {
        file: plugin.opening.shown.clone(),
        sha256: plugin.opening.sha256.clone(),
        description: None,
        unloadable: None,
        components: Vec::new(),
    };
    progress("", "loading");
    let description = match described(asked, &plugin.opening, settings)? {
        Ok(description) => description,
        Err(reason) => {
            report.unloadable = Some(reason);
            return Ok(report);
        }
    };
    let chosen = description.components.iter();
    let chosen: Vec<_> = chosen
        .filter(|one| asked.component.is_none_or(|name| name == one.name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = description.components.iter().map(|one| &*one.name).collect();
        let reason = match asked.component {
            Some(name) => format!("it has no component `{name}`; there are {}", names.join(", ")),
            None => "it has no component".to_owned(),
        };
        return Err(PluginError::Rejected(reason));
    }
    let spaces: Vec<String> = asked.spaces.iter().map(SearchSpace::to_json).collect();
    for component in chosen {
        let mut findings = Vec::new();
        for check in checks(component.kind) {
            progress(&component.name, check.name);
            let task = Task {
                plugin: plugin.opening.clone(),
                settings: settings.clone(),
                purpose: asked.purpose,
                operators: operators.as_ref().map(|file| file.opening.clone()),
                kind: component.kind,
                component: component.name.clone(),
                check: check.name.to_owned(),
                parameters: asked.parameters.clone(),
                spaces: spaces.clone(),
                limit: asked.limit.min(asked.purpose.time().saturating_sub(began.elapsed())),
            };
            let began = Instant::now();
            findings.push(Finding {
                check: check.name,
                about: check.about,
                verdict: ask(asked, &task)?,
                took_ms: began.elapsed().as_millis() as u64,
            });
            if findings.last().is_some_and(|finding| asked.purpose.ends_with(finding)) {
                break;
            }
        }
        report.components.push(CheckedComponent {
            kind: component.kind,
            name: component.name.clone(),
            findings,
        });
        if asked.purpose == Purpose::Admission && !report.passed() {
            break;
        }
    }
    report.description = Some(description);
    Ok(report)
}

fn ask(asked: &Asked<'_>, task: &Task) -> Result<Verdict, PluginError> {
    let files: Vec<&Opening> = std::iter::once(&task.plugin).chain(&task.operators).collect();
    let question = Question {
        program: asked.program,
        subcommand: SUBCOMMAND,
        files: &files,
        asked: task,
        answers: 1,
    };
    let Heard { mut told, cut_off } = question
        .ask::<Verdict>(task.limit)
        .map_err(|error| not_started(&error))?;
    Ok(match (told.pop(), cut_off) {
        (Some(verdict), _) => verdict,
        (None, Some(cut_off)) => Verdict::Failed(cut_off.told_as(cut_off.end)),
        (None, None) => Verdict::Failed("it told nothing".to_owned()),
    })
}

/// What a plugin says of itself, told by a child, or why it cannot be loaded.
fn described(
    asked: &Asked<'_>,
    plugin: &Opening,
    settings: &Settings,
) -> Result<Result<PluginDescription, String>, PluginError> {
    let question = Question {
        program: asked.program,
        subcommand: SUBCOMMAND,
        files: &[plugin],
        asked: Described {
            described: plugin.clone(),
            settings: settings.clone(),
            purpose: asked.purpose,
        },
        answers: 1,
    };
    let patience = match asked.purpose.is_apart(plugin) {
        false => PATIENCE,
        // The host ends what takes too long itself.
        true => 2 * isolated::IMPORTING,
    };
    let heard = question.ask::<Result<PluginDescription, String>>(patience);
    let Heard { mut told, cut_off } = heard.map_err(|error| not_started(&error))?;
    Ok(match (told.pop(), cut_off) {
        (Some(told), _) => told,
        (None, Some(cut_off)) => Err(cut_off.told_as(match cut_off.end {
            End::Overdue(seconds) => format!("it was still loading after {seconds} s"),
            end => format!("while it is loaded {end}"),
        })),
        (None, None) => Err("it told nothing".to_owned()),
    })
}

fn not_started(error: &std::io::Error) -> PluginError {
    PluginError::NotLoadable(format!("no process can be started to check it in: {error}"))
}

/// What the parent hands over: a file that is to describe itself, or a check.
#[derive(Serialize, Deserialize)]
struct Described {
    described: Opening,
    settings: Settings,
    purpose: Purpose,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Described(Box<Described>),
    Task(Box<Task>),
}

impl Given {
    fn purpose(&self) -> Purpose {
        match self {
            Self::Described(given) => given.purpose,
            Self::Task(task) => task.purpose,
        }
    }
}

/// Opens a plugin in this process, which checks it, or in one of its own.
fn opened(file: &Opening, settings: &Settings, purpose: Purpose) -> Result<Opened, PluginError> {
    if !purpose.is_apart(file) {
        return Library::open(file)?.opened();
    }
    let program = std::env::current_exe().map_err(|error| not_started(&error))?;
    isolated::open(file, &program, settings)
}

/// The child's side, where this process is one; the status that it ends with.
pub(super) fn child() -> Option<ExitCode> {
    is_asked(SUBCOMMAND).then(|| {
        let (given, mut answering) = match Answering::begin::<Given>() {
            Ok(begun) => begun,
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        };
        if given.purpose() == Purpose::Admission {
            priority::lower();
        }
        let told = match given {
            Given::Described(given) => {
                let opened = opened(&given.described, &given.settings, given.purpose);
                let description = opened.and_then(|opened| {
                    Components::default().admit(&opened)?;
                    Ok(opened.description)
                });
                answering.tell(description.map_err(|error| error.to_string()))
            }
            Given::Task(task) => answering.tell(made(&task).unwrap_or_else(|error| verdict_of(&error, &task))),
        };
        match told {
            Ok(()) => answering.wait(),
            Err(_) => ExitCode::FAILURE,
        }
    })
}

/// What an error says of a component that is checked.
fn verdict_of(error: &PluginError, task: &Task) -> Verdict {
    let are_given = task.parameters.as_object().is_none_or(|given| !given.is_empty());
    match error {
        PluginError::InvalidParameters { message, .. } if !are_given => {
            Verdict::Skipped(format!("it needs parameters, give them by --parameters: {message}"))
        }
        PluginError::Unavailable { message, .. } => Verdict::Skipped(message.clone()),
        PluginError::Panicked { message, .. } => Verdict::Failed(format!("it panics: {message}")),
        error => Verdict::Failed(error.to_string()),
    }
}

fn made(task: &Task) -> Result<Verdict, PluginError> {
    let began = Instant::now();
    let component = |file: &Opening, kind: ComponentKind, name: &str| {
        let Opened { components, .. } = opened(file, &task.settings, task.purpose)?;
        let found = components
            .into_iter()
            .find(|one| one.kind() == kind && one.name() == name);
        found.ok_or_else(|| PluginError::Rejected(format!("its {kind} `{name}` was there once, and is not any more")))
    };
    let operators = task.operators.as_ref();
    let operators = operators.map(|file| component(file, ComponentKind::Encoder, "operators"));
    let spaces = task.spaces.iter().map(|json| SearchSpace::from_json(json));
    let subject = Subject {
        handle: component(&task.plugin, task.kind, &task.component)?,
        operators: operators.and_then(Result::ok),
        parameters: task.parameters.clone(),
        spaces: spaces.filter_map(Result::ok).collect(),
        began,
        limit: task.limit,
    };
    let check = checks(task.kind).find(|check| check.name == task.check);
    let check = check.ok_or_else(|| PluginError::Rejected(format!("no check `{}`", task.check)))?;
    (check.run)(&subject)
}

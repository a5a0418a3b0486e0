//! `lglp jobs`.

use std::time::{Duration, Instant};

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use lglp_client::{ClientError, follow};
use lglp_registry::{HardwareName, Job, JobFilter, JobKind, JobState, NewJob, Registry};
use lglp_sdk::Printable;
use lglp_terminal::{Facts, actor, print_json, table, when, whole};
use serde::Serialize;
use serde_json::json;

use super::Context;
use super::context::Opened;

/// List jobs, show one, watch it or cancel it
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
    lglp train --hardware my-box --job       # a job, instead of training here\n  \
    lglp jobs --state running\n  \
    lglp jobs 3\n  \
    lglp jobs watch 3                        # ends when the job does; Ctrl-C leaves the job alone\n  \
    lglp jobs cancel 3\n\n\
    Jobs are worked on by `lglp serve`: one that trains and one that measures at a time."
)]
pub(crate) struct Args {
    /// Show this job; with --json, all of it.
    #[arg(value_parser = whole::<u64>())]
    id: Option<u64>,
    /// Only those of this hardware target.
    #[arg(long, value_name = "NAME")]
    hardware: Option<HardwareName>,
    /// Only those in this state: queued, running, succeeded, failed or cancelled.
    #[arg(long, value_name = "STATE")]
    state: Option<JobState>,
    /// Jobs at most, newest first.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = whole::<usize>())]
    limit: usize,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Follow a job until it ends; fails where the job does
    Watch {
        #[arg(value_parser = whole::<u64>())]
        id: u64,
    },
    /// Cancel a job; a running one ends between two steps, and what it has measured stays
    Cancel {
        #[arg(value_parser = whole::<u64>())]
        id: u64,
    },
}

pub(crate) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let registry = context.registry("jobs")?;
    match (&args.action, args.id) {
        (Some(Action::Watch { id }), _) => watch(context, &registry, *id),
        (Some(Action::Cancel { id }), _) => cancel(context, &*registry.store, *id),
        (None, Some(id)) => show(context, &registry.store.job(id)?),
        (None, None) => list(context, &*registry.store, args),
    }
}

fn list(context: &Context, store: &dyn Registry, args: &Args) -> anyhow::Result<()> {
    let filter = JobFilter {
        hardware: args.hardware.clone(),
        state: args.state,
    };
    let jobs = store.jobs(&filter, args.limit)?;
    if context.json() {
        return print_json(&jobs);
    }
    let mut rows = table(&[
        "job", "kind", "hardware", "state", "progress", "created", "by", "outcome",
    ]);
    for job in &jobs {
        rows.add_row([
            job.id.to_string(),
            job.kind.to_string(),
            job.hardware.to_string(),
            job.state.to_string(),
            progress(job).unwrap_or_default(),
            when(&job.created_at),
            job.created_by.clone(),
            outcome(job),
        ]);
    }
    println!("{rows}");
    Ok(())
}

fn show(context: &Context, job: &Job) -> anyhow::Result<()> {
    if context.json() {
        return print_json(job);
    }
    let state = match (job.state, job.cancel_requested) {
        (JobState::Running, true) => "running, to be cancelled".to_owned(),
        (state, _) => state.to_string(),
    };
    let note = job.progress.as_ref().map_or("", |progress| progress.note.as_str());
    let mut facts = Facts::default();
    facts.push("job", job.id.to_string());
    facts.push("kind", format!("{} for {}", job.kind, job.hardware));
    facts.push("state", state);
    facts.push_any(
        "progress",
        progress(job).map(|done| format!("{done} {note}").trim_end().to_owned()),
    );
    facts.push_any("outcome", Some(outcome(job)).filter(|outcome| !outcome.is_empty()));
    facts.push_any("asked", asked(job));
    facts.push_any(
        "part of",
        job.parent.map(|parent| format!("job {parent}, which waits for it")),
    );
    facts.push("created", format!("{} by {}", when(&job.created_at), job.created_by));
    facts.push_any("started", job.started_at.as_deref().map(when));
    facts.push_any("ended", job.finished_at.as_deref().map(when));
    println!("{facts}");
    Ok(())
}

/// The parameters that a job was given, those left out not among them.
fn asked(job: &Job) -> Option<String> {
    let given = job.parameters.as_object()?.iter().filter(|(_, value)| !value.is_null());
    let given: Vec<String> = given.map(|(name, value)| format!("{name} {value}")).collect();
    (!given.is_empty()).then(|| given.join(", "))
}

fn progress(job: &Job) -> Option<String> {
    job.progress
        .as_ref()
        .map(|progress| format!("{}/{}", progress.done, progress.of))
}

/// What came out of a job, in a few words.
fn outcome(job: &Job) -> String {
    if let Some(error) = &job.error {
        return error.clone();
    }
    let Some(result) = &job.result else {
        return String::new();
    };
    match job.kind {
        JobKind::Train => format!("version {}", result["version"]),
        JobKind::Measure => format!("{} measured, {} in all", result["measured"], result["total"]),
        JobKind::Validate => format!("report {} on version {}", result["validation"], result["version"]),
        JobKind::Onboard => format!(
            "version {}, error {:.1} %",
            result["version"],
            result["metrics"]["mape"].as_f64().unwrap_or(f64::NAN)
        ),
        JobKind::Search => format!(
            "{} on the front, of {}: `lglp jobs {} --json` has the digest of their blob",
            result["found"], result["candidates"], job.id
        ),
        _ => result.to_string(),
    }
}

fn cancel(context: &Context, store: &dyn Registry, id: u64) -> anyhow::Result<()> {
    let job = store.cancel_job(id, &actor())?;
    if context.json() {
        return print_json(&job);
    }
    match job.state {
        JobState::Running => println!("job {id} will end after the step that it is at"),
        state => println!("job {id} is {state}"),
    }
    Ok(())
}

/// Between two lines of progress where there is no terminal.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

fn watch(context: &Context, registry: &Opened, id: u64) -> anyhow::Result<()> {
    let job = until_ended(registry, id)?;
    if context.json() {
        print_json(&job)?;
    }
    match job.state {
        JobState::Succeeded if context.json() => Ok(()),
        JobState::Succeeded => {
            println!("job {id} succeeded: {}", Printable::of(outcome(&job)));
            Ok(())
        }
        JobState::Failed => anyhow::bail!("job {id} failed: {}", Printable::of(outcome(&job))),
        state => anyhow::bail!("job {id} is {state}"),
    }
}

/// Shows a job's progress until it ends.
pub(crate) fn until_ended(registry: &Opened, id: u64) -> anyhow::Result<Job> {
    match registry.server() {
        Some(server) => {
            let bar = Bar::new()?;
            let mut last = None;
            for job in follow(server, id).map_err(|error| not_there(error, id))? {
                last = Some(bar.show(job?));
            }
            last.filter(|job| job.state.has_ended()).ok_or_else(|| {
                anyhow::anyhow!("the server stopped; the job goes on when it is back: lglp jobs watch {id}")
            })
        }
        None => {
            let job = registry.store.job(id)?;
            anyhow::ensure!(
                job.state.has_ended(),
                "job {id} is {}, and no server runs that could work on it; start one with `lglp serve`",
                job.state
            );
            Ok(job)
        }
    }
}

fn not_there(error: ClientError, id: u64) -> anyhow::Error {
    match error {
        ClientError::Problem(problem) if problem.status == 404 => anyhow::anyhow!("there is no job {id}"),
        error => error.into(),
    }
}

/// A job's progress, on a terminal or line by line.
struct Bar {
    bar: ProgressBar,
    said: std::cell::Cell<Option<Instant>>,
}

impl Bar {
    fn new() -> anyhow::Result<Self> {
        let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {per_sec} eta {eta} {wide_msg}")?;
        Ok(Self {
            bar: ProgressBar::new(0).with_style(style),
            said: std::cell::Cell::new(None),
        })
    }

    fn show(&self, job: Job) -> Job {
        let (done, of, note) = match &job.progress {
            Some(progress) => (progress.done, progress.of, progress.note.as_str()),
            None => (0, 0, ""),
        };
        self.bar.set_prefix(format!("{} {}", job.kind, job.state));
        if self.bar.length() != Some(of) || done < self.bar.position() {
            // Another phase: what it took so far says nothing of the rate to come.
            self.bar.set_length(of);
            self.bar.reset();
            self.bar.set_position(done);
            self.bar.reset_eta();
        }
        self.bar.set_position(done);
        let note = Printable::of(note);
        self.bar.set_message(note.to_string());
        if job.state.has_ended() {
            self.bar.finish_and_clear();
        } else if self.bar.is_hidden() && self.said.get().is_none_or(|said| said.elapsed() >= LOG_INTERVAL) {
            eprintln!("{} {}: {done} of {of} {note}", job.kind, job.state);
            self.said.set(Some(Instant::now()));
        }
        job
    }
}

/// Creates a job, where a command was told to leave its work to a server, and says how to follow it.
pub(crate) fn submit(
    context: &Context,
    registry: &Opened,
    kind: JobKind,
    hardware: &HardwareName,
    parameters: &impl Serialize,
) -> anyhow::Result<()> {
    let new = NewJob {
        kind,
        hardware: hardware.clone(),
        parameters: json!(parameters),
        creator: actor(),
        parent: None,
    };
    let job = registry.operations.submit_job(new)?;
    if context.json() {
        return print_json(&job);
    }
    println!("job {}; follow it with:\n  lglp jobs watch {}", job.id, job.id);
    if registry.server().is_none() {
        println!("it begins when a server runs: lglp serve");
    }
    Ok(())
}
